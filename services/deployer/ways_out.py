"""What each thing that is not over waits for, and the way out of it (L2): the promise as a table.

Nothing is decided from it. The sentences that people read are made in `waits`, `admission` and `gate`, each
with the names that belong to it; this says what must be in them, and `docs/state-machines.md` prints it. A
test brings the deployer into every cell, reads what is said there, and takes the way out. Whoever adds a
state, a reason or a kind of run adds a row, or a test fails that names it.

A run waits where `WAITS` says so, in the states and for the kinds it says; where it holds the lock and waits
for nothing it is at work (`AT_WORK`). Its steps have a table of their own (`STEPS`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from services.deployer.run_state import State
from services.deployer.step_state import StepState
from shared.events.runs import RunKind
from shared.events.waits import WaitReason


class Bound(StrEnum):
    """What sees to it that nothing waits for ever."""

    TIME = "a time"  # a limit with a name; the wait says when
    PERSON = "a person"  # the wait names who, or what they do
    RUN = "another run"  # which is in this table itself, and has a way out


@dataclass(frozen=True, slots=True)
class WayOut:
    """What ends a state, and what ends it at the latest."""

    waits_for: str
    ended_by: str  # the usual way
    at_the_latest: str  # the limit, the person or the run that it comes down to
    bounds: frozenset[Bound]  # one of them, in each case: a person, where the wait tells no time


S, P = State, StepState
TIME, PERSON, RUN = Bound.TIME, Bound.PERSON, Bound.RUN
_DEPLOYS: frozenset[RunKind] = frozenset({"deploy", "retry"})
_RESTORES: frozenset[RunKind] = frozenset({"rollback"})
_FORWARD: frozenset[RunKind] = frozenset({"roll_forward"})
_QUEUED = {S.NOT_STARTED: _DEPLOYS}
_AT_STEPS = {S.IN_PROGRESS: _DEPLOYS, S.ROLLING_BACK: _RESTORES, S.ROLLING_FORWARD: _FORWARD}

WAITS: Mapping[WaitReason, WayOut] = {
    "previous_stage": WayOut(
        waits_for="its revision to come through the stage before",
        ended_by="that run's success; a newer revision that takes its place; if that run ended badly, "
        "somebody who retries it there, or has it rolled forward there",
        at_the_latest="the limit of that run, or of the whole deployment; a person, if that run ended badly",
        bounds=frozenset({TIME, PERSON, RUN}),
    ),
    "lock": WayOut(
        waits_for="the run that holds the stage",
        ended_by="the end of that run; a newer revision that takes its place",
        at_the_latest="the limit of that run; where it stands at a gate, the gate's and then its own; in a "
        "line, one run after the other",
        bounds=frozenset({TIME, RUN}),
    ),
    "window": WayOut(
        waits_for="the stage's deployment window",
        ended_by="its opening; somebody who overrides it; a newer revision that takes its place",
        at_the_latest="the next opening; a person, where it never opens again",
        bounds=frozenset({TIME, PERSON}),
    ),
    "blocker": WayOut(
        waits_for="what blocks the stage to be over",
        ended_by="the alarm's clearing and being quiet for a minute; somebody who lifts the blocker",
        at_the_latest="the end of the quiet minute, once it cleared; a person until then",
        bounds=frozenset({TIME, PERSON}),
    ),
    "stopped": WayOut(
        waits_for="the stage or the pipeline, which somebody stopped",
        ended_by="somebody who resumes it",
        at_the_latest="a person",
        bounds=frozenset({PERSON}),
    ),
    "hold": WayOut(
        waits_for="nothing: a revision on hold has no run here that could wait, and a newer one goes past it",
        ended_by="somebody who releases it and then rolls forward to it, or a newer push",
        at_the_latest="a person",
        bounds=frozenset({PERSON}),
    ),
    "build": WayOut(
        waits_for="its artifacts",
        ended_by="the builder's answer",
        at_the_latest="the run's limit",
        bounds=frozenset({TIME}),
    ),
    "approval": WayOut(
        waits_for="people who approve a step, its proposed changes, its failed test, or the pipeline file's "
        "change",
        ended_by="as many approvals as it needs, or one rejection",
        at_the_latest="the gate's expiry; a person, where it is the pipeline file's change",
        bounds=frozenset({TIME, PERSON}),
    ),
    "bake": WayOut(
        waits_for="the end of its time under watch",
        ended_by="that end, or somebody who ends it early",
        at_the_latest="that end",
        bounds=frozenset({TIME}),
    ),
    "retry_backoff": WayOut(
        waits_for="the classifier's word, then the next attempt",
        ended_by="that word; the end of the backoff",
        at_the_latest="a minute for the word; the longest backoff of the step's plan",
        bounds=frozenset({TIME}),
    ),
}
WHERE: Mapping[WaitReason, Mapping[State, frozenset[RunKind]]] = {
    "previous_stage": _QUEUED,
    "lock": {S.NOT_STARTED: _DEPLOYS | _RESTORES},
    "window": _QUEUED,
    "blocker": _QUEUED,
    "stopped": _QUEUED,
    "hold": {},
    "build": {S.IN_PROGRESS: _DEPLOYS, S.ROLLING_FORWARD: _FORWARD},
    "approval": {S.NOT_STARTED: frozenset({"deploy", "retry"}), **_AT_STEPS},
    "bake": _AT_STEPS,
    "retry_backoff": _AT_STEPS,
}
WHERE_AT_WORK: Mapping[State, frozenset[RunKind]] = {**_AT_STEPS, S.CANCELLING: _DEPLOYS | _FORWARD}
AT_WORK: Mapping[State, WayOut] = {
    S.IN_PROGRESS: WayOut(
        waits_for="its steps, and the verifier after the last of them",
        ended_by="the last step and verification, or the first that fails; cancel; an alarm",
        at_the_latest="the run's limit, which stands still at gates, or that of the whole deployment",
        bounds=frozenset({TIME}),
    ),
    S.CANCELLING: WayOut(
        waits_for="its steps' workers to stop, and its candidates to be taken away",
        ended_by="the last of them",
        at_the_latest="the grace period of its processes, and the attempts of the orders that take away",
        bounds=frozenset({TIME}),
    ),
    S.ROLLING_BACK: WayOut(
        waits_for="its steps, and the verifier after the last of them",
        ended_by="the last step and verification, or the first that fails",
        at_the_latest="the run's limit, which stands still at gates",
        bounds=frozenset({TIME}),
    ),
    S.ROLLING_FORWARD: WayOut(
        waits_for="its steps, and the verifier after the last of them",
        ended_by="the last step and verification, or the first that fails; cancel; an alarm",
        at_the_latest="the run's limit, which stands still at gates, or that of the whole deployment",
        bounds=frozenset({TIME}),
    ),
}
STEPS: Mapping[StepState, WayOut] = {
    P.PENDING: WayOut(
        waits_for="the steps that it goes after, and the artifacts",
        ended_by="the last of them; it is skipped where one of them does not pass",
        at_the_latest="the run's limit",
        bounds=frozenset({TIME}),
    ),
    P.WAITING: WayOut(
        waits_for="people, or the end of a bake",
        ended_by="their answer; the end of the bake; the run's end",
        at_the_latest="the gate's own time",
        bounds=frozenset({TIME}),
    ),
    P.RUNNING: WayOut(
        waits_for="its worker's answer",
        ended_by="that answer",
        at_the_latest="the step's limit and then its grace period",
        bounds=frozenset({TIME}),
    ),
    P.APPLYING: WayOut(
        waits_for="its worker's answer",
        ended_by="that answer",
        at_the_latest="the step's limit and then its grace period",
        bounds=frozenset({TIME}),
    ),
    P.VERIFYING: WayOut(
        waits_for="the verifier's verdict on its candidate",
        ended_by="the verdict; the run's end",
        at_the_latest="the step's limit: the candidate is then taken away",
        bounds=frozenset({TIME}),
    ),
    P.SWITCHING: WayOut(
        waits_for="its worker to give the candidate the stable address",
        ended_by="that answer",
        at_the_latest="the attempts of the order: it is then given up, and the candidate is taken away",
        bounds=frozenset({TIME}),
    ),
    P.DOUBTFUL: WayOut(
        waits_for="the classifier's word whether the failure may pass",
        ended_by="that word; the run's end",
        at_the_latest="a minute: the failure then counts as final",
        bounds=frozenset({TIME}),
    ),
    P.BACKING_OFF: WayOut(
        waits_for="the time of the next attempt",
        ended_by="that time; the run's end",
        at_the_latest="the longest backoff of the step's plan",
        bounds=frozenset({TIME}),
    ),
    P.DISCARDING: WayOut(
        waits_for="its worker to take the candidate away",
        ended_by="that answer",
        at_the_latest="the attempts of the order: it then counts as done, for it never had the address",
        bounds=frozenset({TIME}),
    ),
}


def way_out(state: State, reason: WaitReason | None, kind: RunKind) -> WayOut | None:
    """Return the way out of a cell; None: a run of that kind is never found there."""
    if reason is None:
        return AT_WORK[state] if kind in WHERE_AT_WORK.get(state, ()) else None
    return WAITS[reason] if kind in WHERE[reason].get(state, ()) else None
