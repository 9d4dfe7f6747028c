"""Whatever is not over has a row that says what it waits for and how that ends (L2)."""

from itertools import product
from typing import get_args

import pytest

from services.deployer import run_state, step_state
from services.deployer.run_state import HOLDS_LOCK, TERMINAL, UNSTARTED, State, Trigger
from services.deployer.stage_moves import GRANTS
from services.deployer.step_state import ENDED, StepState
from services.deployer.ways_out import AT_WORK, STEPS, WAITS, WHERE, Bound, WayOut, way_out
from shared.events.runs import RunKind
from shared.events.waits import WaitReason
from tests.unit.deployer.sources import reasons_said

REASONS: tuple[WaitReason, ...] = get_args(WaitReason)
KINDS: tuple[RunKind, ...] = get_args(RunKind)
EVERY_ROW: list[WayOut] = [*WAITS.values(), *AT_WORK.values(), *STEPS.values()]


def reachable(kind: RunKind) -> set[State]:
    """Return the states that a run of that kind may come to."""
    others = {*GRANTS.values(), Trigger.LOCK_GRANTED} - {GRANTS.get(kind, Trigger.LOCK_GRANTED)}
    found, todo = {State.NOT_STARTED}, [State.NOT_STARTED]
    while todo:
        row = run_state.TRANSITIONS[todo.pop()]
        new = {led for trigger, led in row.items() if trigger not in others} - found
        found |= new
        todo.extend(new)
    return found


OPEN = [
    pytest.param(state, kind, id=f"{kind} {state}")
    for kind in KINDS
    for state in sorted(reachable(kind) - TERMINAL)
]


@pytest.mark.parametrize(("state", "kind"), OPEN)
def test_whatever_state_a_run_can_be_in_has_a_way_out(state: State, kind: RunKind) -> None:
    if state in HOLDS_LOCK:
        assert way_out(state, None, kind) is not None
    elif kind != "roll_forward":  # it starts at once or is refused, and never waits to begin
        assert any(way_out(state, reason, kind) for reason in REASONS)


def test_no_run_waits_where_it_cannot_be() -> None:
    waiting = {(s, k) for s, r, k in product(State, (None, *REASONS), KINDS) if way_out(s, r, k)}
    assert not [(state, kind) for state, kind in waiting if state not in reachable(kind) - TERMINAL]


def test_a_run_that_has_not_begun_always_says_what_it_waits_for() -> None:
    assert not [state for state in UNSTARTED | TERMINAL for kind in KINDS if way_out(state, None, kind)]


def test_there_is_a_row_for_each_reason_each_state_and_each_state_of_a_step() -> None:
    assert set(WAITS) == set(WHERE) == set(REASONS)
    assert set(AT_WORK) == HOLDS_LOCK
    assert set(STEPS) == set(StepState) - ENDED


def test_every_reason_is_said_somewhere_except_the_one_that_no_run_waits_for() -> None:
    assert reasons_said() == {reason for reason, where in WHERE.items() if where}
    assert [reason for reason, where in WHERE.items() if not where] == ["hold"]


@pytest.mark.parametrize("row", EVERY_ROW, ids=lambda row: row.waits_for)
def test_every_row_says_it_all(row: WayOut) -> None:
    assert all([row.waits_for, row.ended_by, row.at_the_latest, row.bounds])
    assert (Bound.PERSON in row.bounds) == ("a person" in row.at_the_latest)


@pytest.mark.parametrize("state", sorted(STEPS))
def test_every_step_that_is_not_over_can_still_end(state: StepState) -> None:
    assert step_state.TRANSITIONS[state]
