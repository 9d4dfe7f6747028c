"""One file with what is wrong with it: what every form of the report is made from."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from shared.plan import Problem

# Where YAML, and with it every line number, begins a new line.
_LINE_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")


def is_unsupported(problem: Problem) -> bool:
    """Tell whether it is what this release cannot carry out, in a file that may be right."""
    return problem.rule == "unsupported" and problem.severity == "warning"


class CheckedFile(NamedTuple):
    """A file that was looked at. Undecodable bytes of its name are kept as surrogates, as `os` does it."""

    path: str  # from the repository's root, with slashes; absolute outside of any repository
    shown: str  # as it is found from the current folder
    pipeline: str  # its slug; empty if it lies where no push finds it
    source: bytes  # as much as was read
    problems: tuple[Problem, ...]

    def count(self, severity: str) -> int:
        """Return how many problems are that severe."""
        return sum(problem.severity == severity for problem in self.problems)

    def is_valid(self, *, strict: bool) -> bool:
        """Tell whether it passes; strictly means that warnings count."""
        return not (self.problems if strict else self.count("error"))

    @property
    def unsupported(self) -> int:
        """The number of reasons for which this release refuses a push of a file that is right."""
        return sum(is_unsupported(problem) for problem in self.problems)

    @property
    def is_deployable(self) -> bool:
        """Whether this release could carry it out."""
        return not self.count("error") and not self.unsupported

    def lines(self) -> Sequence[str]:
        """Return its text as the problems count lines; nothing where there is none to show."""
        if not self.problems:
            return ()
        return _LINE_BREAK.split(self.source.decode("utf-8-sig", "replace"))
