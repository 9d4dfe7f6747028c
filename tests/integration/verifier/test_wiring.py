"""What the verifier does before anything else, and what its two kinds of work do not share."""

import asyncio
from dataclasses import dataclass, field

from services.verifier.adapters.fakes import FakeCommands, FakeProber, Page
from services.verifier.app import wire
from services.verifier.probe import Command, Outcome
from services.verifier.round_worker import Rounds
from services.verifier.settings import VerifierSettings
from shared.plan import CommandCheck
from tests.integration.verifier.lookout import began, succeeded, target, url
from tests.integration.verifier.world import URL, World, request


@dataclass(slots=True)
class Noting(FakeCommands):
    """Commands that note what they were told to do."""

    told: list[str] = field(default_factory=list)

    async def end_leftovers(self) -> None:
        await asyncio.sleep(0)
        self.told.append("end leftovers")

    async def run(self, command: Command) -> Outcome:
        self.told.append("run")
        return Outcome(0.0, content=True)


async def test_what_an_earlier_life_left_is_ended_before_a_command_is_run(world: World) -> None:
    commands = world.commands = Noting()
    async with world.running(world.service(FakeProber({URL: Page()}))):
        await world.say(request(commands=(CommandCheck(command=("./smoke",)),)))
        await world.until(lambda: bool(world.ears.heard), step=0.5)
    assert commands.told == ["end leftovers", "run", "run"]


async def test_looks_go_on_beside_verifications_that_hang(world: World) -> None:
    hanging = FakeProber(hanging=asyncio.Event())
    looking = FakeProber({url(): Page()})
    rounds = Rounds(hanging, world.observer, world.commands, world.clock)
    async with world.running(wire(world.database, VerifierSettings(), rounds, looking)):
        await world.say(request(), began(1))
        await hanging.heard.wait()
        await world.say(succeeded(1, target()))
        await world.until(lambda: looking.asked == [url()], step=1.0)
