"""What every party is asked to do: five steps one after another, and the file in which they tell of it.

Each is the same line for `/bin/sh`: it says the time, as the first thing it does, to its output and to the
file. Times are those of the steps' own processes, never what a party says about itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from pathlib import Path
from typing import NamedTuple

STEPS = ("one", "two", "three", "four", "five")
COMMIT = "WINDLASS_COMMIT"  # in the environment of steps; peers are told to put it there


class Told(NamedTuple):
    """A step's process began."""

    step: str
    commit: str
    at: float  # seconds since the epoch


@dataclass(frozen=True, slots=True)
class Work:
    """Five steps that tell of themselves in one file."""

    file: Path
    pause_seconds: float = 0.0  # each step's, after it has told
    held_seconds: float = 0.0  # the first step's, as long as `hold` exists

    @property
    def hold(self) -> Path:
        """Return the file that makes first steps take long."""
        return self.file.with_name("hold")

    def script(self, step: str) -> str:
        """Return what the shell is given for a step."""
        lines = ["at=$(date +%s.%N)", "echo $at", f'echo "{step} ${COMMIT} $at" >> {self.file}']
        if self.pause_seconds:
            lines.append(f"sleep {self.pause_seconds}")
        if self.held_seconds and step == STEPS[0]:  # looked at before it is told: then `hold` may go
            lines.insert(1, f"long=0; if [ -e {self.hold} ]; then long={self.held_seconds}; fi")
            lines.append('if [ "$long" != 0 ]; then sleep "$long"; fi')
        return "; ".join(lines)

    @property
    def told(self) -> list[Told]:
        """Return what was told so far; a line that is being written is not there yet."""
        if not self.file.exists():
            return []
        lines = self.file.read_text("utf-8").split("\n")[:-1]
        words = (line.split(" ") for line in lines)
        return [Told(step, commit, float(at)) for step, commit, at in words]

    def of(self, commit: str) -> list[Told]:
        """Return what was told while this commit was deployed."""
        return [each for each in self.told if each.commit == commit]


def gaps(told: Sequence[Told]) -> list[float]:
    """Return the seconds from each step's process to the next one's, within each deployment."""
    ordered = sorted(told, key=lambda each: each.at)
    by_commit = [list(group) for _, group in groupby(ordered, key=lambda each: each.commit)]
    return [two.at - one.at for group in by_commit for one, two in pairwise(group)]


def whole(told: Sequence[Told]) -> bool:
    """Tell whether these are all five steps, once each and in order."""
    return [each.step for each in sorted(told, key=lambda each: each.at)] == list(STEPS)


def repeated(told: Sequence[Told]) -> int:
    """Return how many effects of a commit's steps are more than one for each step."""
    return len(told) - len({(each.step, each.commit) for each in told})
