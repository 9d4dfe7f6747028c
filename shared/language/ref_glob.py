"""Patterns for the names of branches and tags, and whether a name matches one.

`*` stands for any characters but a slash, `**` for any at all, `?` for one that is no slash; `**/` at the
start of a part may also stand for nothing, so that `**/x` matches `x`. All positions in the pattern that a
name may have come to are followed at once, as the bits of a number: the time is the name's length, whatever
the pattern. Regular expressions would try them one after the other, and some patterns never end.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from shared.ref_name import is_ref_name

KEPT_MAX = 512  # compiled patterns

_TOKEN = re.compile(r"\*\*+|[*?]|[^*?]", re.DOTALL)
_ANY_FOLDERS = re.compile(r"(?:(?<=/)|^)\*\*+/(?:\*\*+/)*")


def can_match(pattern: str) -> bool:
    """Tell whether there is a name, legal in git, that matches.

    A letter in the place of a wildcard is never what makes a name illegal.
    """
    return is_ref_name(re.sub(r"\*+|\?", "x", pattern))


def has_wildcard(pattern: str) -> bool:
    """Tell whether the pattern may match more than one name: no name has these characters in it."""
    return "*" in pattern or "?" in pattern


def matches(pattern: str, name: str) -> bool:
    """Tell whether the whole name matches."""
    return _compiled(pattern).matches(name)


@dataclass(frozen=True, slots=True)
class _Compiled:
    """A pattern's positions as bits: bit n is set where the first n tokens have been matched."""

    end: int
    literals: Mapping[str, int]  # where this character leads one on
    ones: int  # where any character but a slash leads one on
    runs: int  # where any character but a slash leads nowhere else
    deep_runs: int  # where a slash does not, either
    folders: int  # where a `**/` begins, which may stand for nothing

    def matches(self, name: str) -> bool:
        at = self._reached(1, 0)
        for character in name:
            is_slash = character == "/"
            onward = at & (self.literals.get(character, 0) | (0 if is_slash else self.ones))
            staying = at & (self.deep_runs if is_slash else self.runs | self.deep_runs)
            at = self._reached(onward << 1, staying)
            if not at:
                return False
        return bool(at & self.end)

    def _reached(self, arrived: int, staying: int) -> int:
        """Add where one comes to when wildcards stand for nothing more. No two of them are neighbours."""
        at = arrived | (arrived & self.folders) << 2 | staying
        return at | (at & (self.runs | self.deep_runs)) << 1


@lru_cache(maxsize=KEPT_MAX)
def _compiled(pattern: str) -> _Compiled:
    simple = _ANY_FOLDERS.sub("**/", pattern)
    starts = {found.start() for found in _ANY_FOLDERS.finditer(simple)}
    tokens = list(_TOKEN.finditer(simple))
    where: dict[str, int] = {}
    for position, found in enumerate(tokens):
        token = found[0] if len(found[0]) == 1 else "**"
        for kind in (token, "**/") if found.start() in starts else (token,):
            where[kind] = where.get(kind, 0) | 1 << position
    wild = {kind: where.pop(kind, 0) for kind in ("?", "*", "**", "**/")}
    return _Compiled(1 << len(tokens), where, wild["?"], wild["*"], wild["**"], wild["**/"])
