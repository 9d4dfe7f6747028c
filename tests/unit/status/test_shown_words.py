"""What people are shown at gates, in words."""

import pytest

from services.status.shown_words import definition_in_words, gate_details, results_details, results_in_words
from services.status.views import GateView, HeldDefinition
from shared.events import FailedTest, ProposedChanges, TestResults
from tests.builders import START
from tests.unit.status.told import approval_wait


@pytest.mark.parametrize(
    ("tests", "said"),
    [
        pytest.param({"exit_code": 0}, "the test command ended with exit code 0", id="no report"),
        pytest.param({"exit_code": None}, "the test command was ended", id="ended from outside"),
        pytest.param(
            {"exit_code": 1, "passed": 3, "failed": 2, "skipped": 1},
            "2 of 5 tests failed, 1 skipped",
            id="some failed",
        ),
        pytest.param({"exit_code": 1, "failed": 1}, "1 of 1 test failed", id="only failures are counted"),
        pytest.param(
            {"exit_code": 0, "passed": 1, "failed": 0, "skipped": 0}, "all 1 test passed", id="passed"
        ),
        pytest.param(
            {"exit_code": 7, "passed": 5, "failed": 0},
            "all 5 tests passed, and the test command ended with exit code 7",
            id="passed, and yet it failed",
        ),
        pytest.param({"exit_code": 0, "passed": 0}, "all 0 tests passed", id="an empty report"),
    ],
)
def test_what_tests_came_to_is_a_sentence(tests: dict[str, int | None], said: str) -> None:
    assert results_in_words(TestResults.model_validate(tests)) == said


def test_only_the_first_failures_are_told_and_how_many_more_there_are() -> None:
    failures = tuple(FailedTest(name=f"t{number}") for number in range(20))
    lines = list(results_details(TestResults(exit_code=1, passed=0, failed=500, failures=failures)))
    assert lines == ["500 of 500 tests failed.", "t0", "t1", "t2", "t3", "t4", "and 495 further failures"]


def test_a_proposal_that_destroys_says_so_before_its_changes() -> None:
    changes = ProposedChanges(summary="1 to destroy", destructive=True, changes=("destroy db",), digest="d")
    known = {"needed": 1, "approvers": (), "shown": "s", "plan_hash": "p", "artifacts": {}}
    gate = GateView.model_validate({**known, "wait": approval_wait(START), "changes": changes})
    assert gate_details(gate) == (
        "It would change: 1 to destroy; something is destroyed or replaced.", "destroy db"
    )  # fmt: skip


def test_changes_of_a_file_are_counted_with_those_that_are_not_told() -> None:
    known = {"stage": "staging", "mode": "ALWAYS", "plan_hash": "p", "shown": "s", "since": START}
    held = HeldDefinition.model_validate({**known, "changes": ("a",), "further": 0})
    assert definition_in_words(held) == "1 change of the pipeline file"
    assert definition_in_words(held.model_copy(update={"further": 2})) == "3 changes of the pipeline file"
