"""The verifier's database and bus, what is said on it, and time."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from services.verifier.adapters.fakes import FakeCommands, FakeObserver
from services.verifier.adapters.prober import Prober
from services.verifier.app import wire
from services.verifier.round_worker import Rounds
from services.verifier.settings import VerifierSettings
from shared.bus import Subscription
from shared.bus.embedded import EmbeddedBus
from shared.clock import ManualClock
from shared.db import Cause, ServiceDatabase
from shared.db.sqlite import SqliteDatabase
from shared.db.tables import work
from shared.delivery import Handler
from shared.events import (
    Event,
    LocalPlace,
    Message,
    ProbeTarget,
    VerificationFailed,
    VerificationPassed,
    VerificationProbed,
    VerificationRequested,
)
from shared.ids import Pipeline, Stage
from shared.plan import Criteria, PathCheck
from shared.service import Service

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
URL = "http://127.0.0.1:9000/"
ROOT = (PathCheck(path="/"),)
RUN = UUID(int=77)
PLACE = LocalPlace(lives="/data/lives", files="/data/files")
TURNS_MAX = 600
SETTLE = 30  # turns of the loop in which everything that can go on does


@dataclass(slots=True)
class Ears:
    """Hears the verdicts, as the deployer would."""

    db: ServiceDatabase
    heard: list[VerificationPassed | VerificationFailed] = field(default_factory=list)
    probed: list[VerificationProbed] = field(default_factory=list)
    said: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))

    async def verdict(self, message: Message[Any]) -> None:
        async with self.db.hearing(message) as tx:
            if not tx.seen_before:
                self.heard.append(message.body)
                self.said.release()

    async def went_on(self, message: Message[Any]) -> None:
        async with self.db.hearing(message) as tx:
            if not tx.seen_before:
                self.probed.append(message.body)


@dataclass(slots=True)
class World:
    """A database and what is said in it."""

    database: SqliteDatabase
    clock: ManualClock
    ears: Ears
    observer: FakeObserver = field(default_factory=FakeObserver)
    commands: FakeCommands = field(default_factory=FakeCommands)
    said: int = 0

    async def say(self, *events: Event) -> None:
        self.said += 1
        cause = Cause(UUID(int=self.said))
        async with ServiceDatabase(self.database, "deployer").transaction(cause, "test") as tx:
            for number, event in enumerate(events):
                tx.emit(event, str(number))

    async def until(self, holds: Callable[[], bool], step: float = 0.1) -> None:
        """Advance the clock, step by step, until it holds."""
        for _ in range(TURNS_MAX):
            await settle()
            if holds():
                return
            self.clock.advance(step)
        pytest.fail("it does not come about")

    async def left(self, table: sa.Table) -> int:
        open_ = work.c.state != "done" if table is work else sa.true()
        async with self.database.reading() as reading:
            query = sa.select(sa.func.count()).select_from(table).where(open_)
            return int((await reading.execute(query)).scalar() or 0)

    def service(self, prober: Prober, worker: str = "verifier") -> Service:
        rounds = Rounds(prober, self.observer, self.commands, self.clock)
        return wire(self.database, VerifierSettings(replica=worker), rounds)

    def wired(self, *services: Service) -> tuple[EmbeddedBus, list[Callable[[], Awaitable[None]]]]:
        """Return the services on one bus, with whoever listens to them, and what they run."""
        listener: dict[type[Event], Handler] = {
            VerificationPassed: self.ears.verdict,
            VerificationFailed: self.ears.verdict,
            VerificationProbed: self.ears.went_on,
        }
        subscriptions = [services[0].subscription, Subscription(self.ears.db, listener)]
        bus = EmbeddedBus(self.database, subscriptions)
        return bus, [run for service in services for run in service.background]

    @asynccontextmanager
    async def running(self, *services: Service) -> AsyncIterator[None]:
        """Run the services on one bus, and whoever listens to them."""
        bus, background = self.wired(*services)
        async with in_background(bus.run, *background):
            yield


@asynccontextmanager
async def in_background(*loops: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    tasks = [asyncio.ensure_future(loop()) for loop in loops]
    try:
        yield
        for task in tasks:
            assert not task.done(), "a loop ended by itself"
    finally:
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def settle() -> None:
    for _ in range(SETTLE):
        await asyncio.sleep(0)


def request(number: int = 1, url: str = URL, run: UUID = RUN, **criteria: Any) -> VerificationRequested:
    asked = Criteria(**{"paths": ROOT, "interval_seconds": 1.0, **criteria})
    target = ProbeTarget(service="web", base_url=url, criteria=asked, commit="4f" * 20, place=PLACE)
    return VerificationRequested(
        pipeline=Pipeline("shop"),
        stage=Stage("staging"),
        verification=UUID(int=1000 + number),
        run=run,
        revision=4,
        step="web",
        targets=(target,),
        deadline=START + timedelta(seconds=10),
        private_addresses=True,
    )


def of_run(run: UUID = RUN) -> dict[str, Any]:
    return {"pipeline": "shop", "stage": "staging", "run": run, "revision": 4, "kind": "deploy"}
