"""What a stage shows at each moment of its story."""

import pytest

from services.status.explanation import why
from services.status.views import StageView
from shared.events import Wait
from tests.builders import START
from tests.unit.status.told import Told


def live_one() -> Told:
    return Told().declared().queued(1).started(1).succeeded(1)


@pytest.mark.parametrize(
    ("told", "status", "running", "waiting", "live"),
    [
        pytest.param(Told().declared(), "pending", None, [], None, id="declared"),
        pytest.param(Told().declared().queued(1), "pending", None, [1], None, id="queued"),
        pytest.param(Told().queued(1).started(1), "deploying", 1, [], None, id="started"),
        pytest.param(live_one(), "running", None, [], 1, id="succeeded"),
        pytest.param(live_one().queued(2), "running", None, [2], 1, id="next one queued"),
        pytest.param(live_one().queued(2).started(2), "deploying", 2, [], 1, id="next one started"),
        pytest.param(live_one().queued(2).started(2).queued(3), "deploying", 2, [3], 1, id="one behind"),
        pytest.param(
            live_one().queued(2).started(2).queued(3).superseded(3, 4).queued(4),
            "deploying",
            2,
            [4],
            1,
            id="superseded in the queue",
        ),
        pytest.param(live_one().queued(2).started(2).failed(2), "failed", None, [], 1, id="failed"),
        pytest.param(Told().queued(1).started(1).failed(1), "failed", None, [], None, id="first one failed"),
        pytest.param(
            live_one().queued(2).started(2).failed(2).queued(1, "rollback").rolling_back(1),
            "deploying",
            1,
            [],
            1,
            id="rolling back",
        ),
        pytest.param(
            live_one()
            .queued(2)
            .started(2)
            .failed(2)
            .queued(1, "rollback")
            .rolling_back(1)
            .succeeded(1, "rollback"),
            "running",
            None,
            [],
            1,
            id="rolled back",
        ),
        pytest.param(live_one().queued(2).started(2).cancelled(2), "running", None, [], 1, id="cancelled"),
        pytest.param(
            live_one().queued(2).started(2).failed(2).queued(3).cancelled(3),
            "failed",
            None,
            [],
            1,
            id="cancelled before it started",
        ),
    ],
)
def test_a_stage_shows_where_it_stands(
    told: Told, status: str, running: int | None, waiting: list[int], live: int | None
) -> None:
    stage = told.stage
    assert stage.status == status
    assert (stage.running.revision if stage.running else None) == running
    assert [slot.revision for slot in stage.waiting] == waiting
    assert (stage.live.revision if stage.live else None) == live


def test_what_is_live_has_its_commit_and_its_addresses() -> None:
    live = live_one().stage.live
    assert live is not None
    assert (live.commit, live.urls) == (f"{1:040x}", {"web": "http://127.0.0.1:1"})


def test_the_last_run_says_how_it_ended() -> None:
    last = live_one().queued(2).started(2).failed(2).stage.last
    assert last is not None
    assert (last.revision, last.state, last.message) == (2, "Failed", "exit code 1")


def test_a_hold_is_shown_once_and_the_newest_reason_stays() -> None:
    assert [hold.revision for hold in Told().held(2).held(3).held(2).stage.holds] == [3, 2]


BUILD = Wait(reason="build", blocked_by="artifact web is being built", released_by="the builder", since=START)


@pytest.mark.parametrize(
    ("stage", "sentences"),
    [
        pytest.param(
            StageView(pipeline="shop", stage="staging"),
            ["Nothing waits; nothing was deployed here yet."],
            id="nothing yet",
        ),
        pytest.param(live_one().stage, ["Nothing waits; revision 1 is live."], id="at rest"),
        pytest.param(
            live_one().queued(2).started(2).stage, ["Revision 2 is In Progress here."], id="deploying"
        ),
        pytest.param(
            Told().queued(2).started(2).waits(2, BUILD).queued(3).stage,
            [
                (
                    "Revision 2 is In Progress here and waits for its artifacts: "
                    "artifact web is being built; released by the builder."
                ),
                "Revision 3 waits for its turn: revision 1; released by its end.",
            ],
            id="waiting for a build, and one behind",
        ),
        pytest.param(
            live_one().queued(2).started(2).failed(2).held(2).stage,
            [
                "Revision 2 is kept out, a newer one goes past it: it failed.",
                "Nothing waits; revision 1 is live.",
                (
                    "The last run here, of revision 2, ended Failed: exit code 1. It is on hold here: a "
                    "newer revision goes past it, and it does not return by itself."
                ),
            ],
            id="held after a failure",
        ),
        pytest.param(Told().queued(1, wait=None).stage, ["Revision 1 is about to start."], id="free"),
    ],
)
def test_a_stage_says_why_it_is_so(stage: StageView, sentences: list[str]) -> None:
    assert [reason.text for reason in why(stage)] == sentences


def test_a_wait_says_since_when_and_until_when_at_the_latest() -> None:
    (running,) = why(Told().queued(2).started(2).waits(2, BUILD).stage)
    assert running.since == START
    assert running.deadline is not None
