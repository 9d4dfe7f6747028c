"""The status of a stage, in every case there is."""

from itertools import product
from typing import Any, get_args

import pytest

from services.status.deployment_status import ROWS, judged, row_of, worst
from services.status.views import DeploymentStatus, Ended, Live, ServiceHealth, Slot, StageView, Stop
from shared.events import Health
from tests.builders import START, named
from tests.unit.status.told import Told

HEALTHS: tuple[Health, ...] = get_args(Health)
FINAL = ("Succeeded", "Failed", "Cancelled", "Rolled Back", "Rolled Forward", "Timed Out")  # of who held it
BADNESS = ("healthy", "unknown", "degraded", "unreachable")

RUN = {"run": named("run"), "revision": 1, "kind": "deploy"}
SLOT = Slot(**RUN, commit="c", state="In Progress", since=START)
LIVE = Live(**{name: RUN[name] for name in ("run", "revision")}, commit="c", urls={}, since=START)
STOPS = tuple(Stop(actor="ann", reason="", since=START, whole_pipeline=whole) for whole in (False, True))
ENDED = {state: Ended(**RUN, state=state, at=START) for state in FINAL}


def service(name: str, health: Health) -> ServiceHealth:
    about = {"run": named("run"), "revision": 1, "since": START, "reason": ""}
    return ServiceHealth(service=name, health=health, **about)


SERVICES = [
    (),
    *((service("a", one),) for one in HEALTHS),
    *((service("a", one), service("b", other)) for one, other in product(HEALTHS, HEALTHS)),
]
EVERYTHING = [
    {"running": running, "stops": stops, "last": last, "live": live, "health": health}
    for running, stops, last, live, health in product(
        (None, SLOT),
        ((), STOPS[:1], STOPS[1:], STOPS),
        (None, *ENDED.values()),
        (None, LIVE),
        SERVICES,
    )
]

# held, stopped, failed last, live -> with the worst service healthy (or none), unknown, degraded, unreachable
EXPECTED: dict[tuple[bool, bool, bool, bool], tuple[str, str, str, str]] = {
    (False, False, False, False): ("pending", "pending", "pending", "pending"),
    (False, False, False, True): ("running", "running", "degraded", "unreachable"),
    (False, False, True, False): ("failed", "failed", "failed", "failed"),
    (False, False, True, True): ("failed", "failed", "failed", "failed"),
    (False, True, False, False): ("paused", "paused", "paused", "paused"),
    (False, True, False, True): ("paused", "paused", "paused", "paused"),
    (False, True, True, False): ("paused", "paused", "paused", "paused"),
    (False, True, True, True): ("paused", "paused", "paused", "paused"),
    (True, False, False, False): ("deploying", "deploying", "deploying", "deploying"),
    (True, False, False, True): ("deploying", "deploying", "deploying", "deploying"),
    (True, False, True, False): ("deploying", "deploying", "deploying", "deploying"),
    (True, False, True, True): ("deploying", "deploying", "deploying", "deploying"),
    (True, True, False, False): ("deploying", "deploying", "deploying", "deploying"),
    (True, True, False, True): ("deploying", "deploying", "deploying", "deploying"),
    (True, True, True, False): ("deploying", "deploying", "deploying", "deploying"),
    (True, True, True, True): ("deploying", "deploying", "deploying", "deploying"),
}


def expected(case: dict[str, Any]) -> str:
    failed = case["last"] is not None and case["last"].state in {"Failed", "Timed Out"}
    kind = (case["running"] is not None, bool(case["stops"]), failed, case["live"] is not None)
    badness = max((BADNESS.index(each.health) for each in case["health"]), default=0)
    return EXPECTED[kind][badness]


def test_every_combination_has_the_status_that_is_expected_of_it() -> None:
    told = {
        row_of(StageView(pipeline="shop", stage="s", **case)).status == expected(case) for case in EVERYTHING
    }
    assert (told, len(EVERYTHING)) == ({True}, 2_352)


def test_every_status_is_had_in_some_case_and_by_one_row() -> None:
    rows = [row_of(StageView(pipeline="shop", stage="s", **case)) for case in EVERYTHING]
    assert {row.condition for row in rows} == {row.condition for row in ROWS}
    assert sorted(row.status for row in ROWS) == sorted(get_args(DeploymentStatus))


@pytest.mark.parametrize("case", EVERYTHING[:: len(EVERYTHING) // 20])
def test_a_stage_is_judged_by_what_it_is_and_not_by_what_it_was_called(case: dict[str, Any]) -> None:
    stages = [
        judged(StageView(pipeline="shop", stage="s", status=status, **case))
        for status in get_args(DeploymentStatus)
    ]
    assert len({stage.status for stage in stages}) == 1


def test_the_worst_service_counts_and_none_is_no_worse_than_good() -> None:
    assert worst([]) is None
    assert worst([service("a", "healthy"), service("b", "unknown")]) == "unknown"
    assert worst([service("a", "degraded"), service("b", "unreachable")]) == "unreachable"


def test_a_failed_stage_stays_failed_though_the_old_release_answers() -> None:
    told = Told().declared().queued(1).started(1).succeeded(1).queued(2).started(2).failed(2)
    assert told.stage.status == "failed"
