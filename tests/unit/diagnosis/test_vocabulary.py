"""Every word of the fixed vocabularies has a meaning, and what decides agrees with what is told of it."""

from collections.abc import Iterable
from typing import get_args

import pytest

from shared.diagnosis import vocabulary
from shared.diagnosis.rule import Answer
from shared.events.health import Health
from shared.events.verification import FailureCategory, FailureCode, FailureStage
from shared.scan.result import Shape


@pytest.mark.parametrize(
    ("words", "told"),
    [
        pytest.param(get_args(FailureStage), vocabulary.FAILURE_STAGES, id="stages"),
        pytest.param(get_args(FailureCategory), vocabulary.FAILURE_CATEGORIES, id="categories"),
        pytest.param(get_args(FailureCode), vocabulary.FAILURE_CODES, id="codes"),
        pytest.param(get_args(Health), vocabulary.HEALTHS, id="healths"),
        pytest.param(get_args(Shape), vocabulary.SHAPES, id="shapes"),
        pytest.param(get_args(vocabulary.ScanBuildStatus), vocabulary.SCAN_BUILD_STATUSES, id="builds"),
    ],
)
def test_every_word_has_a_meaning_and_nothing_else_has(words: Iterable[str], told: Iterable[str]) -> None:
    assert list(told) == list(words)


def test_meanings_are_sentences() -> None:
    sentences = [
        *vocabulary.FAILURE_STAGES.values(),
        *vocabulary.FAILURE_CATEGORIES.values(),
        *vocabulary.HEALTHS.values(),
        *vocabulary.SCAN_BUILD_STATUSES.values(),
        *(told.meaning for told in vocabulary.FAILURE_CODES.values()),
        *(told.meaning for told in vocabulary.SHAPES.values()),
    ]
    assert [each for each in sentences if not (each[:1].isupper() and each.endswith("."))] == []
    assert len(set(sentences)) == len(sentences)


@pytest.mark.parametrize("code", get_args(FailureCode))
def test_a_code_is_retryable_for_people_as_it_is_for_the_deployer(code: FailureCode) -> None:
    answer = Answer("unknown", "unknown_failure", code)
    assert vocabulary.FAILURE_CODES[code].retryable is answer.retryable
