"""How services do: in their stage as it stands, and in their history."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from services.status.explanation import why
from services.status.health_history import (
    DAYS_MAX,
    FIVE_MINUTES_MAX,
    HOURS_MAX,
    in_days,
    in_hours,
    together,
    with_sample,
)
from services.status.health_view import CHANGES_MAX, SERVICES_MAX
from services.status.projection import Kind, fold
from services.status.stage_standing import standing
from services.status.views import HealthHistory, PipelineView, StageView, Stretch
from services.status.views.health import KNOWN_FOR_SECONDS_MAX
from shared.events import Health, HealthCounts
from shared.plan import Criteria
from tests.builders import START
from tests.unit.status.looked import at, counts, doing, live, over, sampled
from tests.unit.status.told import Told

HISTORY = HealthHistory(pipeline="shop", stage="staging", service="web", since=START)
DAY = 24 * 3_600
DOCUMENT_BYTES_MAX = 150_000


def healths(told: Told) -> dict[str, str]:
    return {each.service: each.health for each in told.stage.health}


def history(told: Told, service: str = "web") -> HealthHistory:
    view = told.views[Kind.HEALTH, f"shop/staging {service}"].view
    assert isinstance(view, HealthHistory)
    return view


def test_what_was_just_deployed_is_not_known_until_somebody_has_looked() -> None:
    told = live(Told(), 1, "web", "api")
    assert (healths(told), told.stage.status) == ({"api": "unknown", "web": "unknown"}, "running")
    assert [each.looked_at for each in told.stage.health] == [None, None]
    assert doing(told, "healthy").stage.health[1].model_dump(exclude={"since", "run"}) == {
        "service": "web",
        "health": "healthy",
        "reason": "3 looks in a row found no answer",
        "revision": 1,
        "looked_at": told.heard[-1].time,
        "known_for_seconds": 3 * 30 + 300,
    }


def test_the_worst_service_gives_the_stage_its_status_and_its_mending_takes_it_back() -> None:
    told = live(Told(), 1, "web", "api")
    statuses = [
        doing(told, health, service=service).stage.status
        for service, health in [
            ("web", "degraded"),
            ("api", "unreachable"),
            ("web", "healthy"),
            ("api", "unknown"),
            ("api", "healthy"),
        ]
    ]
    assert statuses == ["degraded", "unreachable", "unreachable", "running", "running"]


def test_a_new_release_is_not_blamed_for_what_the_one_before_did() -> None:
    told = doing(live(Told(), 1, "web", "api"), "unreachable")
    live(told, 2, "web", kept=("api",))
    assert (told.stage.status, healths(told)) == ("running", {"api": "unknown", "web": "unknown"})
    assert [each.revision for each in told.stage.health] == [1, 2]
    assert doing(told, "degraded", revision=1).stage.status == "running"  # said late, of what is gone
    assert doing(told, "degraded", revision=1, service="api").stage.status == "degraded"
    assert doing(told, "degraded", revision=2).stage.status == "degraded"


def test_what_is_said_of_the_run_that_is_live_counts_for_what_it_kept_as_well() -> None:
    told = live(live(Told(), 1, "web", "api"), 2, "web", kept=("api",))
    assert healths(doing(told, "degraded", revision=2, service="api"))["api"] == "degraded"


def test_a_service_that_a_run_takes_out_is_no_longer_there() -> None:
    told = doing(live(Told(), 1, "web", "api"), "unreachable", service="api")
    assert healths(live(told, 2, "web")) == {"web": "unknown"}
    assert over(told, service="api").stage.health == told.stage.health


def test_nobody_looks_after_it_any_more_and_that_takes_it_out() -> None:
    told = doing(doing(live(Told(), 1, "web", "api"), "unreachable"), "healthy", service="api")
    assert (over(told).stage.status, healths(told)) == ("running", {"api": "healthy"})
    assert history(told).ended_at is not None
    assert history(doing(told, "healthy")).ended_at is None


def test_what_ended_before_a_new_release_came_does_not_take_that_out() -> None:
    told = live(live(Told(), 1, "web"), 2, "web")
    assert healths(over(told, revision=1)) == {"web": "unknown"}
    assert healths(over(told, revision=2)) == {}


def test_a_run_of_an_earlier_release_says_nothing_of_its_services_and_changes_nothing_of_them() -> None:
    told = doing(live(Told(), 1, "web"), "degraded")
    told.queued(2).started(2).succeeded(2)
    assert (healths(told), told.stage.status) == ({"web": "degraded"}, "degraded")


def test_health_says_nothing_of_a_stage_that_failed_was_stopped_or_has_a_run() -> None:
    told = doing(live(Told(), 1, "web"), "unreachable").queued(2).started(2)
    assert told.stage.status == "deploying"
    assert told.failed(2).stage.status == "failed"
    assert told.stopped().stage.status == "paused"
    assert told.resumed().queued(3).started(3).cancelled(3).stage.status == "unreachable"


def test_a_change_of_a_stage_nobody_heard_of_makes_it_known() -> None:
    told = doing(Told(), "degraded")
    assert (told.stage.status, healths(told)) == ("pending", {"web": "degraded"})
    assert (Kind.STAGE, "shop/staging") not in over(Told()).views


def test_services_are_bounded_and_in_the_order_of_their_names() -> None:
    told = Told()
    for number in range(SERVICES_MAX + 20):
        doing(told, "healthy", service=f"s{number:03}")
    assert [each.service for each in told.stage.health] == [f"s{number:03}" for number in range(SERVICES_MAX)]


def test_changes_are_kept_the_last_ones_and_the_others_counted() -> None:
    told = Told()
    for number in range(CHANGES_MAX + 7):
        doing(told, ("degraded", "healthy")[number % 2], reason=f"look {number}")
    view = history(told)
    assert (len(view.changes), view.changes_left_out) == (CHANGES_MAX, 7)
    assert view.changes[0].reason == "look 7"


def test_samples_tell_the_stage_that_somebody_looks_and_one_batch_is_as_many() -> None:
    told = doing(live(Told(), 1, "web"), "healthy")
    (before,) = told.stage.health
    for number in range(400):
        sampled(told, number * 300, good=number % 11, bad=10 - number % 11)
    (after,) = told.stage.health
    assert after == before.model_copy(update={"looked_at": told.heard[-1].time})
    assert fold({}, told.heard) == told.views


def test_samples_of_what_is_gone_or_not_known_tell_the_stage_nothing() -> None:
    told = live(doing(live(Told(), 1, "web"), "healthy"), 2, "web")
    before = told.stage
    assert sampled(sampled(told, 0, revision=1), 0, revision=2, service="api").stage == before
    assert (Kind.STAGE, "shop/staging") not in sampled(Told(), 0).views


def test_what_was_looked_at_and_does_not_tell_is_not_said_to_be_unseen() -> None:
    told = sampled(live(Told(), 1, "web"), 0, good=2, bad=8)
    (web,) = told.stage.health
    assert (web.health, web.looked_at) == ("unknown", told.heard[-1].time)
    assert web.reason == "it was looked at since it was deployed, and what was seen does not tell"
    assert [each.about for each in why(told.stage)] == ["rest", "health"]


def standing_at(told: Told, instant: datetime) -> StageView:
    about = {"pipeline": "shop", "repository": "acme/shop", "branch": "main"}
    pipeline = PipelineView(**about, since=START, stages=("staging",))
    (stage,) = standing(pipeline, [told.stage], instant)
    return stage


@pytest.mark.parametrize("health", ["healthy", "degraded", "unreachable"])
def test_nobody_knows_any_more_how_it_does_once_nobody_was_heard_of_for_too_long(health: Health) -> None:
    told = sampled(doing(live(Told(), 1, "web"), health), 0)
    last = told.heard[-1].time
    known = timedelta(seconds=390)
    assert standing_at(told, last + known).health == told.stage.health
    stage = standing_at(told, last + known + timedelta(seconds=1))
    (web,) = stage.health
    assert (stage.status, web.health, web.since, web.looked_at) == ("running", "unknown", last, last)
    assert web.reason == f"nobody told of a look at it since 2026-03-02 09:30:05 UTC; it was {health}"
    told_of = next(each for each in why(stage) if each.about == "health")
    assert told_of.text == f"Service web of revision 1 is unknown: {web.reason}."
    assert told_of.commands == ("windlass health shop staging",)
    assert sampled(told, 300).stage.status == told.stage.status  # one look, and it is known again
    assert standing_at(told, told.heard[-1].time + known).health[0].health == health


def test_what_nobody_has_looked_at_yet_stays_what_it_is_however_long_that_takes() -> None:
    told = live(Told(), 1, "web")
    stage = standing_at(told, START + timedelta(days=400))
    assert stage.health == told.stage.health
    assert [each.about for each in why(stage)] == ["rest"]


def test_a_clock_that_was_set_back_makes_nobody_forgotten() -> None:
    told = doing(live(Told(), 1, "web"), "healthy")
    assert standing_at(told, START - timedelta(days=1)).health == told.stage.health


@pytest.mark.parametrize(
    ("criteria", "seconds"),
    [
        (Criteria(), 3 * 30 + 300),
        (Criteria(health_interval_seconds=600.0), 3 * 600 + 300),
        (Criteria(health_interval_seconds=0.001), 3 * 15 + 300),  # as often as it can be looked at
        (Criteria(health_interval_seconds=1e300), 3 * 3600 + 300),
        (Criteria(latency_seconds_max=1e300), 3 * 125 + 300),
        (Criteria(tcp=tuple(range(1, 50))), 3 * 13 * 15 + 300),
    ],
)
def test_how_long_a_look_tells_goes_by_how_often_it_is_looked_at_and_how_long_that_takes(
    criteria: Criteria, seconds: float
) -> None:
    (web,) = doing(live(Told(), 1, "web", criteria=criteria), "healthy").stage.health
    assert web.known_for_seconds == seconds


def test_of_a_service_whose_run_nobody_heard_of_the_longest_holds() -> None:
    (web,) = doing(Told(), "healthy").stage.health
    assert web.known_for_seconds == KNOWN_FOR_SECONDS_MAX


def filled(samples: int, apart: float = 300.0) -> HealthHistory:
    view = HISTORY
    for number in range(samples):
        view = with_sample(view, counts(number * apart, seconds=apart))
    return view


def totals(stretches: tuple[Stretch, ...]) -> tuple[int, int]:
    return sum(each.looks for each in stretches), sum(each.good for each in stretches)


def test_a_day_is_kept_in_five_minutes_what_is_older_in_hours_and_then_in_days() -> None:
    view = filled(2 * FIVE_MINUTES_MAX + 3)
    assert len(view.five_minutes) == FIVE_MINUTES_MAX
    assert [each.looks for each in view.hours] == [60, *[120] * 23, 90]
    assert totals(in_hours(view)) == (10 * (2 * FIVE_MINUTES_MAX + 3),) * 2
    assert in_hours(view)[0].begins == int(START.timestamp()) // 3_600 * 3_600
    assert totals(in_days(view)) == totals(in_hours(view))


@pytest.mark.parametrize("read", [in_hours, in_days])
def test_what_is_put_together_when_read_is_put_together_alike_when_it_grows_old(
    read: Callable[[HealthHistory], tuple[Stretch, ...]],
) -> None:
    view = filled(100)
    aged = view
    for number in range(100, 100 + FIVE_MINUTES_MAX):
        aged = with_sample(aged, counts(number * 300, looks=0, good=0))
    first = read(view)[:-1]
    assert [(each.begins, each.looks, each.good) for each in read(aged)[: len(first)]] == [
        (each.begins, each.looks, each.good) for each in first
    ]


def test_nothing_is_kept_for_longer_than_a_year_and_the_document_stays_small() -> None:
    view = filled(FIVE_MINUTES_MAX + HOURS_MAX + 24 * (DAYS_MAX + 5), apart=3_600.0)
    assert (len(view.five_minutes), len(view.hours), len(view.days)) == (
        FIVE_MINUTES_MAX,
        HOURS_MAX,
        DAYS_MAX,
    )
    assert len(view.model_dump_json()) < DOCUMENT_BYTES_MAX
    assert (len(in_hours(view)), len(in_days(view))) == (HOURS_MAX, DAYS_MAX)


def test_two_stretches_together_count_all_looks_and_tell_the_worst_and_the_slowest() -> None:
    def one(**more: object) -> Stretch:
        return with_sample(HISTORY, HealthCounts.model_validate(counts(0).model_dump() | more)).five_minutes[
            0
        ]

    both = together(
        one(looks=10, good=6, bad=4, latency_seconds=0.1, latency_seconds_max=0.5, worst="degraded"),
        one(looks=2, good=0, silent=2, latency_seconds=None, latency_seconds_max=None, worst="unreachable"),
    )
    assert (both.looks, both.good, both.bad, both.silent, both.worst) == (12, 6, 4, 2, "unreachable")
    assert (both.answers, both.latency_max) == (10, 0.5)
    assert both.latency_total == pytest.approx(1.0)


def test_a_clock_that_was_wrong_for_a_while_spoils_only_what_it_wrote() -> None:
    view = with_sample(filled(10), counts(50 * 365 * DAY))
    for number in range(10, 2 * FIVE_MINUTES_MAX):
        view = with_sample(view, counts(number * 300))
    assert [each.begins for each in view.five_minutes] == sorted(each.begins for each in view.five_minutes)
    assert totals(in_hours(view))[0] == 10 * (2 * FIVE_MINUTES_MAX + 1)
    assert len(in_hours(view)) == 49 + 1


def test_a_sample_told_late_is_where_it_belongs() -> None:
    view = filled(3)
    late = with_sample(with_sample(view, counts(900)), counts(300 * 2 + 7, good=3))
    assert [each.looks for each in late.five_minutes] == [10, 10, 20, 10]
    older = with_sample(filled(FIVE_MINUTES_MAX), counts(-DAY))
    assert (len(older.five_minutes), [each.begins for each in older.hours]) == (
        FIVE_MINUTES_MAX,
        [int(at(-DAY).timestamp()) // 3_600 * 3_600],
    )
