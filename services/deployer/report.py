"""What a report says of tests: how many did what, and which of them failed. Values only.

How a report is written is known to `junit` and `jest`.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice

from shared.events import FailedTest
from shared.events.shown import FAILED_TESTS_MAX, TEST_MESSAGE_CHARACTERS_MAX

NAME_CHARACTERS_MAX = 300  # of a test's name

_COLOUR = re.compile(r"\x1b\[[0-9;?]{0,40}[ -/]{0,4}[@-~]")


@dataclass(frozen=True, slots=True)
class Report:
    """The tests of one report, or of several together."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0
    failures: tuple[FailedTest, ...] = ()  # the first `FAILED_TESTS_MAX`

    @property
    def total(self) -> int:
        """Return how many tests it tells of."""
        return self.passed + self.failed + self.skipped


def together(reports: Iterable[Report]) -> Report:
    """Return what several reports say, in their order."""
    each = list(reports)
    return Report(
        passed=sum(report.passed for report in each),
        failed=sum(report.failed for report in each),
        skipped=sum(report.skipped for report in each),
        failures=first(chain.from_iterable(report.failures for report in each)),
    )


def first(failures: Iterable[FailedTest]) -> tuple[FailedTest, ...]:
    """Return as many failures as are told."""
    return tuple(islice(failures, FAILED_TESTS_MAX))


def failed_test(name: str, message: str) -> FailedTest:
    """Return a failure as people can read it, bounded."""
    said = shown(message, TEST_MESSAGE_CHARACTERS_MAX)
    return FailedTest(name=shown(name, NAME_CHARACTERS_MAX) or "a test without a name", message=said)


def shown(text: str, characters_max: int) -> str:
    """Return text that a stranger's program wrote without what terminals or pages would obey."""
    plain = uncoloured(text[: characters_max * 4])
    clean = "".join(_visible(plain)).strip()
    return clean if len(clean) <= characters_max else f"{clean[: characters_max - 1]}…"


def uncoloured(text: str) -> str:
    """Return text without the sequences that colour it on a terminal."""
    return _COLOUR.sub("", text)


def _visible(text: str) -> Iterator[str]:
    return (mark if mark.isprintable() or mark == "\n" else " " for mark in text)
