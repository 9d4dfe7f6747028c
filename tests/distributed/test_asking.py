"""What a trial takes for a change of a run that was over."""

from typing import Any

import pytest

from tests.distributed.asking import Document, changes

OVER: Document = {
    "state": "Failed",
    "title": "",
    "failure": None,
    "timeline": [{"what": "run.queued", "at": "1"}, {"what": "run.failed", "at": "2"}],
}
NAMED = {"what": "failure.classified", "at": "3"}


def now(**changed: Any) -> Document:
    return OVER | changed


def test_a_failure_may_be_named_when_its_run_is_over() -> None:
    assert changes(OVER, now(failure={"code": "X"}, title="t", timeline=[*OVER["timeline"], NAMED])) == []


@pytest.mark.parametrize(
    ("changed", "key"),
    [
        ({"state": "Succeeded"}, "state"),
        ({"timeline": [*OVER["timeline"], {"what": "step.started", "at": "3"}]}, "timeline"),
        ({"timeline": OVER["timeline"][:1]}, "timeline"),
        ({"timeline": OVER["timeline"][::-1]}, "timeline"),
    ],
)
def test_nothing_else_may_change(changed: dict[str, Any], key: str) -> None:
    (told,) = changes(OVER, now(**changed))
    assert told.startswith(f"its {key} changed from")
