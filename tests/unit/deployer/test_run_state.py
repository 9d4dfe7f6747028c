"""The whole product of a run's states and triggers."""

from itertools import product

import pytest

from services.deployer.run_state import (
    FORWARD,
    HOLDS_LOCK,
    IGNORED,
    LIVE,
    TERMINAL,
    TRANSITIONS,
    UNSTARTED,
    WORKS,
    IllegalTransition,
    State,
    Trigger,
    advance,
)

SEED = {
    "Not Started", "In Progress", "Succeeded", "Failed", "Cancelling", "Cancelled", "Rolling Back",
    "Rolled Back", "Rolling Forward", "Rolled Forward", "Timed Out",
}  # fmt: skip
EVERY_PAIR = [pytest.param(s, t, id=f"{s}, {t}") for s, t in product(State, Trigger)]
GRANTS = {Trigger.LOCK_GRANTED, Trigger.ROLLBACK_GRANTED, Trigger.ROLL_FORWARD_GRANTED}


def outcome(state: State, trigger: Trigger) -> State | None:
    """Return where the pair leads, None where it is illegal."""
    try:
        return advance(state, trigger)
    except IllegalTransition:
        return None


def reachable(start: State) -> set[State]:
    found, todo = {start}, [start]
    while todo:
        state = todo.pop()
        new = {led for trigger in Trigger if (led := outcome(state, trigger)) is not None} - found
        found |= new
        todo.extend(new)
    return found


def test_the_states_are_the_seeds_eleven_words_and_superseded() -> None:
    assert {state.value for state in State} == SEED | {"Superseded"}


@pytest.mark.parametrize(("state", "trigger"), EVERY_PAIR)
def test_every_pair_moves_is_ignored_or_is_illegal(state: State, trigger: Trigger) -> None:
    moves, ignored = trigger in TRANSITIONS[state], trigger in IGNORED.get(state, frozenset())
    assert not (moves and ignored)
    led = outcome(state, trigger)
    assert (led is None) == (not moves and not ignored)
    assert (led == state) == ignored


@pytest.mark.parametrize("state", [pytest.param(each, id=each) for each in State])
def test_a_final_state_is_never_left_and_every_other_can_end(state: State) -> None:
    assert (reachable(state) == {state}) == (state in TERMINAL)
    assert reachable(state) & TERMINAL


@pytest.mark.parametrize("state", [pytest.param(each, id=each) for each in sorted(HOLDS_LOCK)])
def test_the_lock_is_granted_once_and_kept_to_the_end(state: State) -> None:
    assert reachable(state) <= HOLDS_LOCK | TERMINAL
    granted_by = {
        (before, trigger)
        for before, trigger in product(set(State) - HOLDS_LOCK, Trigger)
        if outcome(before, trigger) == state
    }
    assert granted_by <= set(product(UNSTARTED, GRANTS))


def test_every_trigger_moves_some_state() -> None:
    assert {trigger for row in TRANSITIONS.values() for trigger in row} == set(Trigger)


def test_every_state_is_unstarted_or_locking_or_final_and_can_come_about() -> None:
    assert sorted([*UNSTARTED, *HOLDS_LOCK, *TERMINAL]) == sorted(State)
    assert reachable(State.NOT_STARTED) == set(State)


def test_the_sets_lie_inside_one_another() -> None:
    assert LIVE < TERMINAL
    assert FORWARD < WORKS < HOLDS_LOCK
    assert IGNORED.keys() <= TRANSITIONS.keys()


@pytest.mark.parametrize(
    ("state", "trigger", "led"),
    [
        pytest.param("In Progress", "cancel asked", "Cancelling", id="a running run is first wound up"),
        pytest.param("Not Started", "cancel asked", "Cancelled", id="a waiting one ends at once"),
        pytest.param("Rolling Back", "cancel asked", None, id="a rollback is not cancelled"),
        pytest.param("In Progress", "newer queued", None, id="a running one is never pre-empted"),
        pytest.param("Cancelling", "work passed", None, id="a cancelled one does not succeed"),
        pytest.param("Cancelling", "work failed", "Cancelling", id="nor does it fail"),
        pytest.param("Not Started", "work passed", None, id="nothing passes that never began"),
        pytest.param("Rolling Back", "work passed", "Rolled Back", id="a rollback has its own end"),
        pytest.param("Rolling Forward", "work passed", "Rolled Forward", id="so has a roll-forward"),
        pytest.param("Rolling Back", "work failed", "Failed", id="a rollback can fail"),
        pytest.param("In Progress", "deadline passed", "Timed Out", id="a limit ends a run"),
        pytest.param("Succeeded", "cancel asked", None, id="what succeeded is not cancelled"),
    ],
)
def test_what_people_rely_on(state: str, trigger: str, led: str | None) -> None:
    assert outcome(State(state), Trigger(trigger)) == led
