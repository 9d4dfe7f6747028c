"""What jest prints of its tests, out of an attempt's output. Pure.

It writes no file unless asked, and a summary always: "Tests:  1 failed, 2 skipped, 39 passed, 42 total".
A command that runs it in several projects prints several; they are added.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

from services.deployer.report import Report, failed_test, first, shown, uncoloured
from shared.events import FailedTest

LINE_CHARACTERS_MAX = 2_000  # of a line that is looked at
NUMBER_CHARACTERS_MAX = 9

_COUNTED = {
    "failed": "failed",
    "passed": "passed",
    "skipped": "skipped",
    "todo": "skipped",
    "pending": "skipped",  # older than 24
}
_MARK = "● "
_PATH = " \u203a "  # between a suite and what is in it
_HEADINGS = frozenset({"Console", "Test suite failed to run"})  # marked like a test, but none
_INDENTED = re.compile(r" {2}● \S")  # what a test itself prints is further in


def read(lines: Sequence[str]) -> Report | None:
    """Return what the summaries say; None when there is none."""
    plain = [uncoloured(line[:LINE_CHARACTERS_MAX]).rstrip() for line in lines]
    summaries = [counts for line in plain if (counts := _summary(line))]
    if not summaries:
        return None
    failed = sum(counts["failed"] for counts in summaries)
    return Report(
        passed=sum(counts["passed"] for counts in summaries),
        failed=failed,
        skipped=sum(counts["skipped"] for counts in summaries),
        failures=first(_failures(plain))[:failed],
    )


def _summary(line: str) -> dict[str, int] | None:
    """Return the numbers of a summary's line; what a runner puts in front of each line is passed over."""
    before, label, numbers = line.partition("Tests:")
    if not label or (before and not before[-1].isspace()):
        return None
    parts = [part.split() for part in numbers.split(",")]
    if not all(len(part) == 2 and _is_number(part[0]) for part in parts) or parts[-1][1] != "total":
        return None
    counts = {"failed": 0, "passed": 0, "skipped": 0}
    for number, word in parts[:-1]:
        if word not in _COUNTED:
            return None
        counts[_COUNTED[word]] += int(number)
    return counts


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= NUMBER_CHARACTERS_MAX


def _failures(lines: Sequence[str]) -> Iterator[FailedTest]:
    """Yield each failed test once: of many, jest tells a second time at the end."""
    told: set[str] = set()
    for number, line in enumerate(lines):
        name = _name(line)
        if name and name not in told:
            told.add(name)
            yield failed_test(name, _message(lines[number + 1 : number + 6]))


def _name(line: str) -> str:
    """Return the name on a failed test's line: its suites and itself, or itself alone."""
    name = line.partition(_MARK)[2].strip()
    is_test = _PATH in name or (bool(_INDENTED.match(line)) and name not in _HEADINGS)
    return shown(name, LINE_CHARACTERS_MAX) if is_test else ""


def _message(following: Iterable[str]) -> str:
    return next((line.strip() for line in following if line.strip()), "")
