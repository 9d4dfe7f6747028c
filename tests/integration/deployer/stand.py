"""A stand for the deployer: the real handlers, bus, work and database; builder and verifier played."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import UUID, uuid5

import sqlalchemy as sa

from services.deployer import tables as _tables  # noqa: F401 - registers the tables
from services.deployer.adapters.fakes import FakeCarrier
from services.deployer.app import subscription, workers_by_kind
from services.deployer.handlers import Deployer
from shared.bus import Subscription
from shared.bus.embedded import EmbeddedBus
from shared.db import Cause, ServiceDatabase, Transaction
from shared.events import (
    EVENT_TYPES,
    ArtifactBuilt,
    ArtifactFailed,
    AttemptClassified,
    AttemptFailed,
    BuildRequested,
    Event,
    Evidence,
    Message,
    OperationAccepted,
    OperationRefused,
    OperationRequested,
    RevisionPlanned,
    RunWaiting,
    VerificationFailed,
    VerificationPassed,
    VerificationRequested,
    Wait,
)
from shared.ids import BuildKey, Commit, Digest, Pipeline, Repository, Stage, Step
from shared.plan import ArtifactPlan, Plan, StagePlan, StepPlan
from shared.step_types import STEP_TYPES
from shared.timers import Ticker
from shared.window import Window
from shared.work import Workers
from tests.integration.replicas import Replicas

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
ROOT = UUID(int=7)


def step(id_: str, type_: str = "SCRIPT:EXECUTE", *after: str, **changes: Any) -> StepPlan:
    params: dict[str, Any] = {"commands": ["true"]}
    if STEP_TYPES[type_].verified:
        params = {"artifact": "web", "command": ["serve"]}
    defaults: dict[str, Any] = {"timeout_seconds": 60.0}
    return StepPlan(
        id=Step(id_),
        name=id_,
        type=type_,
        params=params,
        goes_after=tuple(Step(each) for each in after),
        **{**defaults, **changes},
    )


Heard = TypeVar("Heard")  # a message, or several
SERVICE = "LOCAL:SERVICE:DEPLOY"
DEFAULT_STEPS = (step("migrate"), step("web", SERVICE, "migrate"))


def plan(
    revision: int,
    *,
    steps: tuple[StepPlan, ...] = DEFAULT_STEPS,
    stages: tuple[str, ...] = ("staging", "production"),
    window: Window | None = None,
    alarm: str = "",
) -> Plan:
    artifact = ArtifactPlan(
        id="web", name="Web", build_key=BuildKey(f"key-{revision}"), commands=("make",), path="dist"
    )
    return Plan(
        pipeline=Pipeline("shop"),
        repository=Repository("acme/shop"),
        remote="/srv/shop",
        branch="main",
        commit=Commit(f"{revision:040x}"),
        artifacts=(artifact,),
        stages=tuple(
            StagePlan(name=Stage(name), target="local", steps=steps, window=window, alarm=alarm)
            for name in stages
        ),
    )


def planned(revision: int, of: Plan | None = None) -> RevisionPlanned:
    fixed = of or plan(revision)
    return RevisionPlanned(
        push=uuid5(ROOT, f"push {revision}"),
        pipeline=fixed.pipeline,
        repository=fixed.repository,
        branch=fixed.branch,
        commit=fixed.commit,
        revision=revision,
        plan_hash=fixed.content_hash(),
        plan=fixed,
        title=f"Change {revision}",
        author="Ada",
        trigger="push",
        pusher="ada",
        received_at=EPOCH,
    )


@dataclass
class Stand:
    """Everything the deployer touches, and the story it told."""

    store: Replicas
    carrier: FakeCarrier = field(default_factory=FakeCarrier)
    failing_builds: set[int] = field(default_factory=set)
    bad_releases: set[int] = field(default_factory=set)  # revisions whose candidates fail verification
    bad_stages: set[int] = field(default_factory=set)  # revisions that fail on the stable address
    silent_builder: bool = False
    silent_verifier: bool = False
    silent_classifier: bool = False
    transient: bool = False  # the classifier takes every failure for one that may pass
    heard_twice: bool = False  # the bus delivers every message of the deployer twice
    on_event: Callable[[Transaction, Event], None] = lambda _tx, _event: None  # as the story is written
    story: list[Event] = field(default_factory=list)
    _said: int = 0

    def __post_init__(self) -> None:
        self.clock = self.store.clock
        self.database = self.store.database
        self._heard = asyncio.Event()
        self.database.on_commit(lambda _noted: self._heard.set())

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run the deployer; leaving the block is a crash as far as memory is concerned."""
        db = ServiceDatabase(self.database, "deployer")
        workers = Workers(db, "stand", slots=8)
        deployer = Deployer(db, lambda at: ticker.due(at))  # noqa: PLW0108 - the ticker comes after
        ticker = Ticker(self.clock, deployer.resume)
        carriers = dict.fromkeys(STEP_TYPES, self.carrier)
        real = subscription(deployer)
        handlers = {kind: self._noticing(handler) for kind, handler in real.handlers.items()}
        together = {kind: self._noticing(handler) for kind, handler in real.together.items()}
        hears = Subscription(db, handlers, together=together)
        bus = EmbeddedBus(self.database, [hears, *self._players()])
        tasks = [
            asyncio.create_task(bus.run()),
            asyncio.create_task(workers.run(workers_by_kind(deployer, workers, carriers))),
            asyncio.create_task(ticker.run()),
        ]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def say(self, *events: Event) -> None:
        """Publish events as the other services would."""
        db = ServiceDatabase(self.database, "test")
        for event in events:
            self._said += 1
            async with db.transaction(Cause(uuid5(ROOT, f"said {self._said}")), "test") as tx:
                tx.emit(event)

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until the story, or the rows, satisfy `holds`."""
        async with asyncio.timeout(50):  # ends a test that hangs
            while not holds():
                self._heard.clear()
                await self._heard.wait()

    async def until_said(self, kind: type[Event], /, **fields: Any) -> Any:
        """Wait for an event of this type with these fields, and return it."""
        await self.until(lambda: bool(self.said(kind, **fields)))
        return self.said(kind, **fields)[0]

    async def until_waits(self, reason: str, /, **fields: Any) -> Wait:
        """Wait until a run says that it waits for this, and return what it says."""

        def found() -> list[Wait]:
            waits = [event.wait for event in self.said(RunWaiting, **fields)]
            return [wait for wait in waits if wait and wait.reason == reason]

        await self.until(lambda: bool(found()))
        return found()[0]

    def said(self, kind: type[Event], /, **fields: Any) -> list[Any]:
        return [
            event
            for event in self.story
            if isinstance(event, kind) and all(getattr(event, k) == v for k, v in fields.items())
        ]

    def rows(self, table: sa.Table) -> list[dict[str, Any]]:
        """Return what the table holds."""
        return [dict(row._mapping) for row in self.store.look(sa.select(table))]

    async def cancel(self, stage: str) -> None:
        await self.ask("cancel", stage, reason="wrong branch")

    async def ask(self, kind: str, stage: str, **fields: Any) -> UUID:
        """Ask for an operation, as the API does; returns its id."""
        operation = uuid5(ROOT, f"{kind} {stage} {self._said}")
        asked = {"kind": kind, "actor": "ada", "reason": "", **fields}
        await self.say(
            OperationRequested(pipeline=Pipeline("shop"), stage=Stage(stage), operation=operation, **asked)
        )
        return operation

    async def answer(self, kind: str, stage: str, **fields: Any) -> OperationAccepted | OperationRefused:
        """Ask, and wait for the answer."""
        operation = await self.ask(kind, stage, **fields)

        def answers() -> list[Any]:
            both = (OperationAccepted, OperationRefused)
            return [answer for each in both for answer in self.said(each, operation=operation)]

        await self.until(lambda: bool(answers()))
        answered: OperationAccepted | OperationRefused = answers()[0]
        return answered

    def _noticing(self, handler: Callable[[Heard], Awaitable[None]]) -> Callable[[Heard], Awaitable[None]]:
        async def noticed(heard: Heard) -> None:
            for _ in range(2 if self.heard_twice else 1):
                await handler(heard)
            self._heard.set()

        return noticed

    def _players(self) -> list[Subscription]:
        scribe = Subscription(
            ServiceDatabase(self.database, "scribe"), dict.fromkeys(EVENT_TYPES.values(), self._write_down)
        )
        builder = Subscription(ServiceDatabase(self.database, "builder"), {BuildRequested: self._build})
        verifier = Subscription(
            ServiceDatabase(self.database, "verifier"), {VerificationRequested: self._verify}
        )
        classifier = Subscription(
            ServiceDatabase(self.database, "classifier"), {AttemptFailed: self._classify}
        )
        return [scribe, builder, verifier, classifier]

    async def _classify(self, message: Message[AttemptFailed]) -> None:
        attempt = message.body
        async with ServiceDatabase(self.database, "classifier").hearing(message) as tx:
            if not tx.seen_before and not self.silent_classifier:
                said = attempt.model_dump(include={"pipeline", "stage", "run", "revision", "step", "attempt"})
                tx.emit(AttemptClassified(**said, code="ANY", retryable=self.transient, rule="any"))

    async def _write_down(self, message: Message[Event]) -> None:
        async with ServiceDatabase(self.database, "scribe").hearing(message) as tx:
            if not tx.seen_before:
                self.on_event(tx, message.body)
                self.story.append(message.body)
        self._heard.set()

    async def _build(self, message: Message[BuildRequested]) -> None:
        asked = message.body
        async with ServiceDatabase(self.database, "builder").hearing(message) as tx:
            if tx.seen_before or self.silent_builder:
                return
            said = asked.model_dump(include={"build_key", "request", "pipeline", "revision", "artifact"})
            if asked.revision in self.failing_builds:
                evidence = Evidence(phase="build", kind="process", message="make exited 2", exit_code=2)
                tx.emit(ArtifactFailed(**said, evidence=evidence, log="build/1"))
                return
            tx.emit(
                ArtifactBuilt(
                    **said,
                    digest=Digest(f"sha256:{asked.revision:064x}"),
                    size_bytes=1,
                    reused=False,
                    built_by=asked.revision,
                    duration_seconds=0.1,
                )
            )

    async def _verify(self, message: Message[VerificationRequested]) -> None:
        asked = message.body
        async with ServiceDatabase(self.database, "verifier").hearing(message) as tx:
            if tx.seen_before or self.silent_verifier:
                return
            said = asked.model_dump(include={"pipeline", "stage", "verification", "run", "revision", "step"})
            bad = self.bad_releases if asked.step else self.bad_stages
            if asked.revision in bad:
                evidence = Evidence(phase="verify", kind="probe", message="GET / gave 500")
                tx.emit(VerificationFailed(**said, evidence=evidence))
            else:
                tx.emit(VerificationPassed(**said, probes=()))
