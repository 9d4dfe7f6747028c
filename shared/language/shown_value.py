"""Values of a plan as people read them, with what is filled in later named in its place. Pure.

What is filled in later is shown between ⟨ and ⟩. A user's own text never has these two characters here:
they are shown as numbers, so that nothing written looks like something planned.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from shared.placeholder import (
    ArtifactOf,
    Call,
    Constant,
    FactOf,
    Joined,
    LateValue,
    OutputOf,
    Placeholder,
    SecretOf,
)

VALUE_CHARACTERS_MAX = 200  # of one value that is shown
BEFORE_MAX = 40  # of them before the first difference, where two long values are shown side by side
CUT = "…"

Names = Mapping[str, str]  # ids of steps -> what people call them


def filled(values: Any, late: Sequence[Placeholder]) -> Any:
    """Return a plan's JSON with what is filled in later in its place, as a `LateValue`."""
    return _filled(values, (), {placeholder.at: placeholder.value for placeholder in late})


def _filled(values: Any, at: tuple[str | int, ...], late: Mapping[tuple[str | int, ...], LateValue]) -> Any:
    if at in late:
        return late[at]
    if not late:
        return values
    if isinstance(values, dict):
        return {key: _filled(value, (*at, key), late) for key, value in values.items()}
    if isinstance(values, list | tuple):
        return [_filled(value, (*at, index), late) for index, value in enumerate(values)]
    return values


def shown(value: Any, names: Names | None = None) -> str:
    """Return a value on one line: a text as it is, anything else nearly as JSON has it. Not bounded."""
    if isinstance(value, str):
        return _own(value)
    return _written(value, names or {})


def bounded(text: str, other: str = "") -> str:
    """Return as much of a text as is shown; around the first difference if there is another."""
    if len(text) <= VALUE_CHARACTERS_MAX:
        return text
    apart = _first_difference(text, other) if other else 0
    begin = min(max(apart - BEFORE_MAX, 0), len(text) - VALUE_CHARACTERS_MAX)
    end = begin + VALUE_CHARACTERS_MAX
    return f"{CUT if begin else ''}{text[begin:end]}{CUT if end < len(text) else ''}"


def _first_difference(one: str, other: str) -> int:
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))


def _own(text: str) -> str:
    """Return a stranger's text on one line, and without our brackets."""
    escaped = text.replace("⟨", "\\u27e8").replace("⟩", "\\u27e9")
    if escaped.isprintable():
        return escaped
    return "".join(mark if mark.isprintable() else ascii(mark)[1:-1] for mark in escaped)


def _written(value: Any, names: Names) -> str:
    match value:
        case dict():
            pairs = (f"{_own(str(key))}: {_written(each, names)}" for key, each in value.items())
            return f"{{{', '.join(pairs)}}}"
        case list() | tuple():
            return f"[{', '.join(_written(each, names) for each in value)}]"
        case str():
            return _own(json.dumps(value, ensure_ascii=False))
        case Joined():
            return "".join(shown(part, names) for part in value.parts)
        case Constant():
            return shown(value.value, names)
        case BaseModel():
            return f"⟨{_named(value, names)}⟩"
        case _:
            return json.dumps(value)


def _named(value: Any, names: Names) -> str:
    """Return what a late value is, in words."""
    match value:
        case OutputOf():
            return f"output of {_own(names.get(value.step, value.step))}: {_own(value.name)}"
        case SecretOf(owner="stage"):
            return f"stage secret {_own(value.name)}"
        case SecretOf():
            return f"secret {_own(value.name)}"
        case ArtifactOf():
            return f"artifact {_own(value.artifact)}: {value.name}"
        case FactOf():
            return _own(".".join(value.names))
        case Call():
            return f"{value.function}({', '.join(_argument(each, names) for each in value.arguments)})"
    return _own(str(value))


def _argument(value: LateValue, names: Names) -> str:
    return _written(value.value, names) if isinstance(value, Constant) else _written(value, names)
