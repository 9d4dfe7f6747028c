"""`docs/reference/deployment-status.md` has every fixed word and every row of the tables that decide."""

from typing import get_args

import pytest

from deploy.docs import deployment_status as page
from deploy.docs.page import PAGES
from services.status import aftermath, deployment_status
from services.status.views import DeploymentStatus
from services.verifier import health
from shared.diagnosis.vocabulary import ScanBuildStatus
from shared.events.health import Health
from shared.events.verification import Confidence, FailureCategory, FailureCode, FailureStage
from shared.scan.result import Shape

TEXT = page.render()
VOCABULARIES = (
    DeploymentStatus, Health, FailureStage, FailureCategory, FailureCode, Confidence, Shape, ScanBuildStatus,
)  # fmt: skip


@pytest.mark.parametrize("word", [word for words in VOCABULARIES for word in get_args(words)])
def test_every_fixed_word_has_a_row(word: str) -> None:
    assert f"\n| `{word}` | " in TEXT


def test_every_row_that_decides_is_told_in_its_order() -> None:
    told = [row.condition for row in deployment_status.ROWS]
    told += [row.when for row in health.TABLE]
    told += [each.when for each in aftermath.AFTERMATHS]
    places = [TEXT.find(each) for each in told]
    assert -1 not in places
    assert places == sorted(places)


def test_a_change_of_health_says_from_what_and_to_what() -> None:
    for row in health.TABLE:
        before = ", ".join(f"`{name}`" for name in health.WORSE if name in row.before)
        assert f"| {before} | {row.when} | `{row.to}` |" in TEXT


def test_the_page_is_among_those_that_are_written() -> None:
    assert [each.render() for each in PAGES if each.path == "docs/reference/deployment-status.md"] == [TEXT]
