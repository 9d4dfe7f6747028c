"""The states of a run and the only moves between them.

A run is one revision in one stage, once. It holds the stage's lock exactly while its state is in
`HOLDS_LOCK`: the lock is this column under a partial unique index, not a thing to release. A final
state has no row out of it (S2). What a run waits for is data beside the state, never another state.
"""

from enum import StrEnum


class State(StrEnum):
    """The seed's eleven states, in its words, and Superseded."""

    NOT_STARTED = "Not Started"  # exists; waits for its turn
    IN_PROGRESS = "In Progress"  # holds the lock and works
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"  # a build, a step or a verification said no
    CANCELLING = "Cancelling"  # holds the lock while its work is being stopped
    CANCELLED = "Cancelled"
    ROLLING_BACK = "Rolling Back"  # holds the lock and restores an earlier revision
    ROLLED_BACK = "Rolled Back"
    ROLLING_FORWARD = "Rolling Forward"  # holds the lock, past the queue, on purpose
    ROLLED_FORWARD = "Rolled Forward"
    TIMED_OUT = "Timed Out"
    SUPERSEDED = "Superseded"  # a newer revision took its place before it started


class Trigger(StrEnum):
    """What can happen to a run."""

    LOCK_GRANTED = "lock granted"
    ROLLBACK_GRANTED = "rollback granted"
    ROLL_FORWARD_GRANTED = "roll-forward granted"
    NEWER_QUEUED = "newer queued"
    CANCEL_ASKED = "cancel asked"
    WORK_PASSED = "work passed"
    WORK_FAILED = "work failed"
    WORK_STOPPED = "work stopped"
    DEADLINE_PASSED = "deadline passed"


class IllegalTransition(Exception):  # noqa: N818 - named for what happened
    """A bug: something was decided for a state that does not allow it."""


S, T = State, Trigger
# fmt: off
TRANSITIONS: dict[State, dict[Trigger, State]] = {
    S.NOT_STARTED:     {T.LOCK_GRANTED:         S.IN_PROGRESS,
                        T.ROLLBACK_GRANTED:     S.ROLLING_BACK,
                        T.ROLL_FORWARD_GRANTED: S.ROLLING_FORWARD,
                        T.NEWER_QUEUED:         S.SUPERSEDED,
                        T.DEADLINE_PASSED:      S.TIMED_OUT,
                        T.CANCEL_ASKED:         S.CANCELLED},
    S.IN_PROGRESS:     {T.WORK_PASSED:          S.SUCCEEDED,
                        T.WORK_FAILED:          S.FAILED,
                        T.DEADLINE_PASSED:      S.TIMED_OUT,
                        T.CANCEL_ASKED:         S.CANCELLING},
    S.CANCELLING:      {T.WORK_STOPPED:         S.CANCELLED},
    S.ROLLING_BACK:    {T.WORK_PASSED:          S.ROLLED_BACK,
                        T.WORK_FAILED:          S.FAILED,
                        T.DEADLINE_PASSED:      S.TIMED_OUT},
    S.ROLLING_FORWARD: {T.WORK_PASSED:          S.ROLLED_FORWARD,
                        T.WORK_FAILED:          S.FAILED,
                        T.DEADLINE_PASSED:      S.TIMED_OUT,
                        T.CANCEL_ASKED:         S.CANCELLING},
    S.SUCCEEDED: {}, S.FAILED: {}, S.TIMED_OUT: {}, S.CANCELLED: {},
    S.ROLLED_BACK: {}, S.ROLLED_FORWARD: {}, S.SUPERSEDED: {},
}
# fmt: on
IGNORED: dict[State, frozenset[Trigger]] = {
    S.CANCELLING: frozenset({T.CANCEL_ASKED, T.WORK_FAILED, T.DEADLINE_PASSED}),
    S.SUPERSEDED: frozenset({T.NEWER_QUEUED, T.CANCEL_ASKED}),
}
HOLDS_LOCK = frozenset({S.IN_PROGRESS, S.CANCELLING, S.ROLLING_BACK, S.ROLLING_FORWARD})
UNSTARTED = frozenset({S.NOT_STARTED})  # holds nothing yet
WORKS = HOLDS_LOCK - {S.CANCELLING}  # goes on with its course
FORWARD = frozenset({S.IN_PROGRESS, S.ROLLING_FORWARD})  # brings something new: may be rolled back
MAY_BE_UNDONE = FORWARD | {S.CANCELLING}
TERMINAL = frozenset(state for state, row in TRANSITIONS.items() if not row)
RETRIED = frozenset({S.FAILED, S.TIMED_OUT, S.CANCELLED})  # ended badly: a person may try again
GAVE_WAY = frozenset({S.SUPERSEDED})  # ended unbegun for something newer
OVERDUE = frozenset({S.TIMED_OUT})  # its time was over, or that of the deployment
LIVE = frozenset({S.SUCCEEDED, S.ROLLED_BACK, S.ROLLED_FORWARD})  # ended with its revision in place
RESTORES = frozenset({S.ROLLING_BACK})  # brings back what was live before
RESTORED = frozenset({S.ROLLED_BACK})  # so, and with steps left out


def advance(state: State, trigger: Trigger) -> State:
    """Return the next state; the same one where the trigger is ignored.

    Raises `IllegalTransition` for a pair that is in neither table.
    """
    moved = TRANSITIONS[state].get(trigger)
    if moved is not None:
        return moved
    if trigger in IGNORED.get(state, frozenset()):
        return state
    raise IllegalTransition(f"a run that is {state} cannot take '{trigger}'")
