"""Gathering every mistake in one pipeline file, with its place and what may have been meant."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

from shared.plan import Problem

PROBLEMS_MAX = 100  # reported; a file with more has been told enough
GATHERED_MAX = 1_000  # kept at all
QUOTED_CHARACTERS_MAX = 60  # of a stranger's text inside a message
NAMES_SHOWN_MAX = 12


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where something stands in the file, both from 1."""

    line: int
    column: int


WHOLE_FILE = Place(0, 1)


@dataclass(slots=True)
class Problems:
    """The mistakes of one file; one found twice is kept once."""

    file: str
    _found: dict[Problem, None] = field(default_factory=dict)

    def add(self, place: Place, message: str, hint: str = "") -> None:
        """Keep a mistake."""
        if not self.is_full:
            problem = Problem(
                file=self.file, line=place.line, column=place.column, message=message, hint=hint
            )
            self._found[problem] = None

    def add_unknown(self, place: Place, message: str, word: str, known: Sequence[str]) -> None:
        """Keep the mistake of naming what is not there, with what may have been meant."""
        if not self.is_full:
            self.add(place, message, did_you_mean(word, known))

    @property
    def is_full(self) -> bool:
        """Tell whether looking further would only cost time."""
        return len(self._found) >= GATHERED_MAX

    def extend(self, problems: Iterable[Problem]) -> None:
        """Keep mistakes found earlier."""
        self._found.update(dict.fromkeys(problems))

    def listed(self) -> tuple[Problem, ...]:
        """Return all of them in the order of the file."""
        return tuple(sorted(self._found, key=lambda problem: (problem.line, problem.column)))

    def reported(self) -> tuple[Problem, ...]:
        """Return as many as people are told of, and how many more there are."""
        found = self.listed()
        if len(found) <= PROBLEMS_MAX:
            return found
        message = f"{len(found) - PROBLEMS_MAX} further problems are not listed"
        return (*found[:PROBLEMS_MAX], Problem(file=self.file, line=0, column=1, message=message))


def quoted(text: str) -> str:
    """Return a stranger's text fit for a message: bounded, on one line, its edges visible."""
    cut = text if len(text) <= QUOTED_CHARACTERS_MAX else f"{text[:QUOTED_CHARACTERS_MAX]}…"
    shown = "".join(mark if mark.isprintable() else ascii(mark)[1:-1] for mark in cut)
    return f'"{shown}"'


def did_you_mean(word: str, known: Sequence[str]) -> str:
    """Return a hint towards the known word that is nearest, or towards all of them."""
    folded = {name.casefold(): name for name in reversed(known)}
    near = get_close_matches(word.casefold()[:QUOTED_CHARACTERS_MAX], folded, n=1, cutoff=0.6)
    if near:
        return f"did you mean {quoted(folded[near[0]])}?"
    if not known:
        return "there are none here"
    shown = ", ".join(quoted(name) for name in known[:NAMES_SHOWN_MAX])
    return f"known here: {shown}" + (", …" if len(known) > NAMES_SHOWN_MAX else "")
