"""`windlass why` says what the API says, word for word, of whatever is waited for."""

from datetime import timedelta
from itertools import product
from typing import get_args

import pytest

from services.cli.commands.why import _show
from services.status.explanation import WAITS_FOR, why
from services.status.views import Slot, StageView
from shared.events import Wait
from shared.events.waits import WaitReason
from tests.builders import START, named

REASONS: tuple[WaitReason, ...] = get_args(WaitReason)


def slot(reason: WaitReason, state: str) -> Slot:
    wait = Wait(
        reason=reason,
        blocked_by="what is in the way",
        released_by="somebody who moves it",
        since=START,
        deadline=START + timedelta(hours=1),
    )
    return Slot(
        run=named("run"), revision=12, kind="deploy", commit="c" * 40, state=state, since=START, wait=wait
    )


def stage(reason: WaitReason, *, holds: bool) -> StageView:
    here = slot(reason, "In Progress" if holds else "Not Started")
    parts = {"running": here} if holds else {"waiting": (here,)}
    return StageView(pipeline="shop", stage="staging").model_copy(update=parts)


@pytest.mark.parametrize(("reason", "holds"), list(product(REASONS, (True, False))))
def test_the_command_says_what_the_api_says(
    reason: WaitReason,
    holds: bool,
    capsys: pytest.CaptureFixture[str],
) -> None:
    view = stage(reason, holds=holds)
    (said,) = why(view)
    assert said.text.endswith(f"{WAITS_FOR[reason]}: what is in the way; released by somebody who moves it.")
    assert (said.since, said.deadline) == (START, START + timedelta(hours=1))
    document = view.model_dump(mode="json") | {"why": [said.model_dump(mode="json")]}
    _show(document)
    heading, line, *given = capsys.readouterr().out.splitlines()
    assert given == [f"    `{command}`" for command in said.commands]
    assert heading.startswith("shop/staging is ")
    assert line.startswith(f"  {said.text} (for ")
    assert "by itself" in line


def test_every_reason_has_words() -> None:
    assert set(WAITS_FOR) == set(REASONS)
