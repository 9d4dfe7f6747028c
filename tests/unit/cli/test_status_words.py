"""What stands in the status column besides the status."""

from typing import Any

import pytest

from services.cli.commands.status import _status

STAGE: dict[str, Any] = {"status": "running", "blockers": [], "stops": [], "approvals": [], "waiting": []}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "running"),
        ({"blockers": [{}]}, "running\nblocked"),
        ({"approvals": [{}], "blockers": [{}]}, "running\nblocked\nwaits for people"),
        ({"waiting": [{"wait": None}, {"wait": {"reason": "window"}}]}, "running\nwindow closed"),
        ({"waiting": [{"wait": {"reason": "lock"}}]}, "running"),
        ({"status": "paused", "stops": [{}]}, "paused"),
        ({"status": "deploying", "stops": [{}]}, "deploying\nstopped"),
    ],
)
def test_the_status_is_followed_by_what_keeps_the_stage(changes: dict[str, Any], said: str) -> None:
    assert _status(STAGE | changes) == said
