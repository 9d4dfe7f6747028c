"""Every operation on a run in every state: accepted, or refused with why and what would be possible."""

import re
from datetime import timedelta
from typing import Any, get_args

import pytest

from services.deployer import tables
from services.deployer.operations.answer import OPERATIONS
from services.deployer.operations.request import Done, Outcome, Request
from services.deployer.pipeline_moves import locked
from services.deployer.run_state import State
from services.deployer.store import Store
from shared.db import Cause, ServiceDatabase
from shared.events import OperationRequested, RunSucceeded, RunSuperseded, RunTimedOut, StepStarted
from shared.events.operations import OperationKind
from shared.ids import Pipeline, Stage
from tests.integration.deployer.arrangements import (
    A,
    Act,
    B,
    asking,
    begun,
    cancelling,
    failed,
    holds_b,
    letting_go,
    newer,
    one_stage,
)
from tests.integration.deployer.cells import before_the_window, behind_another
from tests.integration.deployer.stand import ROOT, Stand

S = State
KINDS: tuple[OperationKind, ...] = get_args(OperationKind)


def then(*acts: Act) -> Act:
    async def one_after_the_other(stand: Stand) -> None:
        for act in acts:
            await act(stand)

    return one_after_the_other


async def succeeded(stand: Stand) -> None:
    await stand.say(one_stage(1, A, B))
    await stand.until_said(RunSucceeded)


async def at_b(stand: Stand) -> None:
    await begun("deploy", B, prepare=holds_b)(stand)
    await stand.until_said(StepStarted, step="b")


async def timed_out(stand: Stand) -> None:
    await at_b(stand)
    stand.clock.advance(61)
    await stand.until_said(RunTimedOut)


async def superseded(stand: Stand) -> None:
    await behind_another(stand)
    await newer(stand)
    await stand.until_said(RunSuperseded)


ROLLED_BACK = then(begun("rollback", B, prepare=holds_b), letting_go("b"))
ROLLED_FORWARD = then(begun("roll_forward", B, prepare=holds_b), letting_go("b"))
BROUGHT: dict[State, tuple[Act, str]] = {
    S.NOT_STARTED: (before_the_window, "deploy"),
    S.IN_PROGRESS: (at_b, "deploy"),
    S.SUCCEEDED: (succeeded, "deploy"),
    S.FAILED: (failed, "deploy"),
    S.CANCELLING: (cancelling("deploy"), "deploy"),
    S.CANCELLED: (then(at_b, asking("cancel")), "deploy"),
    S.ROLLING_BACK: (begun("rollback", B, prepare=holds_b), "rollback"),
    S.ROLLED_BACK: (ROLLED_BACK, "rollback"),
    S.ROLLING_FORWARD: (begun("roll_forward", B, prepare=holds_b), "roll_forward"),
    S.ROLLED_FORWARD: (ROLLED_FORWARD, "roll_forward"),
    S.TIMED_OUT: (timed_out, "deploy"),
    S.SUPERSEDED: (superseded, "deploy"),
}
OFFERS = re.compile(r": |; |only what")  # behind it stands what would be possible
ALWAYS = {"stop", "override_window"}
ACCEPTED: dict[State, set[str]] = {
    S.NOT_STARTED: {"cancel", "roll_forward"},
    S.IN_PROGRESS: {"cancel"},
    S.SUCCEEDED: set(),
    S.FAILED: {"retry"},
    S.CANCELLING: {"cancel"},
    S.CANCELLED: {"retry"},
    S.ROLLING_BACK: {"release_hold"},
    S.ROLLED_BACK: {"release_hold"},
    S.ROLLING_FORWARD: {"cancel"},
    S.ROLLED_FORWARD: set(),
    S.TIMED_OUT: {"retry"},
    S.SUPERSEDED: set(),
}


class _TakenBack(Exception):  # noqa: N818 - named for what happened
    """Ends a transaction without anything of it being kept."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__()
        self.outcome = outcome


async def outcome(stand: Stand, kind: OperationKind, run: dict[str, Any]) -> Outcome:
    """Return what would be answered; nothing comes of it."""
    asked = OperationRequested(
        pipeline=Pipeline("shop"),
        stage=Stage(run["stage"]),
        operation=ROOT,
        kind=kind,
        actor="ada",
        reason="to see",
        run=run["run"] if kind in {"cancel", "retry", "approve", "reject"} else None,
        until=stand.clock.now() + timedelta(hours=1),
    )
    db = ServiceDatabase(stand.database, "deployer")
    try:
        async with db.transaction(Cause(ROOT), "asked") as tx:
            moves = await locked(Store(tx), "shop")
            raise _TakenBack(await OPERATIONS[kind](Request(asked, moves)))
    except _TakenBack as taken:
        return taken.outcome


def run_in(stand: Stand, state: State) -> dict[str, Any] | None:
    kind = BROUGHT[state][1]
    found = [row for row in stand.rows(tables.runs) if (row["state"], row["kind"]) == (state, kind)]
    return max(found, key=lambda row: row["revision"], default=None)


def test_every_state_is_in_the_table() -> None:
    assert set(BROUGHT) == set(ACCEPTED) == set(State)


@pytest.mark.parametrize("state", [pytest.param(each, id=each) for each in State])
async def test_each_operation_is_accepted_or_refused_with_why_and_what_would_be(
    stand: Stand, state: State
) -> None:
    async with stand.running():
        await BROUGHT[state][0](stand)
        await stand.until(lambda: run_in(stand, state) is not None)
        run = run_in(stand, state)
        assert run is not None
        found = {kind: await outcome(stand, kind, run) for kind in KINDS}
    refused = {kind: each.message for kind, each in found.items() if not isinstance(each, Done)}
    assert not [message for message in refused.values() if not OFFERS.search(message)]
    assert set(found) - set(refused) == ACCEPTED[state] | ALWAYS
