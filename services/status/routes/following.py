"""The end of the history in memory, read once for all who follow it, however many they are.

A commit wakes every follower. If each asked the database then, a hundred open pages would hold up everything
else for longer than the commit did.
"""

import asyncio
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from services.status.routes.streaming import Changes, Page, Said
from services.status.store.reading import EventFilter, EventRow, ReadModel

READ_MAX = 200  # events at once
KEPT_MAX = 1_000  # events in memory; who is further behind reads for himself
KEPT_CHARACTERS_MAX = 4_000_000  # of their bodies: a plan alone may have three million

Shown = Callable[[EventRow], object]


@dataclass(slots=True)
class Following:
    """All events behind `begins`, up to `ends`."""

    model: ReadModel
    changes: Changes
    shown: Shown
    _said: deque[tuple[int, EventRow, Said]] = field(default_factory=deque)
    _begins: int = -1  # nothing was read yet
    _ends: int = -1
    _count: int = -1  # of the changes known when it was read
    _characters: int = 0  # of the bodies kept
    _reading: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def after(self, cursor: int, wanted: EventFilter) -> Page:
        """Return the events behind a cursor that are wanted, as far as they make one page."""
        await self._catch_up()
        if cursor < self._begins:
            return await self._earlier(cursor, wanted)
        start = bisect_right(self._said, cursor, key=lambda each: each[0])
        behind = (self._said[place] for place in range(start, len(self._said)))
        return Page([said for _, row, said in behind if wanted.takes(row)], read_to=self._ends)

    async def _earlier(self, cursor: int, wanted: EventFilter) -> Page:
        begins = self._begins  # as it is now: what is forgotten while we read may be newer than that
        rows = await self.model.events(wanted, cursor, READ_MAX)
        said = [Said(row.sequence, "event", self.shown(row)) for row in rows]
        return Page(said, read_to=begins if len(rows) < READ_MAX else cursor)

    async def _catch_up(self) -> None:
        async with self._reading:
            if self._count == self.changes.count:
                return
            count = self.changes.count
            newest = await self.model.newest_event()
            if self._begins < 0 or newest - self._ends > KEPT_MAX:  # nobody has followed for long
                self._said.clear()
                self._characters = 0
                self._begins = self._ends = newest
            while rows := await self.model.events(EventFilter(), self._ends, READ_MAX):
                self._keep(rows)
            self._count = count

    def _keep(self, rows: Sequence[EventRow]) -> None:
        for row in rows:
            self._said.append((row.sequence, row, Said(row.sequence, "event", self.shown(row))))
            self._characters += len(row.body)
        self._ends = rows[-1].sequence
        while len(self._said) > KEPT_MAX or self._characters > KEPT_CHARACTERS_MAX:
            self._begins, forgotten, _ = self._said.popleft()
            self._characters -= len(forgotten.body)
