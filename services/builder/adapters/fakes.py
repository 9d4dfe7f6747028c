"""Doubles of what a bench works with; repositories, processes and the store have their own."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from shared.events import LogLine


@dataclass
class FakeBuildLog:
    """Keeps lines in memory, by number."""

    lines: list[LogLine] = field(default_factory=list)

    async def next_line(self) -> int:
        """Return how many there are."""
        return len(self.lines)

    async def append(self, first_line: int, lines: Sequence[LogLine]) -> None:
        """Put the lines at their numbers; a gap is a bug of whoever calls."""
        assert first_line <= len(self.lines), "lines are missing"
        self.lines[first_line:] = lines

    @property
    def texts(self) -> list[str]:
        """Return the lines without their times."""
        return [line.text for line in self.lines]
