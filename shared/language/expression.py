"""What `${{ ... }}` inside a value says: found and parsed, bounded in length, number and depth. Pure.

    ${{ vars.port }}   ${{ vars["two words"].port }}   ${{ default(vars.host, "localhost") }}

An expression is a path of names, a constant (a text, a number, `true`, `false`, `null`), or a call of one
of the functions in `function.py`, whose arguments are expressions again. There are no operators. A text
stands between `"` or between `'`; that mark itself is written twice inside (`'it''s'`), and nothing
else is special there: a backslash is a backslash, a line end is a line end.

`$${{` stands for the text `${{`, which then begins no expression: of several dollars before `{{` one is
left out. Dollars anywhere else are themselves.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from shared.language.problem import Rule, quoted

TEMPLATE_CHARACTERS_MAX = 64 * 1024  # of a text that holds expressions
SHORT_CHARACTERS_MAX = 300
PARTS_MAX = 100  # expressions in one text
PATH_NAMES_MAX = 16
DEPTH_MAX = 8  # calls inside calls
ARGUMENTS_MAX = 32  # of one call
BUDGET_CHARACTERS = 2 * 1024**2  # of all results of one plan: they cost time, whether or not they go into it

OPENING = "${{"
_CLOSING = "}}"
_BLANKS = re.compile(r"[ \t\r\n]*")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,30})?(?:[eE][-+]?[0-9]{1,3})?(?![A-Za-z0-9_])")
_WHOLE = re.compile(r"-?[0-9]+")
_CONSTANTS = {"true": True, "false": False, "null": None}
_OPERATORS = ("||", "&&", "==", "!=", "?", "+")


@dataclass(frozen=True, slots=True)
class Mistake:
    """Why a text has no value."""

    message: str
    hint: str = ""
    absent: bool = False  # what is named may be missing: `default(a, b)` then gives its other value
    rule: Rule = "expression"


@dataclass(slots=True)
class Budget:
    """What all results of one plan may still hold together."""

    characters: int = BUDGET_CHARACTERS
    is_told: bool = False  # that it is spent; nothing is resolved after that

    @property
    def is_spent(self) -> bool:
        """Tell whether more was wanted of it than there was."""
        return self.characters < 0

    def spend(self, characters: int) -> bool:
        """Take from what is left; False if there is not enough."""
        self.characters -= characters
        return self.characters >= 0


@dataclass(frozen=True, slots=True)
class Path:
    """Names, each inside what those before it lead to."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Given:
    """A value that stands in the expression itself."""

    value: str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Invocation:
    """A function and its arguments; neither its name nor their number is judged yet."""

    function: str
    arguments: tuple["Term", ...]


Term = Path | Given | Invocation


@dataclass(frozen=True, slots=True)
class Expression:
    """One expression, parsed."""

    term: Term
    text: str  # as it was written, for messages


Template = tuple[str | Expression, ...]


def has_expression(text: str) -> bool:
    """Tell whether a text would be resolved, be it only to lose an escape."""
    return OPENING in text


def parse(text: str) -> Template | Mistake:
    """Return a text as literal parts and expressions; short ones are remembered, for every stage has them."""
    return _parse_short(text) if len(text) <= SHORT_CHARACTERS_MAX else _parse(text)


@lru_cache(maxsize=1024)
def _parse_short(text: str) -> Template | Mistake:
    return _parse(text)


def _parse(text: str) -> Template | Mistake:
    if len(text) > TEMPLATE_CHARACTERS_MAX:
        return _beyond(f"a text with expressions is longer than {TEMPLATE_CHARACTERS_MAX} characters")
    parts: list[str | Expression] = []
    literal: list[str] = []
    position = expressions = 0
    while (start := text.find(OPENING, position)) >= 0:
        if start > position and text[start - 1] == "$":
            literal.append(text[position : start - 1] + OPENING)
            position = start + len(OPENING)
            continue
        reader = _Reader(text, start + len(OPENING))
        term = _whole(reader)
        if isinstance(term, Mistake):
            return term
        literal.append(text[position:start])
        parts += [*_joined(literal), Expression(term, text[start : reader.position])]
        position = reader.position
        expressions += 1
        if expressions > PARTS_MAX:
            return _beyond(f"more than {PARTS_MAX} expressions stand in one text")
    literal.append(text[position:])
    return (*parts, *_joined(literal))


def roots(template: Template) -> frozenset[str]:
    """Return the first name of every path in a text."""
    return frozenset(names[0] for names in paths(template))


def paths(template: Template) -> Iterator[tuple[str, ...]]:
    """Yield every path in a text, as its names."""
    for part in template:
        if isinstance(part, Expression):
            yield from _paths(part.term)


def _paths(term: Term) -> Iterator[tuple[str, ...]]:
    match term:
        case Path(names):
            yield names
        case Invocation(_, arguments):
            for argument in arguments:
                yield from _paths(argument)


def _joined(literal: list[str]) -> list[str]:
    """Return what was gathered as one part, or as none, and gather anew."""
    text = "".join(literal)
    literal.clear()
    return [text] if text else []


@dataclass(slots=True)
class _Reader:
    """Reads on in a text; every verb passes blanks first."""

    text: str
    position: int

    def takes(self, mark: str) -> bool:
        self._pass_blanks()
        found = self.text.startswith(mark, self.position)
        self.position += len(mark) if found else 0
        return found

    def match(self, pattern: re.Pattern[str]) -> str:
        """Return what stands here if it is such; else nothing."""
        self._pass_blanks()
        found = pattern.match(self.text, self.position)
        if not found:
            return ""
        self.position = found.end()
        return found[0]

    def quoted(self) -> str | None:
        """Return the text between quotes that begins here, if one does."""
        self._pass_blanks()
        mark = self.text[self.position : self.position + 1]
        if mark not in {'"', "'"}:
            return None
        pieces: list[str] = []
        start = self.position + 1
        while (end := self.text.find(mark, start)) >= 0:
            pieces.append(self.text[start:end])
            if not self.text.startswith(mark, end + 1):
                self.position = end + 1
                return mark.join(pieces)
            start = end + 2
        return None

    def _pass_blanks(self) -> None:
        blanks = _BLANKS.match(self.text, self.position)
        self.position = blanks.end() if blanks else self.position


def _whole(reader: _Reader) -> Term | Mistake:
    """Read `term }}`."""
    start = reader.position
    term = _term(reader, 0)
    if isinstance(term, Mistake):
        return term
    if term is None or not reader.takes(_CLOSING):
        return _malformed(reader.text, start)
    return term


def _term(reader: _Reader, depth: int) -> Term | Mistake | None:
    """Read a path, a constant or a call; None if none stands here."""
    if name := reader.match(_NAME):
        if reader.takes("("):
            return _invocation(reader, name, depth + 1)
        path = _path(reader, name)
        alone = isinstance(path, Path) and len(path.names) == 1
        return Given(_CONSTANTS[name]) if alone and name in _CONSTANTS else path
    if (text := reader.quoted()) is not None:
        return Given(text)
    if number := reader.match(_NUMBER):
        value: int | float = int(number) if _WHOLE.fullmatch(number) else float(number)
        return Given(value) if math.isfinite(value) else Mistake(f"{quoted(number)} is too large a number")
    return None


def _path(reader: _Reader, first: str) -> Path | Mistake | None:
    """Read on from a first name: `(.name | ["text"])*`."""
    names = [first]
    while len(names) <= PATH_NAMES_MAX:
        name: str | None
        if reader.takes("."):
            name = reader.match(_NAME) or None
        elif reader.takes("["):
            text = reader.quoted()
            name = text if reader.takes("]") else None
        else:
            return Path(tuple(names))
        if name is None:
            return None
        names.append(name)
    return _beyond(f"an expression walks more than {PATH_NAMES_MAX} names")


def _invocation(reader: _Reader, function: str, depth: int) -> Invocation | Mistake | None:
    """Read on from the opening parenthesis."""
    if depth > DEPTH_MAX:
        return _beyond(f"functions are called more than {DEPTH_MAX} deep inside each other")
    arguments: list[Term] = []
    if reader.takes(")"):
        return Invocation(function, ())
    while len(arguments) < ARGUMENTS_MAX:
        argument = _term(reader, depth)
        if argument is None or isinstance(argument, Mistake):
            return argument
        arguments.append(argument)
        if reader.takes(")"):
            return Invocation(function, tuple(arguments))
        if not reader.takes(","):
            return None
    return _beyond(f"a function is given more than {ARGUMENTS_MAX} values")


def _beyond(message: str) -> Mistake:
    return Mistake(message, rule="limit")


def _malformed(text: str, start: int) -> Mistake:
    end = text.find(_CLOSING, start)
    if end < 0:
        hint = f"close it with {_CLOSING}, or write ${OPENING} for a text that begins no expression"
        return Mistake(f"{quoted(text[start - len(OPENING) :])} does not end", hint)
    inside = text[start:end]
    shown = quoted(f"{OPENING}{inside}{_CLOSING}")
    if any(operator in inside for operator in _OPERATORS):
        hint = "there are no operators: default(a, b) gives b where a is missing, format and join make texts"
    else:
        hint = 'write names with dots: ${{ vars.port }}, ${{ vars["a b"] }}, ${{ lower(vars.name) }}'
    return Mistake(f"{shown} is not an expression", hint)
