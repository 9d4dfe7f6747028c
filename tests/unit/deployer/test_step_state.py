"""The whole product of a step's states and triggers."""

from itertools import product

import pytest

from services.deployer.run_state import IllegalTransition
from services.deployer.step_state import (
    ACTIVE,
    ENDED,
    IDLE,
    NOT_PASSED,
    PASSED,
    TRANSITIONS,
    StepState,
    StepTrigger,
    advance,
)

EVERY_PAIR = [pytest.param(s, t, id=f"{s}, {t}") for s, t in product(StepState, StepTrigger)]
WITH_CANDIDATE = {StepState.VERIFYING, StepState.SWITCHING}


def outcome(state: StepState, trigger: StepTrigger) -> StepState | None:
    """Return where the pair leads, None where it is illegal."""
    try:
        return advance(state, trigger)
    except IllegalTransition:
        return None


AGAIN = (StepState.BACKING_OFF, StepTrigger.STARTED)  # a new attempt: the one way back


def reachable(start: StepState, never: frozenset[StepTrigger] = frozenset()) -> set[StepState]:
    """Return where a step can come to within one attempt, if some things never happen to it."""
    found, todo = {start}, [start]
    while todo:
        state = todo.pop()
        triggers = [trigger for trigger in StepTrigger if (state, trigger) != AGAIN and trigger not in never]
        new = {led for trigger in triggers if (led := outcome(state, trigger)) is not None} - found
        found |= new
        todo.extend(new)
    return found


@pytest.mark.parametrize(("state", "trigger"), EVERY_PAIR)
def test_every_pair_moves_on_or_is_illegal(state: StepState, trigger: StepTrigger) -> None:
    led = outcome(state, trigger)
    assert (led is None) == (trigger not in TRANSITIONS[state])
    assert led != state
    if led is not None and (state, trigger) != AGAIN:
        assert state not in reachable(led), "no step comes back to where it was"


@pytest.mark.parametrize("state", [pytest.param(each, id=each) for each in sorted(WITH_CANDIDATE)])
def test_a_candidate_ends_live_or_is_taken_away_first(state: StepState) -> None:
    assert not NOT_PASSED & {outcome(state, trigger) for trigger in StepTrigger}
    nobody_asked = frozenset({StepTrigger.GATE_REACHED})  # only tests and proposals are put to a person
    after = reachable(StepState.DISCARDING, never=nobody_asked)
    assert after == {StepState.DISCARDING, *IDLE, *NOT_PASSED}


@pytest.mark.parametrize("state", [pytest.param(each, id=each) for each in StepState])
def test_every_step_can_end_and_an_ended_one_stays(state: StepState) -> None:
    assert reachable(state) & ENDED
    assert (reachable(state) == {state}) == (state in ENDED)


def test_only_a_step_that_never_ran_is_skipped() -> None:
    skipping = {state for state in StepState if outcome(state, StepTrigger.SKIPPED) is not None}
    assert skipping == {StepState.PENDING}


def test_every_state_is_pending_or_active_or_ended_and_can_come_about() -> None:
    assert sorted([StepState.PENDING, *ACTIVE, *PASSED, *NOT_PASSED]) == sorted(StepState)
    assert PASSED | NOT_PASSED == ENDED
    assert reachable(StepState.PENDING) == set(StepState)


def test_every_trigger_moves_some_state() -> None:
    assert {trigger for row in TRANSITIONS.values() for trigger in row} == set(StepTrigger)
