"""A lookout: the verifier's watches on a real database, told of runs, with services that a test sets."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeVar
from uuid import UUID

import pytest
import sqlalchemy as sa

from services.verifier.adapters.fakes import FakeObserver, FakeProber, Page
from services.verifier.handlers import Handlers
from services.verifier.look_worker import Looker
from services.verifier.tables import watched_stages, watches
from services.verifier.watch_worker import WatchWorker
from shared.db import Database, ServiceDatabase
from shared.db.tables import outbox
from shared.delivery import TYPES
from shared.events import (
    Event,
    Evidence,
    LocalPlace,
    Message,
    ProbeTarget,
    RunFailed,
    RunStarted,
    RunSucceeded,
)
from shared.ids import Pipeline, Stage
from shared.plan import Criteria, PathCheck
from tests.builders import START, named
from tests.integration.replicas import Replicas

GOOD, BAD, SLOW = Page(), Page(500), Page(after_seconds=6.0)
SILENT = Page(fault="refused")
SETTLE = 25  # turns of the loop in which everything that can go on does
TURNS_MAX = 2_000
EVIDENCE = Evidence(phase="deploy", kind="timeout", message="it did not finish")

Said = TypeVar("Said", bound=Event)


def url(service: str = "web") -> str:
    return f"http://127.0.0.1:9000/{service}"


def about(run: int, stage: str = "production") -> dict[str, Any]:
    return {
        "pipeline": Pipeline("shop"),
        "stage": Stage(stage),
        "run": named(f"run {run}"),
        "revision": run,
        "kind": "deploy",
    }


def target(service: str = "web", lives: str = "", **criteria: Any) -> ProbeTarget:
    asked: dict[str, Any] = {"paths": (PathCheck(path=f"/{service}"),), **criteria}
    place = LocalPlace(lives=lives, files="") if lives else None
    return ProbeTarget(
        service=service, base_url="http://127.0.0.1:9000", criteria=Criteria(**asked), place=place
    )


def began(run: int) -> RunStarted:
    return RunStarted(**about(run), deadline=START + timedelta(hours=1))


def succeeded(
    run: int, *targets: ProbeTarget, services: tuple[str, ...] | None = None, stage: str = "production"
) -> RunSucceeded:
    brought = targets or (target(),)
    return RunSucceeded(
        **about(run, stage),
        state="Succeeded",
        targets=brought,
        services=services if services is not None else tuple(each.service for each in brought),
        private_addresses=True,
    )


def failed(run: int) -> RunFailed:
    return RunFailed(**about(run), state="Failed", failed_in="step", evidence=EVIDENCE)


@dataclass
class Lookout:
    """Everything that watches touch, and what is said."""

    store: Replicas
    prober: FakeProber = field(default_factory=FakeProber)
    observer: FakeObserver = field(default_factory=FakeObserver)
    position: int = 0

    @property
    def clock(self) -> Any:
        return self.store.clock

    def worker(self, database: Database | None = None, slots: int = 16, prober: Any = None) -> WatchWorker:
        """Return whoever looks, in one process."""
        db = ServiceDatabase(database or self.store.database, "verifier")
        return WatchWorker(db, Looker(prober or self.prober, self.observer, self.clock), slots)

    @asynccontextmanager
    async def watching(self, *workers: WatchWorker) -> AsyncIterator[None]:
        """Look; leaving the block is a crash as far as memory is concerned."""
        tasks = [asyncio.ensure_future(each.run()) for each in workers or (self.worker(),)]
        try:
            yield
            assert not any(task.done() for task in tasks), "a loop ended by itself"
        finally:
            for task in tasks:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task

    async def hear(self, body: Event, position: int | None = None, late: float = 0.0) -> Message[Any]:
        """Have the verifier hear of something, in its place or late: without a place, and said long ago."""
        self.position += 1
        message = self.message(body, self.position if position is None else position, late)
        await self.deliver(message)
        return message

    async def deliver(self, message: Message[Any], database: Database | None = None) -> None:
        """Hand a message to its handler."""
        handlers = Handlers(ServiceDatabase(database or self.store.database, "verifier"))
        begins = isinstance(message.body, RunStarted)
        await (handlers.run_started if begins else handlers.run_ended)(message)

    def message(self, body: Event, position: int, late: float = 0.0) -> Message[Any]:
        return Message(
            id=named(f"{body!r} {position}"),
            time=self.clock.now() - timedelta(seconds=late),
            source="deployer",
            subject=body.subject,
            key=body.key,
            correlation="",
            causation=None,
            traceparent="",
            body=body,
            position=position,
        )

    async def settle(self) -> None:
        for _ in range(SETTLE):
            await asyncio.sleep(0)

    async def pass_time(self, seconds: float, step: float = 1.0) -> None:
        """Let time go by, and everything happen that is due meanwhile."""
        await self.settle()
        for _ in range(round(seconds / step)):
            self.clock.advance(step)
            await self.settle()

    async def until(self, holds: Callable[[], bool], step: float = 1.0) -> None:
        """Let time go by until it holds."""
        for _ in range(TURNS_MAX):
            await self.settle()
            if holds():
                return
            self.clock.advance(step)
        pytest.fail("it does not come about")

    def answers(self, page: Page, service: str = "web") -> None:
        """Set what a service does from now on."""
        self.prober.pages[url(service)] = page

    def said(self, kind: type[Said], **fields: Any) -> list[Said]:
        """Return the events of a type with these fields that were said so far."""
        rows = self.store.look(sa.select(outbox.c.type, outbox.c.body).order_by(outbox.c.position))
        events = [TYPES[row.type].model_validate_json(row.body) for row in rows]
        return [
            event
            for event in events
            if isinstance(event, kind) and all(getattr(event, k) == v for k, v in fields.items())
        ]

    def health(self, service: str = "web") -> str | None:
        """Return how a service is doing; None: nobody watches it."""
        rows = self.store.look(sa.select(watches.c.health).where(watches.c.service == service))
        return rows[0].health if rows else None

    def run_of(self, service: str = "web") -> UUID | None:
        rows = self.store.look(sa.select(watches.c.run).where(watches.c.service == service))
        return rows[0].run if rows else None

    def stage(self) -> Any:
        return self.store.look(sa.select(watched_stages))[0]

    def looks(self, service: str = "web") -> int:
        """Return how many looks were made at it."""
        return self.prober.asked.count(url(service))

    async def healthy(self, *services: str) -> None:
        """Have a run bring services, and let them be seen to be healthy."""
        names = services or ("web",)
        for name in names:
            self.answers(GOOD, name)
        await self.hear(succeeded(1, *(target(name) for name in names)))
        await self.until(lambda: all(self.health(name) == "healthy" for name in names))
