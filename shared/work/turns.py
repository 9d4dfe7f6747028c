"""Whose turn it is: of the share with the fewest in hand, served longest ago, the oldest order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

REMEMBERED_MAX = 1_000  # shares; one that is forgotten counts as never served and goes first


class Waiting(Protocol):
    """An order that could be claimed."""

    @property
    def share(self) -> str:
        """Return whose turn it uses up."""
        ...


W = TypeVar("W", bound=Waiting)


@dataclass(slots=True)
class Turns:
    """Which shares have been served, in order; in memory, since a restart may begin anywhere."""

    _served: dict[str, int] = field(default_factory=dict)
    _count: int = 0

    def in_order(self, waiting: Sequence[W], in_hand: Mapping[str, int]) -> list[W]:
        """Return `waiting`, given oldest first in each share, in the order in which to claim it."""
        return sorted(waiting, key=lambda each: (in_hand.get(each.share, 0), self._served.get(each.share, 0)))

    def served(self, share: str) -> None:
        """Put the share behind all others."""
        self._count += 1
        self._served.pop(share, None)
        self._served[share] = self._count
        if len(self._served) > REMEMBERED_MAX:
            del self._served[next(iter(self._served))]
