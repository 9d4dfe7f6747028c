"""What operations, gates, the audit trail and shipments are called."""

from typing import Any

import pytest

from services.cli import operation_words as words
from services.status.routes.asked import OF_A_STAGE

ANSWER: dict[str, Any] = {"operation": "0f", "kind": "retry", "answer": "accepted", "message": ""}


@pytest.mark.parametrize(
    ("changes", "dry_run", "said"),
    [
        pytest.param({}, False, "shop/live tries again.", id="accepted without a word"),
        pytest.param({"message": "it is so"}, False, "shop/live tries again: it is so.", id="with one"),
        pytest.param(
            {"kind": "rollback", "message": "so"},
            True,
            "If you asked for it, shop/live would go back: so.",
            id="only what would happen",
        ),
        pytest.param(
            {"kind": "cancel", "message": "revision 5, which waited, is cancelled"},
            False,
            "shop/live: revision 5, which waited, is cancelled.",
            id="the answer names the run",
        ),
        pytest.param({"message": "it is so."}, False, "shop/live tries again: it is so.", id="ended once"),
        pytest.param(
            {"answer": "pending"},
            False,
            "Asked for as operation 0f; shop/live has not answered yet. "
            "`windlass history` shows the answer once there is one.",
            id="not answered yet",
        ),
    ],
)
def test_an_answer_is_a_sentence(changes: dict[str, str], dry_run: bool, said: str) -> None:
    assert words.told(ANSWER | changes, "shop/live", dry_run=dry_run) == said


def test_every_operation_has_its_words() -> None:
    assert set(words.ACCEPTED) == {offered.path for offered in OF_A_STAGE}


def test_a_refusal_says_what_was_refused_and_why() -> None:
    answer = ANSWER | {"kind": "roll-forward", "message": "revision 4 is not built"}
    assert words.refusal(answer, "shop/live") == "shop/live refuses to roll forward: revision 4 is not built."
    answer = ANSWER | {"kind": "rollback", "message": "nothing ran."}
    assert words.refusal(answer, "shop/live") == "shop/live refuses to roll back: nothing ran."


def test_an_entry_of_the_trail_has_its_instant_in_utc_and_its_answer() -> None:
    operation = {"answer": "refused", "message": "nothing runs"}
    each = {"at": "2026-03-02T12:00:00+01:00", "text": "Asked to cancel", "operation": operation}
    assert words.entry(each) == "2026-03-02 11:00:00Z  Asked to cancel (refused: nothing runs)"


def test_a_commit_without_a_revision_is_told_with_what_became_of_its_push() -> None:
    decision = {"decision": "skipped", "message": "", "reason": "untouched"}
    found = {"commit": "a" * 40, "revision": None, "decision": decision}
    assert list(words.shipped(found)) == ["aaaaaaaa is in no revision: its push was skipped. untouched"]


def test_a_commit_that_another_one_contains_is_told_with_the_revision_of_that() -> None:
    told = {"stage": "live", "text": "Revision 4 brought it.", "at": None}
    revision = {"revision": 3, "commit": "b" * 40, "shipped": [told]}
    found = {"commit": "a" * 40, "revision": revision, "decision": None}
    assert list(words.shipped(found)) == [
        "aaaaaaaa is in revision 3, which contains it.",
        "  live: Revision 4 brought it.",
    ]


def test_what_a_rollback_would_do_is_no_rollback_in_the_trail() -> None:
    operation = {"answer": "accepted", "message": "revision 3 is restored", "dry_run": True}
    text = "Asked what a rollback would do in live, by ann"
    each = {"at": "2026-03-02T12:00:00+01:00", "text": text, "operation": operation}
    assert words.entry(each) == f"2026-03-02 11:00:00Z  {text} (would: revision 3 is restored)"
    refused = operation | {"answer": "refused", "message": "nothing runs"}
    assert words.entry(each | {"operation": refused}).endswith(" (refused: nothing runs)")
