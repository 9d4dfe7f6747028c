"""What is printed before a person's approval is asked for."""

from typing import Any

from services.cli import approval_words as words

RUN: dict[str, Any] = {
    "pipeline": "shop", "stage": "live", "revision": 3, "commit": "a" * 40, "title": "Prices",
    "steps": [{"step": "go", "name": "Go live"}],
}  # fmt: skip
TESTS: dict[str, Any] = {
    "exit_code": 1,
    "passed": 117,
    "failed": 3,
    "skipped": 1,
    "note": "",
    "failures": [{"name": "checkout > total", "message": "expected 30.00\ngot 29.99"}],
}
CHANGES = {"summary": "1 to add, 1 to destroy", "destructive": True, "changes": ["replace web", "add db"]}
ASKS = "step 'Go live' has 0 of 1 approvals: Has support been told?"
GATE: dict[str, Any] = {
    "wait": {"blocked_by": ASKS},
    "plan_hash": "p1",
    "artifacts": {"web": "sha256:1"},
    "tests": None,
    "changes": None,
}
APPROVAL: dict[str, Any] = {
    "of": "gate",
    "step": "go",
    "revision": 3,
    "needed": 1,
    "given": 0,
    "approvers": [],
    "deadline": None,
    "answers": [],
    "gate": GATE,
    "definition": None,
}
TITLE = "Step Go live of revision 3 (aaaaaaaa Prices) in shop/live:"


def printed(**changes: Any) -> list[str]:
    return list(words.to_approve(APPROVAL | changes, RUN))


def test_what_is_approved_is_shown_whole() -> None:
    answers = [{"verdict": "approved", "actor": "bob", "comment": "fine"}]
    assert printed(answers=answers, needed=2, given=1, approvers=["bob", "eve"]) == [
        TITLE,
        f"  waits     {ASKS}",
        "  plan      p1",
        "  artifact  web sha256:1",
        "  approved by bob: fine",
        "  by        bob, eve",
        "  1 of 2 approvals so far",
    ]


def test_until_when_is_told_in_utc() -> None:
    assert "  until     2020-03-02 09:30 UTC (" in printed(deadline="2020-03-02T10:30:00+01:00")[-1]


def test_tests_that_failed_are_shown_with_their_messages_line_by_line() -> None:
    assert printed(gate=GATE | {"tests": TESTS})[4:] == [
        "  tests     117 passed, 3 failed, 1 skipped, exit code 1",
        "            checkout > total",
        "              expected 30.00",
        "              got 29.99",
        "            and 2 more: `windlass logs` has their output",
    ]


def test_what_is_missing_in_a_report_is_told() -> None:
    lines = printed(gate=GATE | {"tests": TESTS | {"failures": [], "note": "reports.xml is no XML"}})
    assert lines[-1] == "            (reports.xml is no XML)"


def test_a_test_without_a_report_has_its_exit_code() -> None:
    nothing = dict.fromkeys(("passed", "failed", "skipped"))
    assert words.counts(TESTS | nothing) == "exit code 1"
    assert words.counts(TESTS | nothing | {"exit_code": None}) == "ended from outside"


def test_changes_to_infrastructure_are_all_shown_and_destruction_is_said_first() -> None:
    assert printed(gate=GATE | {"changes": CHANGES})[4:] == [
        "  changes   1 to add, 1 to destroy",
        "            Something is destroyed or replaced.",
        "            replace web",
        "            add db",
    ]


def test_changes_of_the_pipeline_file_are_shown_with_how_many_more_there_are() -> None:
    held = {"plan_hash": "p1", "changes": ["step Go live is taken out"], "further": 4}
    assert printed(of="definition", step="", gate=None, definition=held) == [
        "Changes of the pipeline file in revision 3 (aaaaaaaa Prices), before it begins in shop/live:",
        "  plan      p1",
        "  - step Go live is taken out",
        "  - and 4 more: `windlass plan` shows all of them",
    ]
