"""One reading for all who follow the same output: a commit wakes them together, and they ask alike."""

import asyncio
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Protocol
from weakref import WeakValueDictionary

from services.status.routes.streaming import Changes, Page

PAGES_MAX = 4  # kept of a source: those who keep up ask from two places, where they were and behind that


class Source(Hashable, Protocol):
    """What is followed; those that are equal say the same."""

    async def read_on(self, after: int) -> Page:
        """Return what it says behind a cursor."""
        ...


@dataclass(slots=True, weakref_slot=True)
class OneReading:
    """What a source says since the last commit, by where it was asked from."""

    source: Source
    changes: Changes
    _count: int = 0  # of the changes that the pages were read after
    _pages: dict[int, Page] = field(default_factory=dict)
    _reading: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def read_on(self, after: int) -> Page:
        """Return what the source says behind a cursor, with all that was committed before."""
        async with self._reading:
            if self._count != self.changes.count:
                self._pages.clear()
                self._count = self.changes.count
            page = self._pages.get(after)
            if page is None:
                page = await self.source.read_on(after)
                if len(self._pages) == PAGES_MAX:
                    del self._pages[next(iter(self._pages))]
                self._pages[after] = page
            return page


@dataclass(frozen=True, slots=True)
class Together:
    """The readings of all sources that somebody follows now."""

    changes: Changes
    _readings: WeakValueDictionary[Source, OneReading] = field(default_factory=WeakValueDictionary)

    def reading(self, source: Source) -> OneReading:
        """Return the reading that all who follow this source share; it is forgotten with the last of them."""
        shared = self._readings.get(source)
        if shared is None:
            shared = self._readings[source] = OneReading(source, self.changes)
        return shared
