"""Faults that whoever found them names: what a program printed before is no cause."""

from typing import Any, get_args

import pytest

from shared.diagnosis.evidence import Setting
from shared.diagnosis.rules import classify
from shared.events import Evidence
from shared.events.evidence import Stated
from tests.unit.diagnosis.samples import DEPLOY, PIP_OFFLINE, PYTHON_TRACE, SETTING, evidence, named

MISLEADING = (
    f"sh: 0: cannot open .env: No such file\n{PYTHON_TRACE}\n{PIP_OFFLINE}\nnpm error code ECONNRESET"
)
RULES = {
    "outputs": "outputs_not_readable",
    "report": "tests_failed",
    "rejected": "rejected_by_a_person",
    "unanswered": "answered_by_nobody",
    "lacking": "value_missing",
    "not_begun": "deployment_time_limit_passed_before",
    "deployment_limit": "deployment_time_limit_passed",
}


def stated(by: str, **facts: Any) -> Evidence:
    return evidence("deploy", MISLEADING, **{"kind": "process", "exit_code": 137, **facts}, stated=by)


def test_every_statement_has_its_rule() -> None:
    assert {"", *RULES} == set(get_args(Stated))


@pytest.mark.parametrize("facts", [{}, {"kind": "timeout"}, {"kind": "error", "exit_code": None}])
@pytest.mark.parametrize(("by", "rule"), RULES.items())
def test_what_is_stated_is_not_judged_by_its_log_nor_by_how_it_ended(
    by: str, rule: str, facts: dict[str, Any]
) -> None:
    found = classify(stated(by, **facts), SETTING)
    assert named(found) == (rule, DEPLOY)
    assert found.lines[0] == "it did not work"
    assert not found.answer.retryable


def test_a_limit_that_passed_before_anything_began_accuses_no_step() -> None:
    seen = evidence("deploy", kind="timeout", stated="not_begun")
    found = classify(seen, Setting("shop", "staging", "7", whole_stage=True))
    assert found.rule == "deployment_time_limit_passed_before"
    assert "stopped" not in found.likely_cause


def test_an_unstated_fault_is_judged_by_its_log() -> None:
    assert classify(stated(""), SETTING).rule == "killed_for_memory"


def test_a_stated_fault_of_a_rollback_is_still_a_failed_rollback() -> None:
    found = classify(stated("rejected"), Setting("shop", "staging", "7", kind="rollback"))
    assert found.rule == "automatic_rollback_failed"
    assert "person" in found.likely_cause
