"""The real deployer, made to do what happens in the model: its handlers, its store, SQLite in memory.

Everything runs inline, so a handler is over when it has been asked to go on once. A state is kept as the
bytes of the database, and gone back to at will.
"""

import zlib
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid5

import sqlalchemy as sa
from sqlalchemy.pool import StaticPool

from services.deployer import tables
from services.deployer.handlers import Deployer
from services.deployer.run_moves import order_id
from services.deployer.run_state import HOLDS_LOCK, LIVE, RETRIED, TERMINAL, UNSTARTED, State
from services.deployer.stage_queue import Mode
from services.deployer.step_order import Broke, Done, StepAnswer, Stopped
from services.deployer.step_orders import StepOrders
from services.deployer.step_worker import StepWorker
from shared.clock import Clock, ManualClock
from shared.db import Noted, ServiceDatabase, metadata
from shared.db.sqlite import InlineConnection
from shared.events import Event, Evidence, Message, OperationRequested
from shared.ids import Pipeline, stage_key
from shared.ids import Stage as StageName
from shared.plan import Plan
from shared.work import Claim, Order, Workers
from tests.integration.deployer.stand import EPOCH, ROOT, plan, planned, step
from tests.model.happenings import OPERATIONS, Happening
from tests.model.world import Ended, Modes, Own, Stage, Urgent, World

NAMES = ("staging", "production")
BROKEN = {"fails": "deploy", "is unfit": "rollout"}
STEP = step("a")


class InMemory:
    """A database with one connection: whoever begins goes on to the end before anybody else."""

    def __init__(self) -> None:
        self.clock: Clock
        self.clock = self.time = ManualClock(EPOCH)
        self._engine = sa.create_engine(
            "sqlite://", poolclass=StaticPool, connect_args={"isolation_level": None}
        )
        sa.event.listen(self._engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
        metadata.create_all(self._engine)

    @asynccontextmanager
    async def begin(self, *, reserved: bool = False) -> AsyncIterator[tuple[InlineConnection, set[str]]]:
        with self._engine.begin():
            yield InlineConnection(self._driver), set()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[InlineConnection]:
        with self._engine.begin():
            yield InlineConnection(self._driver)

    def on_commit(self, listener: Callable[[Noted], None]) -> None:
        """Tell nobody: what follows is what the model says."""

    async def close(self) -> None:
        self._engine.dispose()

    def rows(self, table: sa.Table) -> list[Any]:
        with self._engine.begin() as connection:
            return list(connection.execute(sa.select(table)).all())

    @property
    def picture(self) -> bytes:
        """Return all that is in it."""
        return zlib.compress(self._driver.serialize(), 1)

    def restore(self, picture: bytes) -> None:
        """Let nothing be in it but that."""
        self._driver.deserialize(zlib.decompress(picture))

    @property
    def _driver(self) -> Any:
        with self._engine.connect() as connection:
            return connection.connection.dbapi_connection


@dataclass(frozen=True)
class Claiming:
    """Takes every order as it is placed, so that a worker has it whose answer the model gives."""

    def take(self, order: UUID, kind: str, share: str) -> Mapping[str, Any]:
        return {"state": "claimed", "fence": 1, "worker": "one", "lease_until": EPOCH}

    def taken(self, order: UUID, row: Mapping[str, Any] | None) -> None:
        """Nothing is in hand: an order's row is all there is of it."""


class Deployed:
    """A deployer to which things happen one at a time."""

    def __init__(self, revisions: int) -> None:
        self.database = InMemory()
        self._revisions = revisions
        self._happened = 0
        db = ServiceDatabase(self.database, "deployer")
        self._deployer = Deployer(db, lambda _at: None)
        self._worker = StepWorker(self._deployer, Workers(db, "one", slots=1), {}, "run", StepOrders(db))
        db.takers[:] = [Claiming()]

    def happen(self, happening: Happening) -> None:
        """Have it do what happens in the model."""
        self.database.time.advance(1)
        self._happened += 1
        match happening.what:
            case "plan":
                fixed = _in_modes(plan(happening.subject, steps=(STEP,)), happening.modes)
                at_once(self._deployer.revision_planned(self._said(planned(happening.subject, fixed))))
            case what if what in {*OPERATIONS, "resume"}:
                at_once(self._deployer.operation_requested(self._said(self._asked(happening))))
            case how:
                at_once(self._answer(happening.subject, how))

    @property
    def world(self) -> World:
        """Return what the model would call this."""
        return World((self._stage(0), self._stage(1)))

    def _stage(self, s: int) -> Stage:
        key = stage_key("shop", NAMES[s])
        runs = [run for run in self.database.rows(tables.runs) if run.stage_key == key]
        runs.sort(key=lambda run: run.created_at)
        own: dict[int, Own] = {
            run.revision: Own(run.kind, State(run.state), run.ready)
            for run in runs
            if run.kind in {"deploy", "retry"}
        }
        urgent = [run for run in runs if run.kind not in {"deploy", "retry"} and run.state not in TERMINAL]
        ended = [run for run in runs if run.finished_at and State(run.state) in ENDED]
        ended.sort(key=lambda run: (run.finished_at, run.created_at), reverse=True)
        lasts = {run.revision: run.state for run in reversed(ended)}
        last = [Ended(run.kind, run.revision, State(run.state)) for run in ended]
        begun = [Ended(run.kind, run.revision, State(run.state)) for run in ended if run.started_at]
        rows = [stage for stage in self.database.rows(tables.stages) if stage.key == key]
        queue: Mode = rows[0].queue if rows else "newest"
        waiting = [
            run for run in runs if run.ready and run.state in UNSTARTED and run.kind in {"deploy", "retry"}
        ]
        assert all(run.in_line == (queue == "fifo") for run in waiting), "in line are those of a line"
        return Stage(
            own=tuple(own.get(revision) for revision in range(1, self._revisions + 1)),
            urgent=Urgent(urgent[0].kind, urgent[0].revision, State(urgent[0].state)) if urgent else None,
            newest=(rows[0].newest_revision if rows else 0) or 0,
            queue=queue,
            stopped=key in [stop.key for stop in self.database.rows(tables.stops)],
            held=frozenset(
                hold.revision for hold in self.database.rows(tables.holds) if hold.stage_key == key
            ),
            bad=frozenset(revision for revision, state in lasts.items() if State(state) in RETRIED),
            good=tuple(dict.fromkeys(run.revision for run in ended if State(run.state) in LIVE)),
            last=last[0] if last else None,
            begun=begun[0] if begun else None,
        )

    def _asked(self, happening: Happening) -> OperationRequested:
        return OperationRequested(
            pipeline=Pipeline("shop"),
            stage=StageName(NAMES[happening.subject]),
            operation=uuid5(ROOT, f"operation {self._happened}"),
            kind=happening.what,
            actor="ada",
            reason="",
        )

    async def _answer(self, s: int, how: str) -> None:
        """Write what the worker of the lock's holder found."""
        key = stage_key("shop", NAMES[s])
        (run,) = [
            run for run in self.database.rows(tables.runs) if run.stage_key == key and run.state in HOLDS_LOCK
        ]
        order = Order(
            order_id(run.run, STEP.id, 1, "run"),
            "step.run",
            "shop",
            {"run": str(run.run), "step": STEP.id, "attempt": 1},
        )
        claim = Claim(order, fence=1, attempts=0)
        told, _ = await self._worker.orders.of(claim)
        await self._worker._write(claim, told, _answer_of(how))

    def _said(self, event: Event) -> Message[Any]:
        return Message(
            id=uuid5(ROOT, f"happened {self._happened}"),
            time=EPOCH,
            source="model",
            subject=event.subject,
            key=event.key,
            correlation=event.correlation,
            causation=None,
            traceparent="",
            body=event,
            position=self._happened,
        )


def _in_modes(plan: Plan, modes: Modes) -> Plan:
    """Return the plan with these modes of its two stages, and nothing to build."""
    stages = [
        stage.model_copy(update={"queue": mode}) for stage, mode in zip(plan.stages, modes, strict=True)
    ]
    return plan.model_copy(update={"artifacts": (), "stages": tuple(stages)})


ENDED = TERMINAL - {State.SUPERSEDED}


def _answer_of(how: str) -> StepAnswer:
    match how:
        case "passes":
            return Done()
        case "stops":
            return Stopped()
    return Broke(Evidence.model_validate({"phase": BROKEN[how], "kind": "error", "message": how}))


def at_once(happening: Coroutine[Any, Any, None]) -> None:
    """Run to the end what waits for nothing."""
    try:
        happening.send(None)
    except StopIteration:
        return
    happening.close()
    raise AssertionError("it waits for something, and nothing here would wake it")
