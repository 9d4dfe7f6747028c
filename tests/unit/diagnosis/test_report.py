"""A deployment told as a document: which of its steps decides, and what counts as failed."""

from typing import Any

import pytest

from shared.diagnosis.evidence import LINES_MAX
from shared.diagnosis.report import classify_report, phase_of
from tests.unit.diagnosis.samples import PYTHON_TRACE

OFFLINE = "npm error code ECONNRESET"
DENIED = "fatal: Authentication failed for 'https://git.example.com/'"


def step(id_: str, status: str, *logs: str) -> dict[str, Any]:
    return {"id": id_, "status": status, "logs": list(logs)}


def rule(**document: Any) -> str | None:
    found = classify_report(document)
    return found.rule if found else None


def test_the_first_step_that_failed_decides_and_no_other() -> None:
    steps = [
        step("clone", "success", DENIED),
        step("build", "error", "compiling", "", OFFLINE),
        step("deploy", "error", PYTHON_TRACE),
        step("verify", "pending", DENIED),
    ]
    found = classify_report({"steps": steps, "final_status": "error"})
    assert found is not None
    assert (found.rule, found.answer.stage) == ("network_unreachable", "build")
    assert [(each.line, each.text) for each in found.evidence] == [(3, OFFLINE)]


@pytest.mark.parametrize(
    "document",
    [
        pytest.param({}, id="nothing"),
        pytest.param({"steps": []}, id="no step"),
        pytest.param({"steps": [step("build", "success", OFFLINE)], "final_status": "success"}, id="passed"),
        pytest.param({"steps": [step("build", "in_progress", OFFLINE)]}, id="goes on"),
        pytest.param({"steps": [step("build", "error", OFFLINE)], "final_status": "success"}, id="let pass"),
        pytest.param({"final_status": "in_progress", "error_message": "slow"}, id="goes on, with a word"),
        pytest.param({"steps": [step("build", "skipped")], "error_message": "  "}, id="skipped"),
        pytest.param({"steps": "build failed", "rolled_back": "no", "final_status": 3}, id="other kinds"),
        pytest.param({"steps": [None, 3, "x", {"status": ["error"]}]}, id="steps of other kinds"),
    ],
)
def test_where_nothing_failed_there_is_nothing_to_classify(document: dict[str, Any]) -> None:
    assert classify_report(document) is None


@pytest.mark.parametrize("status", ["error", "FAILED", "Failure", "timed-out", "Timed Out", "errored"])
def test_near_words_for_failed_are_taken(status: str) -> None:
    assert rule(steps=[step("build", status, OFFLINE)]) == "network_unreachable"
    assert rule(steps=[step("build", "success")], final_status=status) == "not_recognised"


def test_the_message_decides_where_no_step_says_more() -> None:
    steps = [step("clone", "error", "Cloning into 'shop'...")]
    found = classify_report({"steps": steps, "error_message": f"clone failed\n{DENIED}"})
    assert found is not None
    assert found.answer.code == "AUTHENTICATION_FAILED"
    assert [(each.line, each.text) for each in found.evidence] == [(None, "clone failed"), (None, DENIED)]
    assert rule(error_message=DENIED) == "repository_access_refused"


def test_a_step_of_which_nothing_is_known_is_named_by_what_it_did() -> None:
    found = classify_report({"steps": [step("build-image", "error", "it went wrong")]})
    assert found is not None
    assert (found.rule, found.answer.category, found.confidence) == (
        "cause_not_told",
        "build_failure",
        "guess",
    )
    found = classify_report({"steps": [step("auth", "error", "it went wrong")]})
    assert found is not None
    assert (found.answer.stage, found.answer.category) == ("auth", "unknown_failure")


def test_a_failure_that_was_rolled_back_is_still_that_failure() -> None:
    steps = [step("build", "success"), step("deploy", "error", PYTHON_TRACE), step("rollback", "success")]
    for final in ("rolled_back", "error", "success", None):
        found = classify_report({"steps": steps, "rolled_back": True, "final_status": final})
        assert found is not None
        assert found.rule == "module_missing"


@pytest.mark.parametrize(
    ("steps", "status", "code"),
    [
        ([step("verify", "error"), step("rollback", "error", "boom")], "error", "AUTOMATIC_ROLLBACK_FAILED"),
        ([step("verify", "error")], "rollback_failed", "AUTOMATIC_ROLLBACK_FAILED"),
        ([step("manual-rollback", "error", "boom")], "error", "MANUAL_ROLLBACK_FAILED"),
        ([step("deploy", "error")], "rollback_no_candidate", "AUTOMATIC_ROLLBACK_NO_CANDIDATE"),
    ],
)
def test_a_rollback_that_failed_is_the_failure(steps: list[Any], status: str, code: str) -> None:
    found = classify_report({"steps": steps, "final_status": status})
    assert found is not None
    assert (found.answer.stage, found.answer.category) == ("rollback", "rollback_failure")
    assert found.answer.code == code


def test_logs_may_come_as_a_text_or_with_their_times() -> None:
    text = {"id": "build", "status": "error", "logs": f"compiling\n{OFFLINE}\n"}
    entries = {
        "id": "build",
        "status": "error",
        "logs": [{"message": "a"}, {"text": OFFLINE}, {"level": 3}, 4],
    }
    for each in (text, entries):
        found = classify_report({"steps": [each]})
        assert found is not None
        assert [(line.line, line.text) for line in found.evidence] == [(2, OFFLINE)]


def test_only_the_end_of_a_long_log_is_read_and_its_numbers_stay_right() -> None:
    logs = ["x"] * (LINES_MAX * 2) + [OFFLINE]
    found = classify_report({"steps": [step("build", "error", *logs)]})
    assert found is not None
    assert found.evidence[0].line == LINES_MAX * 2 + 1


@pytest.mark.parametrize(
    ("id_", "phase"),
    [
        ("build", "build"), ("Build Image", "build"), ("docker_build", "build"), ("checkout", "clone"),
        ("health-check", "verify"), ("terraform-apply", "deploy"), ("step-3", "unknown"), ("", "unknown"),
        ("build-and-deploy", "unknown"), (None, "unknown"), (7, "unknown"), ("rebuilding", "unknown"),
    ],
)  # fmt: skip
def test_a_steps_id_names_its_phase_where_it_does_so_without_doubt(id_: object, phase: str) -> None:
    assert phase_of(id_) == phase
