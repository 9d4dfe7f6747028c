"""Sees every event as it is committed and every act in the world as it begins, and what must hold then.

It keeps the story, line by line with virtual times, and a hash over it by which two playings compare.
"""

import sqlite3
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from services.deployer.step_order import StepOrder
from shared.db import Noted
from shared.delivery import TYPES, MessageDied
from shared.events import (
    AttemptClassified,
    Event,
    OperationAccepted,
    OperationRefused,
    OperationRequested,
    PushReceived,
    RevisionPlanned,
    RunEvent,
    RunFinished,
    RunQueued,
    RunStarted,
    RunSucceeded,
    RunWaiting,
    StepEvent,
)
from tests.simulation.effect import Act, stage_of
from tests.simulation.gatekeeper import Gatekeeper
from tests.simulation.tally import Tally

NEW = "SELECT position, source, time, type, body FROM outbox WHERE position > ? ORDER BY position"
RUN = "SELECT * FROM runs WHERE run = ?"
STEPS = "SELECT * FROM steps WHERE run = ? ORDER BY step"
TOLD = (
    "revision", "run", "kind", "step", "attempt", "state", "by_revision", "actor", "reason", "verdict",
    "retryable", "until", "message", "wait",
)  # fmt: skip
SAID_AGAIN_MAX = 4  # of one reason and one limit: approvals come one by one
STEPS_OVER = frozenset({"succeeded", "failed", "skipped", "kept", "cancelled", "timed_out"})


@dataclass
class Run:
    """What is known of a run from what was said of it."""

    stage: str
    revision: int
    kind: str
    over: str = ""


@dataclass
class Watch:
    """The one who looks on."""

    now: Callable[[], float]
    rows: sqlite3.Connection
    echo: Callable[[str], None] = lambda _line: None
    events: list[Event] = field(default_factory=list)
    runs: dict[UUID, Run] = field(default_factory=dict)
    pushes: dict[UUID, PushReceived] = field(default_factory=dict)
    wrongs: list[str] = field(default_factory=list)
    tally: Tally = field(default_factory=Tally)
    on_wrong: Callable[[], None] = lambda: None
    on_event: list[Callable[[Event], None]] = field(default_factory=list)
    _gatekeeper: Gatekeeper = field(default_factory=Gatekeeper)
    _moved: set[tuple[str, str]] = field(default_factory=set)  # repository and commit of each push
    _decided: set[tuple[UUID, str]] = field(default_factory=set)  # push and pipeline
    _position: int = 0
    _lines: list[str] = field(default_factory=list)
    _hash: Any = field(default_factory=sha256)
    _acts: dict[str, list[Act]] = field(default_factory=lambda: defaultdict(list))
    _holders: dict[str, UUID] = field(default_factory=dict)
    _steps_over: set[tuple[UUID, str, int]] = field(default_factory=set)
    _final_rows: dict[UUID, list[Any]] = field(default_factory=dict)
    _deployed: dict[str, int] = field(default_factory=dict)  # stage -> what its last good run brought
    _newest: dict[str, int] = field(default_factory=dict)  # stage -> the newest that a deploy run began
    _addresses: dict[str, Run] = field(default_factory=dict)
    _waits: dict[UUID, tuple[Any, int]] = field(default_factory=dict)  # what a run said last, how often

    @property
    def story(self) -> str:
        """Return all that happened."""
        return "\n".join(self._lines)

    @property
    def digest(self) -> str:
        """Return what two playings of one seed have in common, and no two others."""
        return str(self._hash.hexdigest())

    def tell(self, line: str) -> None:
        """Add to the story."""
        told = f"{self.now():12.3f}  {line}"
        self._lines.append(told)
        self._hash.update(told.encode())
        self.echo(told)

    def count(self, kind: str, what: object) -> None:
        """Note that something of a kind took place."""
        self.tally.counts[f"{kind}: {what}"] += 1

    def wrong(self, promise: str, what: str) -> None:
        """Note that a promise is broken; the trial ends with it."""
        self.tell(f"!! {promise}: {what}")
        self.wrongs.append(f"{promise}: {what}")
        self.on_wrong()

    def committed(self, noted: Noted) -> None:
        """Look at what was said by the commit that just took place."""
        if "outbox" not in noted:
            return
        for position, source, time, type_, body in self.rows.execute(NEW, (self._position,)).fetchall():
            self._position = position
            event = TYPES[type_].model_validate_json(body)
            self.events.append(event)
            self.tell(_line(source, event))
            self._judge_entry(event, datetime.fromisoformat(time).replace(tzinfo=UTC))
            self._judge(event)
            self.tally.hear(event)
            for hear in self.on_event:
                hear(event)
        self.tally.look(self.rows)

    def begins(self, order: StepOrder, act: Act) -> None:
        """See an attempt begin in the world (S1, S4)."""
        self.tell(f"world: {act.what} begins {act.stage} r{act.revision} {act.attempt[1]}/{act.attempt[2]}")
        self.acts(order, act.what, act.began)
        for other in self._acts[act.stage]:
            again = other.attempt[:2] == act.attempt[:2] and other.outcome == "done"
            if again and not other.goes_on(act.began):
                self.wrong("S4", f"{act.stage} {act.attempt[1]} was done and is begun again")
        self._acts[act.stage].append(act)

    def acts(self, order: StepOrder, what: str, now: float) -> None:
        """See that nobody else acts on the stage, and that the run is not over (S1)."""
        stage, run = stage_of(order), self.runs[order.run]
        if run.over:
            self.wrong("S1", f"{what} of {order.step.id} in {stage} for r{order.revision}, which {run.over}")
        for other in self._acts[stage]:
            if other.attempt[0] != order.run and other.goes_on(now):
                self.wrong("S1", f"{what} for r{order.revision} in {stage} while r{other.revision} acts")

    def switched(self, address: str, order: StepOrder) -> None:
        """See an address led to a release (S5)."""
        self.tell(f"world: {address} leads to r{order.revision}")
        before = self._addresses.get(address)
        back = before is not None and order.revision < before.revision
        if back and self.runs[order.run].kind != "rollback":
            self.wrong("S5", f"{address} went back to r{order.revision}")
        self._addresses[address] = self.runs[order.run]

    def _gone_back(self, stage: str) -> None:
        """Take what a rollback left where it was for gone back too: its plan may have other services."""
        for address, run in list(self._addresses.items()):
            if run.stage == stage:
                del self._addresses[address]

    def changed_since_final(self) -> list[str]:
        """Return the finished runs whose rows are not what they were (S2)."""
        return [f"S2: the rows of run {run} changed" for run, rows in self._final_rows.items()
                if self._rows_of(run) != rows]  # fmt: skip

    def unanswered(self) -> list[str]:
        """Return the operations that did not get exactly one answer."""
        answers: dict[UUID, int] = defaultdict(int)
        for event in self.events:
            if isinstance(event, OperationAccepted | OperationRefused):
                answers[event.operation] += 1
        asked = [event for event in self.events if isinstance(event, OperationRequested)]
        return [f"L2: {event.kind} has {answers[event.operation]} answers" for event in asked
                if answers[event.operation] != 1]  # fmt: skip

    def _judge_entry(self, event: Event, at: datetime) -> None:
        """See that every push counts once (S3), and that nothing begins where it must not."""
        if isinstance(event, PushReceived):
            moved = (event.repository, event.commit or "")
            if moved in self._moved or event.push in self.pushes:
                self.wrong("S3", f"{event.commit} was pushed once and is said twice")
            self._moved.add(moved)
            self.pushes[event.push] = event
        if isinstance(event, RevisionPlanned):
            decided = (event.push, event.pipeline)
            if decided in self._decided:
                self.wrong("S3", f"r{event.revision} of {event.pipeline} is said twice")
            self._decided.add(decided)
        if self._gatekeeper.is_flapping(event, at):
            self.count("alarm", "flaps")
        if why := self._gatekeeper.hear(event, at):
            self.wrong("admission", f"{event.key} begins a run though {why}")

    def _judge(self, event: Event) -> None:
        if isinstance(event, MessageDied):
            self.wrong("S6", f"{event.consumer_group} buried {event.message_type}: {event.reason[-900:]}")
        if isinstance(event, RunQueued):
            self.runs[event.run] = Run(event.key, event.revision, event.kind)
        if isinstance(event, RunEvent):
            self._judge_run(event, self.runs[event.run])
        if isinstance(event, StepEvent) and not isinstance(event, AttemptClassified):
            self._judge_step(event)  # the classifier's word may come when nobody waits for it any more

    def _judge_run(self, event: RunEvent, run: Run) -> None:
        if run.over:
            self.wrong("S2", f"{event.type} of r{event.revision} in {event.key}, which {run.over}")
        if isinstance(event, RunStarted):
            self._judge_start(event)
        if isinstance(event, RunWaiting):
            self._judge_wait(event)
        if isinstance(event, RunSucceeded):
            self._deployed[event.key] = event.revision
            if event.kind == "rollback":
                self._gone_back(event.key)
        if isinstance(event, RunFinished):
            run.over = event.state
            self._final_rows[event.run] = self._rows_of(event.run)
            if self._holders.get(event.key) == event.run:
                del self._holders[event.key]

    def _judge_start(self, event: RunStarted) -> None:
        holder = self._holders.get(event.key)
        if holder is not None:
            self.wrong(
                "S1", f"r{event.revision} has {event.key}'s lock, and so has r{self.runs[holder].revision}"
            )
        self._holders[event.key] = event.run
        if event.kind != "rollback" and event.revision < self._deployed.get(event.key, 0):
            self.wrong("S5", f"r{event.revision} begins in {event.key} after r{self._deployed[event.key]}")
        if event.kind == "deploy":
            if event.revision <= self._newest.get(event.key, 0):
                self.wrong("S5", f"r{event.revision} begins in {event.key} behind r{self._newest[event.key]}")
            self._newest[event.key] = event.revision

    def _judge_wait(self, event: RunWaiting) -> None:
        """See that a run does not say the same again and again: all of it is kept for ever."""
        said = (event.wait.reason, event.wait.deadline) if event.wait and event.wait.deadline else None
        last, times = self._waits.get(event.run, (None, 0))
        times = times + 1 if said and said == last else 1
        self._waits[event.run] = (said, times)
        if times > SAID_AGAIN_MAX:
            self.wrong(
                "L2", f"r{event.revision} in {event.key} says {times} times that it waits: {event.wait}"
            )

    def _judge_step(self, event: StepEvent) -> None:
        run = self.runs[event.run]
        if run.over:
            self.wrong("S2", f"{event.type} {event.step} in {event.key}, whose run {run.over}")
        this = (event.run, event.step, event.attempt)
        if this in self._steps_over:
            self.wrong("S2", f"{event.type} {event.step}/{event.attempt} in {event.key}, which is over")
        if event.type.split(".")[1:3] in [["step", word] for word in STEPS_OVER]:
            self._steps_over.add(this)

    def _rows_of(self, run: UUID) -> list[Any]:
        return [*self.rows.execute(RUN, (run.hex,)), *self.rows.execute(STEPS, (run.hex,))]


def _line(source: str, event: Event) -> str:
    said = [(name, getattr(event, name, None)) for name in TOLD]
    told = " ".join(f"{name}={_short(value)}" for name, value in said if value not in (None, "", False))
    return f"{source}: {event.type.removeprefix('windlass.').removesuffix('.v1')} {event.key} {told}"


def _short(value: Any) -> str:
    if isinstance(value, UUID):
        return value.hex[:6]
    if hasattr(value, "blocked_by"):
        return f"[{value.reason}: {value.blocked_by}; until {value.deadline}]"
    return str(value)
