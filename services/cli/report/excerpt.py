"""The line that a problem stands on, with carets under the words that are meant.

The line is a stranger's: it may be a quarter of a megabyte long, hold terminal commands, tabs, characters
of two columns or of none. What is shown is at most `WIDTH_MAX` columns of it, around the place.
"""

import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

from services.cli.output import harmless

WIDTH_MAX = 96  # columns of the line that are shown
BEFORE_MAX = 40  # of them before the place, where the line is too long
TAB_WIDTH = 4
CUT = "…"


class Excerpt(NamedTuple):
    """Two lines of equal alignment."""

    line: str
    carets: str


class _Cell(NamedTuple):
    shown: str
    width: int  # columns


def excerpt(line: str, column: int, text: str) -> Excerpt:
    """Return the part of a line around a column (from 1), and carets under `text` there."""
    at = min(column - 1, len(line))
    length = len(text) if text and line.startswith(text, at) else 1
    # A character may be shown in no column at all, but more than so many of those are no text.
    first = max(0, at - 2 * WIDTH_MAX)
    cells = [_cell(character) for character in line[first : at + 2 * WIDTH_MAX]]
    before, after = cells[: at - first], cells[at - first :]
    kept = _kept_before(before, after)
    cut_before = first > 0 or kept < len(before)
    lead = ([_Cell(CUT, 1)] if cut_before else []) + before[len(before) - kept :]
    room = WIDTH_MAX - _width(lead)
    fitting = _fitting(after, room)
    cut_after = fitting < len(after) or at + 2 * WIDTH_MAX < len(line)
    shown = "".join(cell.shown for cell in [*lead, *after[:fitting]]) + (CUT if cut_after else "")
    carets = max(1, _width(after[: min(length, fitting)]))
    return Excerpt(shown.rstrip(), " " * _width(lead) + "^" * carets)


def _cell(character: str) -> _Cell:
    if character == "\t":
        return _Cell(" " * TAB_WIDTH, TAB_WIDTH)
    shown = harmless(character)
    if shown != character:
        return _Cell(shown, len(shown))
    if unicodedata.combining(character) or unicodedata.category(character) in {"Mn", "Me"}:
        return _Cell(character, 0)
    return _Cell(character, 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1)


def _kept_before(before: Sequence[_Cell], after: Sequence[_Cell]) -> int:
    """Return how many characters before the place are shown: all, if the whole line has room."""
    if _width(before) + _width(after) <= WIDTH_MAX:
        return len(before)
    return _fitting(before[::-1], BEFORE_MAX)


def _fitting(cells: Sequence[_Cell], room: int) -> int:
    """Return how many of the characters have room."""
    for number, cell in enumerate(cells):
        room -= cell.width
        if room < 0:
            return number
    return len(cells)


def _width(cells: Sequence[_Cell]) -> int:
    return sum(cell.width for cell in cells)
