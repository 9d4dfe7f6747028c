"""A classified failure as people read it, at 80 columns and without colours."""

from typing import Any

import pytest

from services.cli import failure_words
from services.cli.paragraph import COLUMNS, paragraph

FAILURE: dict[str, Any] = {
    "failure_stage": "rollout",
    "category": "startup_failure",
    "code": "DEPLOYMENT_VERIFICATION_FAILED",
    "retryable": False,
    "rule": "module_missing",
    "confidence": "certain",
    "likely_cause": "The program imports a module that is not part of the artifact.",
    "evidence": [
        {"line": None, "text": "exit code 1"},
        {"line": 9, "text": "    import flask"},
        {"line": 10, "text": "ModuleNotFoundError: No module named 'flask'"},
    ],
    "fix": {
        "check": ["Whether requirements.txt names it.", "Whether the build installs it."],
        "commands": ["windlass logs shop 12", "pip install -r requirements.txt --target dist"],
        "done_when": "The service starts.",
    },
}


def test_it_says_what_it_is_what_says_so_and_what_to_do() -> None:
    assert list(failure_words.told(FAILURE)) == [
        "  failed in  rollout: startup_failure",
        "  code       DEPLOYMENT_VERIFICATION_FAILED; trying again alone will not help",
        "  by rule    module_missing, certain",
        "             docs/reference/error-catalog.md#module_missing",
        "",
        "Likely cause",
        "  The program imports a module that is not part of the artifact.",
        "",
        "What says so",
        "     | exit code 1",
        "   9 |     import flask",
        "  10 | ModuleNotFoundError: No module named 'flask'",
        "",
        "What to do",
        "  1. Whether requirements.txt names it.",
        "  2. Whether the build installs it.",
        "  try        windlass logs shop 12",
        "             pip install -r requirements.txt --target dist",
        "  done when  The service starts.",
    ]


def test_what_may_pass_and_what_is_a_guess_are_told_as_that() -> None:
    told = "\n".join(failure_words.told(FAILURE | {"retryable": True, "confidence": "guess"}))
    assert "; it may pass by itself" in told
    assert "module_missing, a guess: only how it ended is known" in told


def test_a_failure_of_which_only_a_name_is_known_has_no_empty_headings() -> None:
    nothing = {"evidence": [], "fix": {"check": [], "commands": [], "done_when": ""}}
    told = list(failure_words.told(FAILURE | nothing))
    assert told[-1] == "  The program imports a module that is not part of the artifact."
    assert "What to do" not in told
    assert "What says so" not in told


def test_a_confidence_of_a_newer_release_is_told_as_it_is() -> None:
    assert "  by rule    module_missing, proven" in list(
        failure_words.told(FAILURE | {"confidence": "proven"})
    )


def test_long_sentences_are_folded_and_commands_and_lines_of_a_log_stay_whole() -> None:
    long = "something that goes on and on " * 10
    fix = {"check": [long], "commands": [f"windlass logs {'x' * 90}"], "done_when": long}
    evidence = [{"line": None, "text": long}, {"line": 7, "text": "x" * 99}]
    told = list(failure_words.told(FAILURE | {"evidence": evidence, "fix": fix}))
    assert [line for line in told if len(line) > COLUMNS] == [
        f"  7 | {'x' * 99}",
        f"  try        windlass logs {'x' * 90}",
    ]
    words = " ".join(line.rpartition("|")[2] for line in told).split()
    assert words.count("something") == 30


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", []),
        ("one", ["> one"]),
        ("one\n\ntwo", ["> one", "", "  two"]),
        ("x" * 100, [f"> {'x' * 100}"]),
        (f"{'a ' * 39}b c", [f"> {'a ' * 38}a", "  b c"]),
    ],
)
def test_a_paragraph_keeps_its_own_lines_and_long_words(text: str, lines: list[str]) -> None:
    assert list(paragraph(text, "> ")) == lines
