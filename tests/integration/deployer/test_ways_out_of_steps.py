"""Every state of a step that is not over ends in bounded time, whatever does not answer (L2)."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from services.deployer import tables
from services.deployer.step_order import StepAnswer, StepOrder
from services.deployer.step_state import StepState
from services.deployer.ways_out import STEPS
from shared.events import ProposedChanges
from shared.faults import TryAgain
from shared.plan import StepPlan
from tests.integration.deployer.arrangements import (
    GATE,
    TRIED,
    B,
    begun,
    breaks_b,
    breaks_b_unjudged,
    holds_b,
)
from tests.integration.deployer.stand import SERVICE, Stand, step

P = StepState
WEB = step("web", SERVICE, "a")
CHANGES = ProposedChanges(summary="1 to add", destructive=False, changes=("add a",), digest="d")
PROPOSES = B.model_copy(update={"params": {**B.params, "requires_approval": "NEVER"}})


async def _out_of_reach(order: StepOrder) -> StepAnswer:
    raise TryAgain(f"{order.step.id} is out of reach")


def holds_a(stand: Stand) -> None:
    stand.carrier.hold("a")


def applies_long(stand: Stand) -> None:
    stand.carrier.proposals["b"] = CHANGES
    stand.carrier.hold("b apply")


def nobody_verifies(stand: Stand) -> None:
    stand.silent_verifier = True


def cannot_switch(stand: Stand) -> None:
    stand.carrier.switch = _out_of_reach  # type: ignore[method-assign]


def cannot_discard(stand: Stand) -> None:
    stand.bad_releases = {1}
    stand.carrier.discard = _out_of_reach  # type: ignore[method-assign]


def nothing_special(_stand: Stand) -> None:
    """Prepare nothing."""


WAYS: dict[StepState, tuple[StepPlan, Callable[[Stand], None]]] = {
    P.PENDING: (B, holds_a),
    P.WAITING: (GATE, nothing_special),
    P.RUNNING: (B, holds_b),
    P.APPLYING: (PROPOSES, applies_long),
    P.VERIFYING: (WEB, nobody_verifies),
    P.SWITCHING: (WEB, cannot_switch),
    P.DOUBTFUL: (TRIED, breaks_b_unjudged),
    P.BACKING_OFF: (TRIED, breaks_b),
    P.DISCARDING: (WEB, cannot_discard),
}
BY_GIVING_UP = {P.SWITCHING, P.DISCARDING}  # of its order, after so many attempts


def row_of(stand: Stand, step_: StepPlan) -> dict[str, Any] | None:
    return next((row for row in stand.rows(tables.steps) if row["step"] == step_.id), None)


def is_in(stand: Stand, step_: StepPlan, state: StepState) -> bool:
    row = row_of(stand, step_)
    return row is not None and row["state"] == state


def test_there_is_a_way_into_each_state_that_has_a_row() -> None:
    assert set(WAYS) == set(STEPS)


@pytest.mark.parametrize("state", [pytest.param(each, id=each) for each in WAYS])
async def test_a_step_does_not_stay_where_it_is(stand: Stand, state: StepState) -> None:
    there, prepare = WAYS[state]
    async with stand.running():
        await begun("deploy", there, prepare=prepare)(stand)
        await stand.until(lambda: is_in(stand, there, state))
        if state not in BY_GIVING_UP:
            stand.clock.advance(seconds_left(stand, there, state) + 1)
            await stand.until(lambda: not is_in(stand, there, state))
            return
        async with asyncio.timeout(50):
            while is_in(stand, there, state):
                stand.clock.advance(5)
                await asyncio.sleep(0)


def seconds_left(stand: Stand, there: StepPlan, state: StepState) -> float:
    """Return for how long it may stay: by its own limit, or its run's while it has not begun."""
    row = row_of(stand, there)
    assert row is not None
    of_run = stand.rows(tables.runs)[0]["deadline_at"]
    deadline = of_run if state is P.PENDING else row["deadline_at"]
    left: float = (deadline - stand.clock.now()).total_seconds()
    return left
