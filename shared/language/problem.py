"""Gathering every mistake in one pipeline file, with its place and what may have been meant."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from heapq import nlargest
from typing import Literal

from shared.plan import Problem

PROBLEMS_MAX = 100  # reported; a file with more has been told enough
GATHERED_MAX = 600  # kept at all
QUOTED_CHARACTERS_MAX = 60  # of a stranger's text inside a message
LINES_SEARCHED_MAX = 1_000  # below a value's beginning, for a part of it
TEXT_CHARACTERS_MAX = 200  # of what stands at the place
NAMES_SHOWN_MAX = 12
COMPARED_MAX = 12  # names that a word is compared with to the last character

# Which of the language's rules a problem breaks. The names are part of what `--json` and `--sarif` print.
Rule = Literal[
    "yaml",  # what YAML itself, or our subset of it, does not take
    "limit",  # more, deeper or longer than the language allows
    "version",
    "unknown-key",
    "missing-key",
    "wrong-type",
    "wrong-value",
    "duplicate",
    "unknown-name",  # of a step, an artifact, a window
    "cycle",
    "path",
    "expression",
    "secret",
    "port",
    "window",
    "location",  # where the file lies, or what it is called
    "no-effect",  # it is taken and changes nothing
    "unsupported",  # it is right, and this release cannot carry it out
]

RULES: dict[Rule, str] = {
    "yaml": "The file is one YAML document in UTF-8, without tags, merge keys or control characters.",
    "limit": "Files, values and plans have limits, so that none costs more than they allow.",
    "version": "The file says which version of the language it is written in.",
    "unknown-key": "Only the keys of the language may be used.",
    "missing-key": "Some keys must be there.",
    "wrong-type": "A value is a text, a number, a switch, a list or a mapping, as its key asks.",
    "wrong-value": "A value keeps to what its key allows.",
    "duplicate": "Names, ids and keys are unique where they stand.",
    "unknown-name": "What is referred to by name is defined in the file.",
    "cycle": "Steps do not wait for each other in a circle.",
    "path": "Paths start at the repository's root and stay inside it.",
    "expression": "An expression names something that has, or will have, a value.",
    "secret": "Secrets that are used exist.",
    "port": "A stable port belongs to one service of one stage.",
    "window": "A deployment window opens some time.",
    "location": "A pipeline file is called pipeline.yaml and lies in a folder that names the pipeline.",
    "no-effect": "What has no effect is better left out.",
    "unsupported": "This release can plan it and cannot carry it out.",
}


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where something stands in the file, both from 1."""

    line: int
    column: int
    end_column: int = field(default=0, compare=False)  # of what is on that line; 0: up to its end


WHOLE_FILE = Place(0, 1)


@dataclass(slots=True)
class Problems:
    """The mistakes of one file; one found twice is kept once."""

    file: str
    lines: Sequence[str] = ()  # the file's own, once it could be read
    _found: dict[Problem, None] = field(default_factory=dict)
    _wrong: set[tuple[int, int]] = field(default_factory=set)  # where errors are

    def add(self, place: Place, message: str, hint: str = "", rule: Rule = "wrong-value") -> None:
        """Keep a mistake."""
        self._keep(place, message, hint, rule, "error")

    def warn(self, place: Place, message: str, hint: str, rule: Rule) -> None:
        """Keep what is worth telling and keeps nobody from deploying."""
        if not self.has_error_at(place):
            self._keep(place, message, hint, rule, "warning")

    def add_unknown(
        self, place: Place, message: str, word: str, known: Sequence[str], rule: Rule = "unknown-name"
    ) -> None:
        """Keep the mistake of naming what is not there, with what may have been meant."""
        if not self.is_full:
            self.add(place, message, did_you_mean(word, known), rule)

    def within(self, place: Place, text: str) -> Place:
        """Return where a part of a value stands that goes over several lines; else the value's own place."""
        if place.end_column or not text or not 1 <= place.line <= len(self.lines):
            return place
        for number in range(place.line, min(place.line + LINES_SEARCHED_MAX, len(self.lines))):
            column = self.lines[number].find(text)
            if column >= 0:
                return Place(number + 1, column + 1, column + 1 + len(text))
        return place

    @property
    def is_full(self) -> bool:
        """Tell whether looking further would only cost time."""
        return len(self._found) >= GATHERED_MAX

    def extend(self, problems: Iterable[Problem]) -> None:
        """Keep mistakes found earlier."""
        for problem in problems:
            self._take(problem)

    def has_error_at(self, place: Place) -> bool:
        """Tell whether what stands there is known to be wrong: more to say of it would be a consequence."""
        return (place.line, place.column) in self._wrong

    def listed(self) -> tuple[Problem, ...]:
        """Return all of them in the order of the file."""
        return tuple(sorted(self._found, key=lambda problem: (problem.line, problem.column)))

    def reported(self) -> tuple[Problem, ...]:
        """Return as many as people are told of, errors before warnings where there are too many."""
        found = self.listed()
        if len(found) <= PROBLEMS_MAX:
            return found
        told = sorted(found, key=lambda problem: problem.severity)[:PROBLEMS_MAX]
        message = f"{len(found) - PROBLEMS_MAX} further problems are not listed"
        severity: Literal["error", "warning"] = "error" if self._wrong else "warning"
        last = Problem(file=self.file, line=0, column=1, message=message, rule="limit", severity=severity)
        return (*sorted(told, key=lambda problem: (problem.line, problem.column)), last)

    def _keep(
        self, place: Place, message: str, hint: str, rule: Rule, severity: Literal["error", "warning"]
    ) -> None:
        if self.is_full and (self._wrong or severity == "warning"):  # the first error is always kept
            return
        place = self._inside(place)
        problem = Problem(
            file=self.file,
            line=place.line,
            column=place.column,
            message=message,
            hint=hint,
            rule=rule,
            severity=severity,
            text=self._text(place),
        )
        self._take(problem)

    def _take(self, problem: Problem) -> None:
        self._found[problem] = None
        if problem.severity == "error":
            self._wrong.add((problem.line, problem.column))

    def _inside(self, place: Place) -> Place:
        """Return a place in the file; a parser may stop behind its last line."""
        if not self.lines or place.line <= len(self.lines):
            return place
        return Place(len(self.lines), len(self.lines[-1]) + 1)

    def _text(self, place: Place) -> str:
        if not 1 <= place.line <= len(self.lines):
            return ""
        line = self.lines[place.line - 1]
        end = place.end_column - 1 if place.end_column else len(line)
        return line[place.column - 1 : end].rstrip()[:TEXT_CHARACTERS_MAX]


def is_refused(problems: Iterable[Problem]) -> bool:
    """Tell whether these leave no plan."""
    return any(problem.severity == "error" for problem in problems)


def quoted(text: str) -> str:
    """Return a stranger's text fit for a message: bounded, on one line, its edges visible."""
    cut = text if len(text) <= QUOTED_CHARACTERS_MAX else f"{text[:QUOTED_CHARACTERS_MAX]}…"
    shown = "".join(mark if mark.isprintable() else ascii(mark)[1:-1] for mark in cut)
    return f'"{shown}"'


def nearest(word: str, known: Sequence[str]) -> str:
    """Return the known word that is probably meant by another; empty if there is none."""
    folded = {name.casefold(): name for name in reversed(known)}
    meant = word.casefold()[:QUOTED_CHARACTERS_MAX]
    likely = nlargest(COMPARED_MAX, folded, key=lambda name: _ends_alike(meant, name))
    near = get_close_matches(meant, likely, n=1, cutoff=0.6)
    return folded[near[0]] if near else ""


def _ends_alike(word: str, other: str) -> int:
    """Return how many characters two words share at both ends: cheap, where comparing them is not."""
    return _begin_alike(word, other) + _begin_alike(word[::-1], other[::-1])


def _begin_alike(word: str, other: str) -> int:
    alike = 0
    for one, another in zip(word, other, strict=False):
        if one != another:
            break
        alike += 1
    return alike


def did_you_mean(word: str, known: Sequence[str]) -> str:
    """Return a hint towards the known word that is nearest, or towards all of them."""
    if near := nearest(word, known):
        return f"did you mean {quoted(near)}?"
    if not known:
        return "there are none here"
    shown = ", ".join(quoted(name) for name in known[:NAMES_SHOWN_MAX])
    return f"known here: {shown}" + (", …" if len(known) > NAMES_SHOWN_MAX else "")
