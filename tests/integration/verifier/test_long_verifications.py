"""Verifications that go on: what is told on their way, and the watch after they met their criteria."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from services.verifier.adapters.fakes import FakeProber, Page
from services.verifier.probe import Outcome
from services.verifier.signals import Signals
from services.verifier.tables import verifications
from shared.db.tables import outbox, work
from shared.events import (
    Diagnostics,
    LogLine,
    RunCancelling,
    VerificationFailed,
    VerificationPassed,
    VerificationRequested,
)
from shared.plan import CommandCheck
from tests.integration.verifier.world import PLACE, START, URL, World, of_run, request, settle

SOAK = 12.0
MET = START + timedelta(seconds=1)
SMOKE = (CommandCheck(command=("./smoke",)),)


def soaking(number: int = 1, step: str = "", **criteria: Any) -> VerificationRequested:
    return request(number, **criteria).model_copy(update={"soak_seconds": SOAK, "step": step})


def numbers(world: World) -> list[int]:
    """Return the rounds that were told of, in the order of their telling."""
    told = [*world.ears.probed, *world.ears.heard]
    return [each.number for event in told for each in event.rounds]


async def soaks_until(world: World) -> Sequence[datetime | None]:
    async with world.database.reading() as reading:
        return (await reading.execute(sa.select(verifications.c.soaks_until))).scalars().all()


async def verdict(world: World, step: float = 0.1) -> VerificationPassed | VerificationFailed:
    await world.until(lambda: bool(world.ears.heard), step)
    (said,) = world.ears.heard
    return said


async def test_a_quick_verification_says_all_in_its_verdict(world: World) -> None:
    async with world.running(world.service(FakeProber({URL: Page()}))):
        await world.say(request())
        said = await verdict(world)
    assert world.ears.probed == []
    assert [(each.number, each.at) for each in said.rounds] == [(1, START), (2, MET)]
    (probe,) = said.rounds[0].probes
    assert (probe.url, probe.passed, probe.service, probe.kind) == (URL, True, "web", "http")


async def test_a_long_one_is_told_every_few_seconds_each_round_once(world: World) -> None:
    async with world.running(world.service(FakeProber({URL: Page(500)}))):
        await world.say(request())
        await verdict(world)
    (probed,) = world.ears.probed
    assert [each.number for each in probed.rounds] == [1, 2, 3, 4, 5, 6]
    assert numbers(world) == [*range(1, 12)]
    assert probed.soaks_until is None


async def test_each_of_our_lives_counts_its_rounds_anew_and_none_is_told_in_anothers_stead(
    world: World,
) -> None:
    asked = request().model_copy(update={"deadline": START + timedelta(minutes=1)})
    await world.say(asked)
    for life in (1, 2, 3):
        async with world.running(world.service(FakeProber({URL: Page(500)}))):
            await world.until(lambda life=life: len(world.ears.probed) == life)  # type: ignore[misc]
    assert [event.rounds[0].number for event in world.ears.probed] == [1, 1, 1]


async def test_what_is_watched_is_noted_and_told_and_passes_at_its_end(world: World) -> None:
    async with world.running(world.service(FakeProber({URL: Page()}))):
        await world.say(soaking())
        await world.until(lambda: bool(world.ears.probed))
        assert await soaks_until(world) == [MET + timedelta(seconds=SOAK)]
        assert world.clock.now() < MET + timedelta(seconds=1)
        said = await verdict(world)
    assert isinstance(said, VerificationPassed)
    assert world.clock.now() - MET >= timedelta(seconds=SOAK)
    assert {event.soaks_until for event in world.ears.probed} == {MET + timedelta(seconds=SOAK)}
    assert numbers(world) == [*range(1, 15)]
    assert (await world.left(work), await world.left(verifications)) == (0, 0)


async def test_what_fails_while_it_is_watched_is_said_so(world: World) -> None:
    prober = FakeProber({URL: Page()})
    async with world.running(world.service(prober)):
        await world.say(soaking())
        await world.until(lambda: bool(world.ears.probed))
        prober.pages[URL] = Page(503, "no room")
        said = await verdict(world)
    assert isinstance(said, VerificationFailed)
    assert said.evidence.message == (
        "it met its criteria and failed 3 s later, as 3 rounds in a row failed:"
        f" GET {URL} gave 503 instead of 2xx/3xx (3 of 3 probes failed)"
    )


async def test_a_release_whose_process_is_restarted_twice_fails_its_watch(world: World) -> None:
    world.observer.seen[PLACE.lives] = Signals("running", restarts=1)
    async with world.running(world.service(FakeProber({URL: Page()}))):
        await world.say(soaking())
        await world.until(lambda: bool(world.ears.probed))
        for restarts in (2, 3):
            world.observer.seen[PLACE.lives] = Signals("running", restarts=restarts)
            now = world.clock.now()
            await world.until(lambda now=now: world.clock.now() - now > timedelta(seconds=2))  # type: ignore[misc]
        said = await verdict(world)
    assert isinstance(said, VerificationFailed)
    assert "as its process was restarted 2 times" in said.evidence.message
    assert [probe.fault for probe in said.evidence.probes if probe.kind == "process"] == ["restarted"] * 2


async def test_a_restart_of_ours_watches_until_the_instant_that_was_noted(world: World) -> None:
    async with world.running(world.service(FakeProber({URL: Page()}))):
        await world.say(soaking())
        await world.until(lambda: world.clock.now() > MET + timedelta(seconds=7))
    assert world.ears.heard == []
    for _ in range(2):
        async with world.running(world.service(FakeProber({URL: Page()}))):
            await world.until(lambda: bool(world.ears.heard))
    (said,) = world.ears.heard
    assert isinstance(said, VerificationPassed)
    assert {event.soaks_until for event in world.ears.probed} == {MET + timedelta(seconds=SOAK)}
    over = timedelta(seconds=SOAK + 1)
    assert timedelta(0) <= world.clock.now() - MET - timedelta(seconds=SOAK) < over


@pytest.mark.parametrize("restarts", [2, 3])
async def test_restarts_while_the_verifier_was_away_are_not_forgotten(world: World, restarts: int) -> None:
    world.observer.seen[PLACE.lives] = Signals("running", restarts=1)
    async with world.running(world.service(FakeProber({URL: Page()}))):
        await world.say(soaking())
        await world.until(lambda: bool(world.ears.probed))
    world.observer.seen[PLACE.lives] = Signals("running", restarts=restarts)
    async with world.running(world.service(FakeProber({URL: Page()}))):
        said = await verdict(world)
    assert isinstance(said, VerificationPassed) is (restarts == 2)


@pytest.mark.parametrize("status", [200, 500])
async def test_a_verifier_that_was_away_until_the_end_still_looks(world: World, status: int) -> None:
    async with world.running(world.service(FakeProber({URL: Page()}))):
        await world.say(soaking())
        await world.until(lambda: bool(world.ears.probed))
    world.clock.advance(3600.0)
    async with world.running(world.service(FakeProber({URL: Page(status)}))):
        said = await verdict(world)
    assert isinstance(said, VerificationPassed) is (status == 200)


async def test_the_end_of_a_run_ends_its_watch_without_a_word(world: World) -> None:
    prober = FakeProber({URL: Page()})
    async with world.running(world.service(prober)):
        await world.say(soaking())
        await world.until(lambda: bool(world.ears.probed))
        await world.say(RunCancelling(**of_run(), actor="ann", reason="wrong"))
        await settle()
        told, prober.asked = len(world.ears.probed), []
        for _ in range(30):
            world.clock.advance(0.5)
            await settle()
    assert (len(world.ears.probed), prober.asked, world.ears.heard) == (told, [], [])
    assert (await world.left(work), await world.left(verifications)) == (0, 0)


async def test_a_cancel_that_comes_with_the_criteria_met_starts_no_watch(world: World) -> None:
    prober = FakeProber({URL: Page()}, hanging=asyncio.Event())
    assert prober.hanging
    async with world.running(world.service(prober)):
        await world.say(soaking(successes=1))
        await world.until(prober.heard.is_set)
        async with world.database.begin() as (connection, _):  # the run's end, of which we have not heard
            await connection.execute(sa.delete(verifications))
        prober.hanging.set()
        await settle()
        assert world.ears.probed == []
        await world.say(RunCancelling(**of_run(), actor="ann", reason="wrong"))
        await settle()
    assert world.ears.heard == []


async def test_a_candidate_that_ended_is_failed_at_once_with_what_was_found(world: World) -> None:
    line = LogLine(at=START, text="ModuleNotFoundError: No module named 'flask'")
    found = Diagnostics(at=START, process="exited", exit_code=1, log_tail=(line,))
    world.observer.seen[PLACE.lives] = Signals("exited", running=0, message="exited with 1")
    world.observer.found[PLACE.lives] = found
    async with world.running(world.service(FakeProber({URL: Page(502)}))):
        await world.say(request().model_copy(update={"step": "web"}))
        said = await verdict(world)
    assert isinstance(said, VerificationFailed)
    assert world.clock.now() == START
    assert said.evidence.diagnostics == found
    assert said.evidence.exit_code == 1
    assert said.evidence.log_tail == ()  # it is no log of the run's
    assert said.evidence.message == "the process of web exited with 1 (1 of 1 probes failed)"


async def test_a_failure_is_told_with_where_the_service_listens(world: World) -> None:
    found = Diagnostics(at=START, process="running", listening=("127.0.0.1:5000",), signal="")
    world.observer.found[PLACE.lives] = found
    async with world.running(world.service(FakeProber())):
        await world.say(request())
        said = await verdict(world)
    assert isinstance(said, VerificationFailed)
    assert said.evidence.diagnostics == found


async def test_a_port_and_a_command_are_asked_beside_each_other(world: World) -> None:
    prober = FakeProber({URL: Page()}, ports={"127.0.0.1:9090"})
    async with world.running(world.service(prober)):
        await world.say(request(tcp=(9090,), commands=SMOKE))
        said = await verdict(world)
    assert isinstance(said, VerificationPassed)
    assert prober.asked == [URL, "tcp://127.0.0.1:9090"] * 2
    command = world.commands.run_so_far[0]
    assert (command.argv, str(command.folder)) == (("./smoke",), PLACE.files)
    assert command.env == {"URL": URL, "RELEASE": "4f" * 20}


async def test_a_command_that_says_no_fails_the_release(world: World) -> None:
    world.commands.outcomes["./smoke"] = Outcome(0.1, content=False, problem="exited with 3", said="no cart")
    async with world.running(world.service(FakeProber({URL: Page()}))):
        await world.say(request(commands=SMOKE))
        said = await verdict(world, step=0.5)
    assert isinstance(said, VerificationFailed)
    assert said.evidence.message.startswith("the command ./smoke exited with 3: no cart (11 of 11 probes")
    given = [command.timeout_seconds for command in world.commands.run_so_far]
    assert (given[0], given[-1]) == (10.0, 1.0), "it is bounded by the deadline"


@pytest.mark.parametrize("known", [False, True])
async def test_a_command_that_cannot_be_run_here_accuses_nobody(world: World, known: bool) -> None:
    asked = request(paths=(), commands=SMOKE)
    target = asked.targets[0].model_copy(update={"place": PLACE if known else None})
    world.commands.outcomes["./smoke"] = Outcome(0.0, content=False, unable="it is elsewhere")
    async with world.running(world.service(FakeProber())):
        await world.say(asked.model_copy(update={"targets": (target,)}))
        said = await verdict(world)
    assert isinstance(said, VerificationFailed)
    assert said.evidence.kind == "error"
    why = "it is elsewhere" if known else "commands are run on the machine"
    assert said.evidence.message.startswith(f"the deployment could not be verified: {why}")
    assert bool(world.commands.run_so_far) is known


class Killed(BaseException):
    """The program is dead from here on."""


class Reaper:
    """Stands in for the crash points of the process."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.target = ""

    def passing(self, name: str) -> None:
        """Note the point, and die if it is the one."""
        if name not in self.seen and name.startswith("verifier."):
            self.seen.append(name)
        if name == self.target:
            self.target = ""
            raise Killed(name)


async def live(world: World, expected: int) -> None:
    """Live until that many verdicts were said, or until death."""
    bus, background = world.wired(world.service(FakeProber({URL: Page()})))
    tasks = [asyncio.ensure_future(part()) for part in (bus.run, *background)]
    try:
        await world.until(
            lambda: len(world.ears.heard) == expected or any(task.done() for task in tasks), 0.5
        )
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_dying_anywhere_changes_neither_the_verdict_nor_the_end_of_the_watch(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    reaper = Reaper()
    monkeypatch.setattr("shared.crash._POINTS", reaper)
    await world.say(soaking(0))
    await live(world, 1)
    points = list(reaper.seen)
    assert {"verifier.round.probed", "verifier.soak.begun", "verifier.verification.probed.committed"} <= {
        *points
    }
    for number, name in enumerate(points, 1):
        asked = soaking(number, run=UUID(int=100 + number))
        await world.say(asked.model_copy(update={"deadline": world.clock.now() + timedelta(seconds=10)}))
        reaper.target = name
        await live(world, number + 1)
        assert reaper.target == "", f"{name} was not passed again"
        if len(world.ears.heard) == number:
            await live(world, number + 1)
    assert [type(said) for said in world.ears.heard] == [VerificationPassed] * (len(points) + 1)
    for said in world.ears.heard:
        mine = [event for event in world.ears.probed if event.verification == said.verification]
        assert len({event.soaks_until for event in mine} - {None}) == 1, "it is watched until one instant"
    async with world.database.reading() as reading:
        said_of = "windlass.verification.probed.v1"
        ids = (await reading.execute(sa.select(outbox.c.id).where(outbox.c.type == said_of))).scalars().all()
    assert len(ids) == len(set(ids))
