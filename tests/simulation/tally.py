"""What took place in a trial, counted: a fault never drawn, or a state never reached, proves nothing."""

import sqlite3
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, get_args
from uuid import UUID

from services.deployer.operations.answer import OPERATIONS
from services.deployer.run_state import State
from services.deployer.step_state import StepState
from shared.events import (
    BuildBackingOff,
    DefinitionAnswered,
    DefinitionHeld,
    Event,
    GateAnswered,
    OperationAccepted,
    OperationRefused,
    OperationRequested,
    RunCancelling,
    RunEvent,
    RunFinished,
    RunQueued,
    RunRollingBack,
    RunRollingForward,
    RunStarted,
    RunTimedOut,
    RunWaiting,
    StepWaiting,
    VerificationProbed,
)
from shared.events.runs import RunKind
from shared.events.waits import WaitReason

STEP_STATES = "SELECT DISTINCT state FROM steps"
LINES = (
    "SELECT 1 FROM runs WHERE in_line AND ready AND state = 'Not Started' "
    "GROUP BY stage_key HAVING count(*) > 1"
)
FIRST_LEASES = "SELECT count(*) FROM work WHERE fence > 1"
BEGINS = {
    RunQueued: State.NOT_STARTED,
    RunStarted: State.IN_PROGRESS,
    RunRollingBack: State.ROLLING_BACK,
    RunRollingForward: State.ROLLING_FORWARD,
    RunCancelling: State.CANCELLING,
}
LIMITS = {"the deployment": "of a deployment", "the stage": "of a stage"}
NAMED: dict[type[Any], Callable[[Any], str]] = {
    StepWaiting: lambda event: f"gate: {event.step_type} opens",
    GateAnswered: lambda event: f"gate: {event.verdict}, {event.approvals} of {event.needed}",
    DefinitionHeld: lambda _: "definition: held",
    DefinitionAnswered: lambda event: f"definition: {event.verdict}",
    VerificationProbed: lambda event: "soak: told of" if event.soaks_until else "",
    BuildBackingOff: lambda _: "build: attempted again",
}


@dataclass
class Tally:
    """What of each kind took place, and how often."""

    counts: Counter[str] = field(default_factory=Counter)
    _asked: dict[UUID, OperationRequested] = field(default_factory=dict)

    def hear(self, event: Event) -> None:
        """Count what was said."""
        if isinstance(event, RunEvent):
            self._hear_run(event)
        if isinstance(event, OperationRequested):
            self._asked[event.operation] = event
        if isinstance(event, OperationAccepted | OperationRefused):
            self._hear_answer(event)
        for kind, called in NAMED.items():
            if isinstance(event, kind) and (name := called(event)):
                self.counts[name] += 1

    def look(self, rows: sqlite3.Connection) -> None:
        """Count the states that steps are in."""
        for (state,) in rows.execute(STEP_STATES):
            self.counts[f"step: {state}"] += 1
        if rows.execute(LINES).fetchone():
            self.counts["in line: two or more"] += 1

    def end(self, rows: sqlite3.Connection) -> None:
        """Count what can be seen at the end only."""
        (lost,) = rows.execute(FIRST_LEASES).fetchone()
        self.counts["fault: lease lost"] += lost

    def _hear_run(self, event: RunEvent) -> None:
        state = event.state if isinstance(event, RunFinished) else BEGINS.get(type(event))
        if state:
            self.counts[f"run: {state}"] += 1
        if isinstance(event, RunQueued):
            self.counts[f"run kind: {event.kind}"] += 1
        if isinstance(event, RunWaiting | RunQueued) and event.wait:
            self.counts[f"wait: {event.wait.reason}"] += 1
        if isinstance(event, RunTimedOut):
            whose = [
                name for words, name in LIMITS.items() if (event.evidence.message or "").startswith(words)
            ]
            self.counts[f"limit: {whose[0] if whose else 'of a step'}"] += 1
        if isinstance(event, RunCancelling) and event.actor.startswith("alarm "):
            self.counts["alarm: undoes a run"] += 1

    def _hear_answer(self, answer: OperationAccepted | OperationRefused) -> None:
        said = "accepted" if isinstance(answer, OperationAccepted) else "refused"
        self.counts[f"operation: {answer.kind} {said}"] += 1
        asked = self._asked.get(answer.operation)
        if asked and said == "accepted":
            special = {"from failed step": asked.from_failed_step, "dry run": asked.dry_run,
                       "whole pipeline": asked.stage == "*"}  # fmt: skip
            for name in (name for name, is_so in special.items() if is_so):
                self.counts[f"operation: {answer.kind} {name}"] += 1


FAULTS = (
    "clock jump", "crash after a commit", "crash before a commit", "crash between two steps", "delayed",
    "duplicated", "frozen worker", "lease lost", "power cut", "repeated behind others",
    "slow worker",
)  # fmt: skip
FORGE = (
    "accepted", "forged", "known already", "malformed", "not answered", "ping", "told again",
    "told something else under one id", "told under another id",
)  # fmt: skip
SPECIAL = (
    "retry from failed step", "rollback dry run", "stop whole pipeline", "resume whole pipeline",
)  # fmt: skip
SELDOM = frozenset({"stop refused"})  # nothing but a stage that there is not is no longer refused a stop
NOT_HERE = frozenset({StepState.APPLYING})  # no step that proposes changes has an adapter yet
NEVER_WAITED_FOR = frozenset({"hold"})  # a run whose revision is on hold is never made

# What has to occur in the seeds of a test run, and how often at least: well below how often it does.
REQUIRED = {
    **{f"fault: {name}": 3 for name in FAULTS},
    "fault: late result refused": 1,
    **{f"forge: {name}": 3 for name in FORGE},
    **{f"alarm: {name}": 3 for name in ("firing", "clear", "unknown", "flaps", "undoes a run")},
    **{f"run: {state}": 5 for state in State},
    **{f"run kind: {kind}": 5 for kind in get_args(RunKind)},
    **{f"step: {state}": 3 for state in StepState if state not in NOT_HERE},
    **{f"wait: {reason}": 5 for reason in get_args(WaitReason) if reason not in NEVER_WAITED_FOR},
    **{f"gate: APPROVAL:{kind} opens": 5 for kind in ("MANUAL", "BAKE", "TEST")},
    **{f"gate: approved, {count} of 2": 2 for count in (1, 2)},
    **{f"limit: of a {what}": 3 for what in ("step", "stage", "deployment")},
    **{f"operation: {kind} accepted": 3 for kind in OPERATIONS},
    **{f"operation: {kind} refused": 3 for kind in OPERATIONS if f"{kind} refused" not in SELDOM},
    **{f"operation: {name}": 2 for name in SPECIAL},
    **{f"definition: {name}": 2 for name in ("held", "approved", "rejected")},
    "in line: two or more": 3,
    "soak: told of": 5,
    "build: attempted again": 5,
}


def missing(counts: Counter[str]) -> list[str]:
    """Return what occurred too seldom."""
    return [f"{name}: {counts[name]} of {least}" for name, least in REQUIRED.items() if counts[name] < least]
