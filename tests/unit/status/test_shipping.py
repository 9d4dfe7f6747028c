"""Which deployment shipped a revision, also one that another took the place of."""

from collections.abc import Sequence
from uuid import UUID

import pytest

from services.status.shipping import Shipment, missing, shipments
from services.status.views import Live, RunView, StageView
from shared.events import Wait
from tests.builders import START, named
from tests.unit.status.test_run_view import revision_of

ENDED = frozenset({"Succeeded", "Rolled Back", "Rolled Forward", "Failed", "Timed Out", "Cancelled"})
WAIT = Wait(reason="window", blocked_by="it is night", released_by="the morning", since=START)


def run(
    revision: int, state: str, *, by: int | None = None, place: int = 0, wait: Wait | None = None
) -> RunView:
    return RunView(
        run=named(f"{revision} {place}"),
        pipeline="shop",
        stage="staging",
        revision=revision,
        kind="deploy",
        commit="c",
        plan_hash="",
        state=state,
        final=state in ENDED | {"Superseded"},
        place=place,
        queued_at=START,
        wait=wait,
        superseded_by_run=named(f"{by} 0") if by else None,
        superseded_by_revision=by,
    )


def live(revision: int | None) -> list[StageView]:
    there = (
        Live(revision=revision, run=named(f"{revision} 0"), commit="c", urls={}, since=START)
        if revision
        else None
    )
    return [StageView(pipeline="shop", stage="staging", live=there)]


def shipment(runs: Sequence[RunView], live_revision: int | None = None) -> Shipment:
    known: dict[UUID, RunView] = {each.run: each for each in runs}
    (shown,) = shipments(revision_of("staging"), known, live(live_revision))
    return shown


@pytest.mark.parametrize(
    ("runs", "live_revision", "outcome", "by", "in_place"),
    [
        pytest.param([], None, "not_begun", None, False, id="nothing of it came"),
        pytest.param([run(1, "In Progress")], None, "under_way", 1, False, id="runs"),
        pytest.param([run(1, "Not Started", wait=WAIT)], None, "under_way", 1, False, id="waits"),
        pytest.param([run(1, "Succeeded")], 1, "shipped", 1, True, id="its own run"),
        pytest.param([run(1, "Succeeded")], 4, "shipped", 1, True, id="and newer ones since"),
        pytest.param(
            [run(1, "Succeeded", place=1), run(1, "Rolled Back", place=2)],
            1,
            "shipped",
            1,
            True,
            id="the first",
        ),
        pytest.param(
            [run(1, "Failed", place=1), run(1, "Succeeded", place=2)], 1, "shipped", 1, True, id="a retry"
        ),
        pytest.param([run(1, "Failed")], None, "ended", 1, False, id="failed"),
        pytest.param(
            [run(1, "Failed")], 3, "shipped_by_newer", 3, True, id="failed, but a newer one is live"
        ),
        pytest.param(
            [run(1, "Superseded", by=2), run(2, "Succeeded")], 2, "shipped_by_newer", 2, True, id="superseded"
        ),
        pytest.param(
            [run(1, "Superseded", by=2), run(2, "Superseded", by=5), run(5, "Rolled Forward")],
            5,
            "shipped_by_newer",
            5,
            True,
            id="superseded by a superseded one",
        ),
        pytest.param(
            [run(1, "Superseded", by=2), run(2, "Not Started", wait=WAIT)],
            None,
            "under_way",
            2,
            False,
            id="its successor waits",
        ),
        pytest.param(
            [run(1, "Superseded", by=2), run(2, "Failed")], None, "ended", 2, False, id="its successor failed"
        ),
        pytest.param(
            [run(1, "Superseded", by=2), run(2, "Failed")],
            4,
            "shipped_by_newer",
            4,
            True,
            id="its successor failed, the one after is live",
        ),
        pytest.param(
            [run(1, "Superseded", by=2)], None, "ended", 1, False, id="its successor was never heard of"
        ),
        pytest.param(
            [run(1, "Superseded", by=2), run(2, "Superseded", by=1)], None, "ended", 2, False, id="a circle"
        ),
    ],
)
def test_a_revision_says_what_brought_it(
    runs: list[RunView], live_revision: int | None, outcome: str, by: int | None, in_place: bool
) -> None:
    shown = shipment(runs, live_revision)
    assert (shown.outcome, shown.by_revision, shown.in_place) == (outcome, by, in_place)
    assert shown.text.endswith((".", "Failed", "Superseded"))


def test_what_was_rolled_back_from_is_shipped_and_not_in_place() -> None:
    known = {each.run: each for each in [run(1, "Succeeded")]}
    older = Live(revision=0, run=named("0"), commit="c", urls={}, since=START)
    stage = StageView(pipeline="shop", stage="staging", live=older)
    (shown,) = shipments(revision_of("staging"), known, [stage])
    assert (shown.outcome, shown.in_place) == ("shipped", False)


def test_what_it_waits_for_is_said_in_the_words_of_the_wait() -> None:
    shown = shipment([run(1, "Superseded", by=2), run(2, "Not Started", wait=WAIT)])
    assert shown.wait == WAIT
    assert shown.text == (
        "Revision 2, which took its place, waits for the deployment window: it is night; "
        "released by the morning."
    )


def test_only_the_runs_that_tell_more_are_asked_for() -> None:
    known = [run(1, "Superseded", by=2), run(2, "Superseded", by=5)]
    assert missing(revision_of("staging"), {each.run: each for each in known}) == {5}
    known.append(run(5, "Succeeded"))
    assert missing(revision_of("staging"), {each.run: each for each in known}) == set()
