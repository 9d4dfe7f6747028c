"""What values expressions work with: those of JSON, bounded, and nothing that has more to it.

A value is a text, a finite number, `true`, `false`, `null`, a list or a mapping of these. Whatever else
an object might be, it does not pass `measured`, and nothing is asked of it.
"""

import math
from typing import Any

from shared.language.expression import Mistake
from shared.placeholder import Call, Constant, Joined, Late, LateValue

RESULT_CHARACTERS_MAX = 64 * 1024  # of one text that expressions make
NUMBER_BITS_MAX = 128  # of a whole number
VALUE_DEPTH_MAX = 50  # lists and mappings inside each other
LATE_CHARACTERS = 60  # what a source takes in a plan, about

TOO_LONG = Mistake(f"the result is longer than {RESULT_CHARACTERS_MAX} characters", rule="limit")


def as_text(value: Any) -> str | None:
    """Return a value as it is written into a text; None if it cannot be."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    return None


def measured(value: Any, most: int) -> int | Mistake:
    """Return about how many characters a value takes, looking no further than to `most`."""
    if isinstance(value, Late):
        return late_size(value.value)
    size = 0
    inside: list[tuple[Any, int]] = [(value, 0)]
    while inside:
        item, depth = inside.pop()
        if depth > VALUE_DEPTH_MAX:
            return Mistake(f"a value has lists and mappings more than {VALUE_DEPTH_MAX} deep in each other")
        own = _own_size(item)
        if own is None:
            return Mistake("what is named there is not a value", "name one of its members")
        size += own
        if size > most:
            break
        if type(item) in {list, tuple}:
            inside.extend((each, depth + 1) for each in item)
        elif type(item) is dict:
            inside.extend((each, depth + 1) for each in item.values())
    return size


def late_size(value: LateValue) -> int:
    """Return about how many characters a late value takes in a plan."""
    match value:
        case Constant(value=known):
            size = measured(known, RESULT_CHARACTERS_MAX)
            return LATE_CHARACTERS + (size if isinstance(size, int) else 0)
        case Call(arguments=parts) | Joined(parts=parts):
            return LATE_CHARACTERS + sum(late_size(part) for part in parts)
        case _:
            return LATE_CHARACTERS


def as_late(value: Any) -> LateValue:
    """Return a value, known or late, as a part of a late one."""
    return value.value if isinstance(value, Late) else Constant(value=value)


def _own_size(item: Any) -> int | None:
    """Return the size of a value without what it holds; None if it is no value."""
    if item is None or type(item) is bool:
        return 4
    if type(item) is str:
        return len(item)
    if type(item) is int:
        return len(str(item)) if item.bit_length() <= NUMBER_BITS_MAX else None
    if type(item) is float:
        return len(repr(item)) if math.isfinite(item) else None
    if type(item) in {list, tuple}:
        return 2 + 2 * len(item)
    if type(item) is dict and all(type(key) is str for key in item):
        return 2 + sum(len(key) + 6 for key in item)
    return None
