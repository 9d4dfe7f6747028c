"""In which order a revision's runs are shown."""

from datetime import timedelta
from typing import Any

import pytest

from services.status.progress import as_queued
from services.status.views import PlannedStage, RevisionView, RunView
from tests.builders import START, named

STAGES = ("staging", "production")


def revision() -> RevisionView:
    stages = tuple(PlannedStage(name=name, target="local", steps=()) for name in STAGES)
    known: dict[str, Any] = dict.fromkeys(RevisionView.model_fields, "")
    times = {"received_at": START, "planned_at": START}
    fixed = {"revision": 1, "push": named("push"), "artifacts": (), "stages": stages}
    return RevisionView(**{**known, **times, **fixed})


def run(stage: str, place: int, seconds: float = 0) -> RunView:
    known: dict[str, Any] = dict.fromkeys(("pipeline", "kind", "commit", "plan_hash", "state"), "")
    at = START + timedelta(seconds=seconds)
    return RunView(**known, run=named(f"{stage} {place}"), stage=stage, revision=1, place=place, queued_at=at)


ORDERS = [
    pytest.param(
        [("production", 3, 0), ("staging", 900, 0)],
        [("staging", 900), ("production", 3)],
        id="those queued at once are in the order of the plan, whatever their partitions' offsets",
    ),
    pytest.param(
        [("staging", 5, 0), ("production", 1, 0), ("staging", 9, 7), ("production", 2, 8)],
        [("staging", 5), ("production", 1), ("staging", 9), ("production", 2)],
        id="later ones are in the order of time",
    ),
    pytest.param(
        [("staging", 5, 3), ("staging", 9, 1), ("production", 2, 2)],
        [("production", 2), ("staging", 5), ("staging", 9)],
        id="in a stage the order of its events stands, whatever the clocks of its replicas said",
    ),
    pytest.param(
        [("gone", 1, 0), ("production", 1, 0)], [("production", 1), ("gone", 1)], id="a stage of no plan"
    ),
]


@pytest.mark.parametrize(("told", "shown"), ORDERS)
def test_runs_are_in_the_order_they_were_queued(
    told: list[tuple[str, int, float]], shown: list[tuple[str, int]]
) -> None:
    ordered = as_queued(revision(), [run(*each) for each in told])
    assert [(each.stage, each.place) for each in ordered] == shown
