"""What a stage shows of what people did to it: stops, holds, overrides."""

from datetime import timedelta

import pytest

from services.status.explanation import why
from services.status.projection import Kind, fold
from services.status.stage_standing import standing, stop_of
from services.status.views import PipelineView, StageView, Stop
from shared.events import Event, Wait
from shared.ids import WHOLE, Stage
from tests.builders import START
from tests.unit.status.stories import message
from tests.unit.status.told import Told

PIPELINE = PipelineView(
    pipeline="shop", repository="acme/shop", branch="main", since=START, stages=("staging", "production")
)


def live_one() -> Told:
    return Told().declared().queued(1).started(1).succeeded(1)


@pytest.mark.parametrize(
    ("told", "status"),
    [
        pytest.param(live_one().stopped(), "paused", id="stopped"),
        pytest.param(Told().declared().stopped(), "paused", id="stopped before anything was deployed"),
        pytest.param(live_one().queued(2).started(2).failed(2).stopped(), "paused", id="stopped, had failed"),
        pytest.param(live_one().queued(2).started(2).stopped(), "deploying", id="what runs goes on"),
        pytest.param(live_one().queued(2).started(2).stopped().succeeded(2), "paused", id="until its end"),
        pytest.param(live_one().stopped().resumed(), "running", id="resumed"),
        pytest.param(live_one().stopped().stopped().resumed(), "running", id="stopped twice, resumed once"),
        pytest.param(live_one().resumed(), "running", id="resumed without a stop"),
    ],
)
def test_a_stopped_stage_is_paused_unless_a_run_holds_it(told: Told, status: str) -> None:
    assert told.stage.status == status


def test_a_stop_says_who_why_and_since_when() -> None:
    told = live_one().stopped()
    assert told.stage.stops == (Stop(actor="ann", reason="flags", since=told.heard[-1].time),)


def stages_of(told: Told) -> list[StageView]:
    return [each.view for each in told.views.values() if isinstance(each.view, StageView)]


def test_a_stop_of_the_pipeline_holds_for_all_its_stages_also_those_not_heard_of() -> None:
    told = live_one().stopped(stage=Stage(WHOLE))
    stages = standing(PIPELINE, stages_of(told), START)
    assert [(stage.stage, stage.status) for stage in stages] == [
        ("staging", "paused"),
        ("production", "paused"),
    ]
    assert all(stage.stops[0].whole_pipeline for stage in stages)
    assert stop_of(stages_of(told)) == stages[0].stops[0]


def test_resuming_the_pipeline_leaves_a_stage_stopped_that_was_stopped_itself() -> None:
    told = live_one().stopped().stopped(stage=Stage(WHOLE)).resumed(stage=Stage(WHOLE))
    staging, production = standing(PIPELINE, stages_of(told), START)
    assert (staging.status, production.status) == ("paused", "pending")
    assert [stop.whole_pipeline for stop in staging.stops] == [False]
    assert stop_of(stages_of(told)) is None


def test_resuming_a_stage_leaves_it_stopped_with_its_pipeline() -> None:
    told = live_one().stopped().stopped(stage=Stage(WHOLE)).resumed()
    staging, _ = standing(PIPELINE, stages_of(told), START)
    assert (staging.status, [stop.whole_pipeline for stop in staging.stops]) == ("paused", [True])


def test_what_a_stage_stood_on_before_it_was_stopped_is_found_again() -> None:
    before = live_one().queued(2).started(2).failed(2)
    assert before.stage == before.stopped().resumed().stage


def test_a_released_hold_is_gone_and_the_others_stay() -> None:
    told = live_one().held(2).held(3).released(2).released(7)
    assert [hold.revision for hold in told.stage.holds] == [3]
    assert [hold.revision for hold in told.held(2).stage.holds] == [3, 2]


def test_an_override_is_shown_until_it_is_over() -> None:
    until = START + timedelta(hours=2)
    told = live_one().overridden(START + timedelta(hours=1)).overridden(until)
    (shown, _), (over, _) = (standing(PIPELINE, stages_of(told), at) for at in (START, until))
    assert shown.window_override is not None
    assert (shown.window_override.until, shown.window_override.actor) == (until, "ann")
    assert over.window_override is None


STOPPED = Wait(
    reason="stopped",
    blocked_by="ann stopped the stage: flags",
    released_by="somebody who resumes the stage",
    since=START,
)


@pytest.mark.parametrize(
    ("told", "sentences"),
    [
        pytest.param(
            live_one().stopped(),
            [
                "Nothing waits; revision 1 is live.",
                "ann stopped the stage: flags; nothing begins until somebody resumes it.",
            ],
            id="stopped and at rest",
        ),
        pytest.param(
            live_one().stopped(reason=""),
            [
                "Nothing waits; revision 1 is live.",
                "ann stopped the stage; nothing begins until somebody resumes it.",
            ],
            id="stopped for no reason",
        ),
        pytest.param(
            live_one().stopped().queued(2, wait=STOPPED),
            [
                (
                    "Revision 2 waits for the stage, which is stopped: ann stopped the stage: flags; "
                    "released by somebody who resumes the stage."
                )
            ],
            id="the wait says it already",
        ),
        pytest.param(
            live_one().overridden(START + timedelta(hours=1)),
            ["Nothing waits; revision 1 is live.", "ann lets it begin runs whatever its window says: flags."],
            id="overridden",
        ),
    ],
)
def test_a_stage_says_what_people_did_to_it(told: Told, sentences: list[str]) -> None:
    assert [reason.text for reason in why(told.stage)] == sentences


def test_gates_that_are_heard_of_first_of_all_begin_a_stage() -> None:
    for told in (Told().stopped(), Told().resumed(), Told().released(1), Told().overridden(START)):
        assert told.stage.stage == "staging"


def test_gates_that_are_told_again_change_nothing() -> None:
    told = live_one().held(2).stopped().overridden(START + timedelta(hours=1))
    before = told.stage
    bodies: list[Event] = [heard.body for heard in told.heard[-3:]]
    again = fold(told.views, [message(body, 0, "late") for body in bodies])
    assert again == {}
    assert told.views[Kind.STAGE, "shop/staging"].view == before


def test_a_blocker_stands_until_it_is_lifted() -> None:
    blocked = live_one().blocked()
    assert [each.name for each in blocked.stage.blockers] == ["alarm a"]
    assert blocked.lifted(START, "ann").stage.blockers == ()


def test_a_blocker_that_is_over_from_an_instant_on_is_shown_until_then() -> None:
    ends_at = START + timedelta(hours=1)
    told = live_one().blocked().lifted(ends_at)
    shown = [standing(PIPELINE, stages_of(told), now)[0].blockers for now in (START, ends_at)]
    assert [[each.ends_at for each in blockers] for blockers in shown] == [[ends_at], []]


def test_what_fires_again_before_its_time_is_over_blocks_without_an_end() -> None:
    told = live_one().blocked().lifted(START + timedelta(hours=1)).blocked()
    assert [each.ends_at for each in told.stage.blockers] == [None]
