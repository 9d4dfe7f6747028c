"""The alarm of a stage's health beside the deployer, which blocks and undoes by it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from services.verifier.adapters.fakes import FakeObserver, Page
from services.verifier.handlers import Handlers
from services.verifier.look_worker import Looker
from services.verifier.probe import Answer, Connection, Probe
from services.verifier.watch_worker import WatchWorker
from shared.bus import Subscription
from shared.bus.embedded import EmbeddedBus
from shared.clock import ManualClock
from shared.db import ServiceDatabase
from shared.delivery import Handler
from shared.events import (
    AlarmChanged,
    BlockerLifted,
    Event,
    HealthChanged,
    RevisionPlanned,
    RunCancelled,
    RunCancelling,
    RunFailed,
    RunRollingBack,
    RunRollingForward,
    RunStarted,
    RunSucceeded,
    RunTimedOut,
    StageBlocked,
    StepStarted,
)
from tests.integration.deployer.stand import EPOCH, SERVICE, Stand, plan, planned, step
from tests.integration.replicas import OnSqlite

ALARM = "health:shop/production"
SETTLE = 40  # turns of the loop in which everything that can go on does
GOOD, SILENT = Page(), Page(fault="refused")


@dataclass
class Scene:
    """The deployer, and the verifier's watches beside it; what is live answers as the page says."""

    stand: Stand
    page: Page = field(default_factory=Page)

    async def ask(self, probe: Probe) -> Answer:
        """Answer as the release that was deployed last."""
        live = self.stand.said(RunSucceeded)[-1].run
        if self.page.fault:
            return Answer(probe.url, 0.0, fault=self.page.fault)
        return replace(self.page, release=str(live)).answer(probe.url, "")

    async def connect(self, connection: Connection) -> Answer:
        raise AssertionError(f"{connection} was made")

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        db = ServiceDatabase(self.stand.database, "watching")
        handlers = Handlers(db)
        hears: dict[type[Event], Handler] = {}
        for begins in (RunStarted, RunRollingBack, RunRollingForward):
            hears[begins] = handlers.run_started
        for ends in (RunSucceeded, RunFailed, RunCancelled, RunTimedOut):
            hears[ends] = handlers.run_ended
        bus = EmbeddedBus(self.stand.database, [Subscription(db, hears)])
        watching = WatchWorker(db, Looker(self, FakeObserver(), db.clock), slots=4)
        async with self.stand.running():
            tasks = [asyncio.create_task(each()) for each in (bus.run, watching.run)]
            try:
                yield
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    async def pass_time(self, seconds: int) -> None:
        for _ in range(seconds):
            for _ in range(SETTLE):
                await asyncio.sleep(0)
            self.stand.clock.advance(1.0)

    async def until_health(self, health: str) -> None:
        for _ in range(300):
            if self.stand.said(HealthChanged) and self.stand.said(HealthChanged)[-1].health == health:
                return
            await self.pass_time(1)
        pytest.fail(f"it is never {health}")

    async def live_and_healthy(self) -> None:
        await self.stand.say(watched(1))
        await self.stand.until_said(RunSucceeded, revision=1)
        await self.until_health("healthy")

    def alarms(self) -> list[str]:
        return [each.state for each in self.stand.said(AlarmChanged)]


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    stand = Stand(await OnSqlite.at(tmp_path, ManualClock(EPOCH)))
    yield Scene(stand)
    await stand.store.close()


def watched(revision: int) -> RevisionPlanned:
    steps = (step("a", timeout_seconds=3600.0), step("web", SERVICE, "a", timeout_seconds=3600.0))
    return planned(revision, plan(revision, steps=steps, stages=("production",), alarm=ALARM))


async def test_what_ails_after_its_run_blocks_the_stage_until_it_is_healthy_again(scene: Scene) -> None:
    async with scene.running():
        await scene.live_and_healthy()
        scene.page = SILENT
        blocked = await asyncio.gather(scene.stand.until_said(StageBlocked), scene.pass_time(120))
        assert blocked[0].blocker == f"alarm {ALARM}"
        await scene.stand.say(watched(2))
        await scene.pass_time(60)
        assert not scene.stand.said(RunStarted, revision=2)
        scene.page = GOOD
        await scene.pass_time(180)
        assert scene.stand.said(BlockerLifted)
        await scene.stand.until_said(RunSucceeded, revision=2)
    assert scene.alarms() == ["firing", "clear"]
    assert not scene.stand.said(RunCancelling)


async def test_a_run_is_not_undone_for_what_ails_while_it_goes_on(scene: Scene) -> None:
    async with scene.running():
        await scene.live_and_healthy()
        let_go = scene.stand.carrier.hold("a", "production")
        await scene.stand.say(watched(2))
        await scene.stand.until_said(StepStarted, revision=2)
        scene.page = SILENT
        await scene.until_health("unreachable")
        await scene.pass_time(120)
        scene.page = GOOD
        let_go.set()
        await scene.stand.until_said(RunSucceeded, revision=2)
        await scene.pass_time(60)
    assert scene.alarms() == []
    assert not scene.stand.said(RunCancelling)
    assert scene.stand.said(HealthChanged)[-1].health == "healthy"


async def test_a_fix_that_a_person_lets_past_the_alarm_is_not_undone_by_it(scene: Scene) -> None:
    async with scene.running():
        await scene.live_and_healthy()
        scene.page = SILENT
        await asyncio.gather(scene.stand.until_said(StageBlocked), scene.pass_time(120))
        await scene.stand.say(watched(2))
        await scene.stand.until_waits("blocker", revision=2)
        let_go = scene.stand.carrier.hold("a", "production")
        await scene.stand.answer(
            "lift_blocker", "production", blocker=f"alarm {ALARM}", reason="this is the fix"
        )
        await scene.stand.until_said(StepStarted, revision=2)
        await scene.pass_time(120)
        scene.page = GOOD
        await scene.until_health("healthy")
        scene.page = SILENT
        await scene.until_health("unreachable")
        await scene.pass_time(120)
        scene.page = GOOD
        let_go.set()
        await scene.stand.until_said(RunSucceeded, revision=2)
    assert scene.alarms() == ["firing", "clear"]
    assert not scene.stand.said(RunCancelling)


async def test_what_a_run_left_behind_blocks_the_stage_once_it_is_over(scene: Scene) -> None:
    async with scene.running():
        await scene.live_and_healthy()
        scene.stand.bad_releases.add(2)
        let_go = scene.stand.carrier.hold("a", "production")
        await scene.stand.say(watched(2))
        await scene.stand.until_said(StepStarted, revision=2)
        scene.page = SILENT
        await scene.until_health("unreachable")
        let_go.set()
        await scene.stand.until_said(RunFailed, revision=2)
        await asyncio.gather(scene.stand.until_said(StageBlocked), scene.pass_time(120))
    assert scene.alarms() == ["firing"]
    assert not scene.stand.said(RunCancelling)
