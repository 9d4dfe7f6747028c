"""The states of a step inside a run and the only moves between them.

A step that brings up a candidate (a local service, a static site) goes Running → Verifying →
Switching; whatever ends it before it is switched takes the candidate away first (Discarding), so
that a finished run leaves nothing behind it running. A gate is Waiting and nothing else; a test that
failed, or changes that somebody must see first, bring a running step there.
"""

from enum import StrEnum

from services.deployer.run_state import IllegalTransition


class StepState(StrEnum):
    """Where a step stands."""

    PENDING = "Pending"
    WAITING = "Waiting"  # a person or a time lets it go on
    RUNNING = "Running"  # its worker works
    APPLYING = "Applying"  # its worker makes the changes that it proposed
    VERIFYING = "Verifying"  # its candidate is up and being probed
    SWITCHING = "Switching"  # its candidate is given the stable address
    DOUBTFUL = "Doubtful"  # an attempt failed; whether the failure may pass is being found out
    BACKING_OFF = "Backing Off"  # it may pass: the next attempt begins in a while
    DISCARDING = "Discarding"  # its candidate is taken away; the row says how the step will end
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    TIMED_OUT = "Timed Out"
    CANCELLED = "Cancelled"
    SKIPPED = "Skipped"


class StepTrigger(StrEnum):
    """What can happen to a step."""

    STARTED = "started"
    GATE_REACHED = "gate reached"
    APPLY_ORDERED = "apply ordered"
    SKIPPED = "skipped"
    KEPT = "kept"
    CANDIDATE_UP = "candidate up"
    VERIFIED = "verified"
    DISCARD_ORDERED = "discard ordered"
    DONE = "done"
    ATTEMPT_BROKE = "attempt broke"
    TRANSIENT = "transient"
    BROKE = "broke"
    STOPPED = "stopped"
    LIMIT_PASSED = "limit passed"


S, T = StepState, StepTrigger
# fmt: off
TRANSITIONS: dict[StepState, dict[StepTrigger, StepState]] = {
    S.PENDING:    {T.STARTED:         S.RUNNING,
                   T.GATE_REACHED:    S.WAITING,
                   T.SKIPPED:         S.SKIPPED,
                   T.KEPT:            S.SUCCEEDED},
    S.WAITING:    {T.DONE:            S.SUCCEEDED,
                   T.APPLY_ORDERED:   S.APPLYING,
                   T.BROKE:           S.FAILED,
                   T.STOPPED:         S.CANCELLED,
                   T.LIMIT_PASSED:    S.TIMED_OUT},
    S.DOUBTFUL:   {T.TRANSIENT:       S.BACKING_OFF,
                   T.GATE_REACHED:    S.WAITING,
                   T.BROKE:           S.FAILED,
                   T.STOPPED:         S.CANCELLED},
    S.BACKING_OFF: {T.STARTED:        S.RUNNING,
                   T.STOPPED:         S.CANCELLED},
    S.RUNNING:    {T.DONE:            S.SUCCEEDED,
                   T.ATTEMPT_BROKE:   S.DOUBTFUL,
                   T.CANDIDATE_UP:    S.VERIFYING,
                   T.GATE_REACHED:    S.WAITING,
                   T.APPLY_ORDERED:   S.APPLYING,
                   T.BROKE:           S.FAILED,
                   T.STOPPED:         S.CANCELLED,
                   T.LIMIT_PASSED:    S.TIMED_OUT},
    S.APPLYING:   {T.DONE:            S.SUCCEEDED,
                   T.BROKE:           S.FAILED,
                   T.STOPPED:         S.CANCELLED,
                   T.LIMIT_PASSED:    S.TIMED_OUT},
    S.VERIFYING:  {T.VERIFIED:        S.SWITCHING,
                   T.DISCARD_ORDERED: S.DISCARDING},
    S.SWITCHING:  {T.DONE:            S.SUCCEEDED,
                   T.DISCARD_ORDERED: S.DISCARDING},
    S.DISCARDING: {T.ATTEMPT_BROKE:   S.DOUBTFUL,
                   T.BROKE:           S.FAILED,
                   T.STOPPED:         S.CANCELLED,
                   T.LIMIT_PASSED:    S.TIMED_OUT},
    S.SUCCEEDED: {}, S.FAILED: {}, S.TIMED_OUT: {}, S.CANCELLED: {}, S.SKIPPED: {},
}
# fmt: on
ENDED = frozenset(state for state, row in TRANSITIONS.items() if not row)
PASSED = frozenset({S.SUCCEEDED, S.SKIPPED})  # whoever goes after it may start
NOT_PASSED = ENDED - PASSED
PROBED = frozenset({S.VERIFYING})  # a verdict on its candidate still counts
WAITS = frozenset({S.WAITING})  # nobody works on it, and the run's time stands still
DOUBTED = frozenset({S.DOUBTFUL})  # the classifier's word is waited for
UNTOUCHED = frozenset({S.PENDING, S.SKIPPED})  # nothing of it was ever done
KEPT = frozenset({S.SUCCEEDED})  # a retry need not do it again
IDLE = frozenset({S.DOUBTFUL, S.BACKING_OFF})  # between two attempts: nobody works on it
ACTIVE = WAITS | IDLE | {S.RUNNING, S.APPLYING, S.VERIFYING, S.SWITCHING, S.DISCARDING}


def advance(state: StepState, trigger: StepTrigger) -> StepState:
    """Return the next state; raises `IllegalTransition` where the table has none."""
    moved = TRANSITIONS[state].get(trigger)
    if moved is None:
        raise IllegalTransition(f"a step that is {state} cannot take '{trigger}'")
    return moved
