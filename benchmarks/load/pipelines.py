"""Pipelines by the dozen: the files of their repository, and what their steps have noted."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

NOTHING = "true"
NOTE = 'echo "$WINDLASS_REVISION $WINDLASS_STEP $(date +%s.%N)" >> "{file}"'

HEAD = """\
version: "1"
pipeline:
  tracks: {tracks}
  stages:
    - name: live
  steps:
"""
STEP = """\
    - name: step-{number}
      type: SCRIPT:EXECUTE
      params:
        commands:
          - '{command}'
"""


@dataclass(frozen=True, slots=True)
class Note:
    """What a step has said of itself: that it ran, and when."""

    revision: int
    step: str
    at: float  # seconds, the machine's clock


def manifest(steps: int, command: str = NOTHING, tracks: str = "main") -> str:
    """Return a file of one stage, whose steps do the same one after the other; no ' in the command."""
    work = (STEP.format(number=number, command=command) for number in range(1, steps + 1))
    return HEAD.format(tracks=tracks) + "".join(work)


def noting(file: Path) -> str:
    """Return the command of a step that only tells the time."""
    return NOTE.format(file=file)


def read_notes(text: str) -> list[Note]:
    """Return what was noted, without a line that is being written."""
    whole = text[: text.rfind("\n") + 1]
    rows = (line.split() for line in whole.splitlines())
    return [Note(int(revision), step, float(at)) for revision, step, at in rows]


def first_of(notes: Iterable[Note], revision: int) -> float:
    """Return when the first step of a revision spoke."""
    return min(note.at for note in notes if note.revision == revision)


def gaps(notes: Iterable[Note], revisions: Sequence[int]) -> list[float]:
    """Return the seconds from step to next step of these revisions."""
    by_revision = defaultdict(list)
    for note in notes:
        by_revision[note.revision].append(note.at)
    return [
        after - before for revision in revisions for before, after in pairwise(sorted(by_revision[revision]))
    ]
