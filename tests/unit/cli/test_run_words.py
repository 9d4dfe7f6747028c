"""How runs, their steps and their story are told."""

from datetime import timedelta
from typing import Any

import pytest

from services.cli import run_words as words
from services.cli.output import Cell
from services.status.routes.examples import RUN
from services.status.routes.runs import RunShown
from shared.clock import SystemClock

LISTED = {"failure_code": "", "message": "", "rollback": ""}
SHOWN: dict[str, Any] = RunShown.model_validate(RUN).model_dump(mode="json")


def ago(seconds: float) -> str:
    return (SystemClock().now() - timedelta(seconds=seconds)).isoformat()


def text(cell: Cell) -> str:
    return cell if isinstance(cell, str) else cell[0]


def test_a_run_that_is_over_has_its_times_apart() -> None:
    over = {"final": True, "state": "Succeeded", "wait": None}
    run = SHOWN | over | {"queued_seconds": 60.0, "waiting_seconds": 60.0, "running_seconds": 90.0}
    cells = [text(cell) for cell in words.row(run | LISTED)]
    assert cells[1:4] == ["42 (7855a400)", "deploy", "Succeeded"]
    assert cells[5:] == ["2 min", "1 min 30 s", ""]


def test_a_run_that_goes_on_has_its_times_until_now() -> None:
    wait = SHOWN["wait"] | {"since": ago(3_610)}
    run = SHOWN | {"wait": wait, "started_at": ago(6_040), "queued_seconds": 0.0}
    cells = [text(cell) for cell in words.row(run | LISTED)]
    assert cells[5] == "1 h"
    assert cells[6].startswith("40 min")
    assert cells[7].startswith("waits: step 'Smoke'")


def test_a_run_that_has_not_begun_waits_since_it_was_queued_whatever_it_waited_for_meanwhile() -> None:
    waiting = {"started_at": None, "queued_seconds": None, "queued_at": ago(3_610)}
    run = SHOWN | waiting | {"wait": SHOWN["wait"] | {"since": ago(5)}}
    assert [text(cell) for cell in words.row(run | LISTED)][5:7] == ["1 h", "-"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"superseded_by_revision": 43}, "by revision 43"),
        ({"failure_code": "DEPLOYMENT_FAILED_GENERIC"}, "DEPLOYMENT_FAILED_GENERIC"),
        ({"failure_code": "DEPLOYMENT_FAILED_GENERIC", "message": "exit code 1"}, "exit code 1"),
        ({"failure_code": "BUILD_FAILED", "message": "exit 1\nand more"}, "exit 1 ... (BUILD_FAILED)"),
        ({"failure_code": "BUILD_FAILED", "message": "exit 1"}, "exit 1 (BUILD_FAILED)"),
        ({"message": "by ann: flags"}, "by ann: flags"),
        (
            {"message": "by alarm a", "rollback": "no_candidate"},
            "by alarm a; there was no revision to roll back to",
        ),
        ({"asked_by": "ann", "asked_reason": "flags"}, "asked for by ann: flags"),
    ],
)
def test_a_run_of_the_list_says_what_is_to_know_of_it(changes: dict[str, Any], said: str) -> None:
    assert text(words.row(SHOWN | LISTED | {"wait": None} | changes)[-1]) == said


def test_the_steps_have_the_names_of_those_they_go_after_and_how_long_each_took() -> None:
    steps = [SHOWN["steps"][0], SHOWN["steps"][1] | {"since": ago(3_670)}]
    migrate, smoke = ([text(cell) for cell in row] for row in words.step_rows(SHOWN | {"steps": steps}))
    assert migrate == ["Migrate", "", "Succeeded", "1 min 29 s", "-", ""]
    assert smoke == [
        "Smoke", "Migrate", "Waiting", "40 s", "1 h 1 min", "117 passed, 2 failed, 1 skipped, exit code 1"
    ]  # fmt: skip


def test_a_run_that_is_over_begins_with_who_or_what_ended_it() -> None:
    over = {"final": True, "state": "Cancelled", "wait": None}
    told = list(
        words.beginning(SHOWN | over | {"actor": "alarm a", "reason": "5xx", "rollback": "no_candidate"})
    )
    assert told[-2:] == ["  ended by  alarm a: 5xx", "  rollback  there was no revision to roll back to"]
    told = list(words.beginning(SHOWN | over | {"evidence": {"message": "exit code 1"}}))
    assert told[-1] == "  ended by  exit code 1"


def test_a_run_begins_with_what_it_is_and_ends_with_its_story() -> None:
    first, *rest = words.beginning(SHOWN)
    assert first == "shop/staging, deploy of revision 42 (7855a400 Round prices): In Progress"
    assert rest[-1].startswith("  waits     step 'Smoke' failed: 2 of 119 tests; released by somebody")
    assert list(words.story(SHOWN))[-1] == (
        "2026-03-02 09:32:10Z  Step smoke: 2 of 119 tests failed, 1 skipped"
    )
