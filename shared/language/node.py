"""A pipeline file's values with their places: what the rest of the synthesizer reads.

Plain scalars follow YAML 1.2's core rules, decimal only: `no`, `on`, `1:30` and `2025-01-01` are text.
A number with leading zeros is text too: account ids have them.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias, Union

from shared.language.problem import Place

_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,17})")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,30})?(?:[eE][-+]?[0-9]{1,3})?")
_CONSTANTS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}

Value: TypeAlias = str | int | float | bool | None
Node: TypeAlias = Union["Scalar", "Listing", "Mapping"]


@dataclass(frozen=True, slots=True)
class Scalar:
    """One value, and the text it was written as."""

    value: Value
    text: str
    place: Place

    @property
    def exact(self) -> Value:
        """Return the value, or its text when a number would not be written back as it was: `1.10`."""
        if isinstance(self.value, int | float) and not isinstance(self.value, bool):
            return self.value if repr(self.value) == self.text else self.text
        return self.value


@dataclass(frozen=True, slots=True)
class Listing:
    """A list."""

    items: tuple[Node, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Mapping:
    """A mapping with distinct keys, in the order of the file."""

    entries: tuple[tuple[Scalar, Node], ...]
    place: Place

    def get(self, key: str) -> Node | None:
        """Return the value under a key."""
        return next((node for name, node in self.entries if name.text == key), None)

    def keys(self) -> tuple[str, ...]:
        """Return the keys as they are written."""
        return tuple(name.text for name, _ in self.entries)


def plain_value(text: str) -> Value:
    """Return what an unquoted word stands for."""
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _INTEGER.fullmatch(text) and text != "-0":
        return int(text)
    if _NUMBER.fullmatch(text) and math.isfinite(number := float(text)):
        return number
    return text


def scalars(node: Node) -> Iterator[Scalar]:
    """Yield every value inside a node, keys not among them."""
    match node:
        case Scalar():
            yield node
        case Listing():
            for item in node.items:
                yield from scalars(item)
        case Mapping():
            for _, value in node.entries:
                yield from scalars(value)
