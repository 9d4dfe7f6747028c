"""A port that does not move from release to release, and may still be held by the one before."""

from services.verifier.adapters.fakes import FakeProber, Page
from services.verifier.signals import Signals
from shared.events import VerificationFailed, VerificationPassed
from tests.integration.verifier.lookout import Lookout, succeeded, target
from tests.integration.verifier.world import PLACE, URL, World, request

PORT = "127.0.0.1:9090"


async def judged(world: World, held: set[str]) -> object:
    world.observer.seen[PLACE.lives] = Signals("running")
    world.observer.ports[PLACE.lives] = held
    prober = FakeProber({URL: Page()}, ports={PORT})
    async with world.running(world.service(prober)):
        await world.say(request(tcp=(9090,)))
        await world.until(lambda: bool(world.ears.heard), step=0.5)
    return world.ears.heard[0]


async def test_a_port_that_the_release_before_holds_does_not_pass(world: World) -> None:
    said = await judged(world, held=set())
    assert isinstance(said, VerificationFailed)
    assert said.evidence.message.startswith(
        f"the connection to tcp://{PORT} was not taken by the release itself: "
        "another process answers on port 9090 ("
    )


async def test_a_port_that_the_release_itself_holds_passes(world: World) -> None:
    assert isinstance(await judged(world, held={PORT}), VerificationPassed)


async def test_a_live_service_whose_port_another_process_takes_is_degraded(lookout: Lookout) -> None:
    watched = target(lives="lives", tcp=(9090,))
    lookout.answers(Page())
    lookout.prober.ports = {PORT}
    lookout.observer.seen["lives"] = Signals("running")
    lookout.observer.ports["lives"] = {PORT}
    async with lookout.watching():
        await lookout.hear(succeeded(1, watched))
        await lookout.until(lambda: lookout.health() == "healthy")
        lookout.observer.ports["lives"] = set()
        await lookout.until(lambda: lookout.health() == "degraded")
