"""The diagnosis over the corpus of labelled failures: how often it is right, and that this does not fall."""

import json
from collections.abc import Callable
from typing import get_args

import pytest

from shared.diagnosis.evidence import Kind, Phase
from shared.events import ProbeFault
from shared.events.verification import FailureCategory, FailureCode, FailureStage
from tests.tidy_rules import text_offences
from tests.unit.diagnosis.corpus import FLOOR, HEADER, PARTS, Labelled, cases, counted, measure, part_of

CASES_MIN = 250
LOG_LINES_MAX = 140
ALLOWED = {
    "phase": {*get_args(Phase), "rollback"},
    "kind": {*get_args(Kind)},
    "stage": {*get_args(FailureStage)},
    "category": {*get_args(FailureCategory)},
    "code": {*get_args(FailureCode)},
    "probe": {*get_args(ProbeFault)} - {""},
    "source": {"observed", "composed"},
    "rollback": {"automatic", "manual", "no_candidate"},
}


def test_the_corpus_is_large_and_has_both_parts() -> None:
    assert sum(len(cases(part)) for part in PARTS) >= CASES_MIN
    assert min(len(cases(part)) for part in PARTS) >= CASES_MIN // 4


def test_every_case_is_whole_and_lies_where_its_name_puts_it() -> None:
    assert [wrong for part in PARTS for case in cases(part) for wrong in _wrongs(case)] == []


def _wrongs(case: Labelled) -> list[str]:
    told = case.header
    bad = [key for key in ALLOWED if key in told and told[key] not in ALLOWED[key]]
    wrongs = [f"{case.name}: {key} is {told[key]!r}" for key in bad]
    if unknown := set(told) - HEADER:
        wrongs.append(f"{case.name}: nobody reads {', '.join(sorted(unknown))}")
    if missing := {"about", "tool", "source", "phase", "kind", "stage", "category", "code"} - set(told):
        wrongs.append(f"{case.name}: lacks {', '.join(sorted(missing))}")
    if case.part != part_of(case.name):
        wrongs.append(f"{case.name}: belongs into {part_of(case.name)}")
    if case.log.count("\n") > LOG_LINES_MAX:
        wrongs.append(f"{case.name}: is longer than {LOG_LINES_MAX} lines")
    return [*wrongs, *text_offences(case.name, case.log)]


@pytest.mark.parametrize("part", PARTS)
def test_the_diagnosis_is_not_worse_than_it_was(
    part: str, record_property: Callable[[str, object], None]
) -> None:
    found = measure(part)
    record_property("explored", f"diagnosis of {part.replace('_', ' ')} failures: {found.told}")
    floor = json.loads(FLOOR.read_text("utf-8"))[part]
    worse = [f"accuracy {found.accuracy:.3f} < {floor['accuracy']}"] * (found.accuracy < floor["accuracy"])
    for name, shares in (("precision", found.precision), ("recall", found.recall)):
        for category, least in floor[name].items():
            if shares.get(category, 1.0) < least:
                worse.append(f"{name} of {category} {shares[category]:.3f} < {least}")
    assert worse == []


def test_precision_and_recall_are_counted_by_category() -> None:
    build, auth = ("build", "build_failure", "c"), ("auth", "auth_failure", "c")
    found = counted([(build, build), (build, auth), (auth, auth), (build, build)])
    assert (found.number, found.right) == (4, 3)
    assert found.precision == {"build_failure": 1.0, "auth_failure": 0.5}
    assert found.recall == {"build_failure": 2 / 3, "auth_failure": 1.0}


def test_a_retry_is_never_advised_where_it_does_not_help() -> None:
    """A wrong `retryable` costs runs: of what is called passing, hardly anything may be otherwise."""
    called = [case for part in PARTS for case in cases(part) if case.found().answer.retryable]
    wrong = [case for case in called if case.label[2] != "INFRASTRUCTURE_NETWORK_FAILURE"]
    assert len(wrong) <= len(called) * 0.03


def test_every_diagnosis_can_be_acted_on() -> None:
    for part in PARTS:
        for case in cases(part):
            found = case.found()
            assert found.fix.check or found.fix.commands, case.name
            assert found.fix.done_when, case.name
            numbers = [each.line for each in found.evidence if each.line is not None]
            assert all(1 <= number <= case.log.count("\n") + 1 for number in numbers), case.name
