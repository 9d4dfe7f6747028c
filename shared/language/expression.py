"""`${{ vars.region }}` inside values: found, parsed and resolved. Pure, and bounded in size and steps.

An expression is a path: a name, then `.name` or `["any text"]`, through mappings only. There are no
operators, no attributes and no calls, so there is nothing to escape into. What an expression gives is
never read for expressions again.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from shared.language.problem import did_you_mean, quoted

TEMPLATE_CHARACTERS_MAX = 64 * 1024  # of a text that holds expressions
PARTS_MAX = 100  # expressions in one text
PATH_NAMES_MAX = 16
RESULT_CHARACTERS_MAX = 64 * 1024  # of one text after resolving
BUDGET_CHARACTERS = 2 * 1024**2  # of all results of one plan, four times what a plan may hold

OPENING = "${{"
_CLOSING = "}}"
_TOKEN = re.compile(
    r"""[ \t\r\n]*(?:
        (?P<name>[A-Za-z_][A-Za-z0-9_-]*)
      | (?P<closing>\}\})
      | (?P<mark>[.\[\]()])
      | "(?P<double>[^"\n]*)"
      | '(?P<single>[^'\n]*)'
    )""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Path:
    """One expression, parsed."""

    names: tuple[str, ...]
    text: str  # as it was written, for messages


@dataclass(frozen=True, slots=True)
class Mistake:
    """Why a text has no value."""

    message: str
    hint: str = ""


Template = tuple[str | Path, ...]


@dataclass(slots=True)
class Budget:
    """What all results of one plan may still hold together."""

    characters: int = BUDGET_CHARACTERS

    def spend(self, characters: int) -> bool:
        """Take from what is left; False if there is not enough."""
        self.characters -= characters
        return self.characters >= 0


def has_expression(text: str) -> bool:
    """Tell whether a text would be resolved."""
    return OPENING in text


def parse(text: str) -> Template | Mistake:
    """Return a text as literal parts and paths."""
    if len(text) > TEMPLATE_CHARACTERS_MAX:
        return Mistake(f"a text with expressions is longer than {TEMPLATE_CHARACTERS_MAX} characters")
    parts: list[str | Path] = []
    position = expressions = 0
    while (start := text.find(OPENING, position)) >= 0:
        if start > position:
            parts.append(text[position:start])
        tokens = _Tokens(text, start + len(OPENING))
        names = _path(tokens)
        if isinstance(names, Mistake):
            return names
        position = tokens.position
        parts.append(Path(names, text[start:position]))
        expressions += 1
        if expressions > PARTS_MAX:
            return Mistake(f"more than {PARTS_MAX} expressions stand in one text")
    if position < len(text):
        parts.append(text[position:])
    return tuple(parts)


def resolve(template: Template, scope: Mapping[str, Any], budget: Budget) -> Any | Mistake:
    """Return the template's value: of any type if it is one expression and nothing else, else text."""
    if len(template) == 1 and isinstance(template[0], Path):
        value = look_up(template[0], scope)
        return value if budget.spend(_size(value)) else _out_of_budget()
    pieces: list[str] = []
    size = 0
    for part in template:
        piece = part if isinstance(part, str) else _as_text(part, scope)
        if isinstance(piece, Mistake):
            return piece
        size += len(piece)
        if size > RESULT_CHARACTERS_MAX:
            return Mistake(f"the result is longer than {RESULT_CHARACTERS_MAX} characters")
        pieces.append(piece)
    return "".join(pieces) if budget.spend(size) else _out_of_budget()


def look_up(path: Path, scope: Mapping[str, Any]) -> Any | Mistake:
    """Return what a path leads to."""
    value: Any = scope
    for depth, name in enumerate(path.names):
        walked = ".".join(path.names[:depth])
        if not isinstance(value, Mapping):
            message = f"{quoted(path.text)} has no value: {quoted(walked)} holds no names"
            return Mistake(message)
        if name not in value:
            inside = f" in {quoted(walked)}" if walked else ""
            message = f"{quoted(path.text)} has no value: there is no {quoted(name)}{inside}"
            return Mistake(message, did_you_mean(name, [str(known) for known in value]))
        value = value[name]
    return value


def as_text(value: Any) -> str | None:
    """Return a value as it is written into a text; None if it cannot be."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    return None


def _as_text(path: Path, scope: Mapping[str, Any]) -> str | Mistake:
    value = look_up(path, scope)
    if isinstance(value, Mistake):
        return value
    text = as_text(value)
    if text is None:
        kind = "empty" if value is None else "a list or a mapping"
        message = f"{quoted(path.text)} is {kind} and cannot stand inside a text"
        return Mistake(message, "it can be a whole value of its own")
    return text


def _size(value: Any) -> int:
    return len(value) if isinstance(value, str) else len(json.dumps(value, default=str))


def _out_of_budget() -> Mistake:
    return Mistake("the expressions of this file give more text than a plan can hold")


@dataclass(slots=True)
class _Tokens:
    """Reads on in a text, one token at a time."""

    text: str
    position: int

    def __iter__(self) -> Iterator[tuple[str, str]]:
        while match := _TOKEN.match(self.text, self.position):
            self.position = match.end()
            kind = match.lastgroup or ""
            yield ("text" if kind in {"double", "single"} else kind), match[kind]


def _path(tokens: _Tokens) -> tuple[str, ...] | Mistake:
    """Read `name(.name | ["text"])* }}`."""
    start = tokens.position
    names: list[str] = []
    expected = "name"
    for kind, value in tokens:
        following = _FOLLOWING.get((expected, value if kind == "mark" else kind))
        if following is None:
            break
        if following == "done":
            return tuple(names)
        if kind in {"name", "text"}:
            names.append(value)
        if len(names) > PATH_NAMES_MAX:
            return Mistake(f"an expression walks more than {PATH_NAMES_MAX} names")
        expected = following
    return _malformed(tokens, start)


# fmt: off
_FOLLOWING = {
    ("name", "name"): "more",
    ("more", "."): "member", ("more", "["): "key", ("more", "closing"): "done",
    ("member", "name"): "more",
    ("key", "text"): "bracket",
    ("bracket", "]"): "more",
}
# fmt: on


def _malformed(tokens: _Tokens, start: int) -> Mistake:
    rest = tokens.text[start:]
    end = rest.find(_CLOSING)
    if end < 0:
        return Mistake(f"{quoted(OPENING + rest)} does not end", f"close it with {_CLOSING}")
    shown = quoted(OPENING + rest[: end + 2])
    if "(" in rest[:end]:
        return Mistake(f"{shown} calls a function, and there are none in this version")
    return Mistake(
        f"{shown} is not an expression", 'write names with dots: ${{ vars.port }}, ${{ vars["a b"] }}'
    )
