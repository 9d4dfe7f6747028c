"""A database that can be taken away: every verb of the port still means what it says."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from shared.db import Database, Noted, Reading
from shared.faults import TryAgain


class Unreliable:
    """`Database` over another one."""

    def __init__(self, real: Database) -> None:
        self.clock = real.clock
        self.away = False
        self.away_for_writers = False
        self.hesitates = False  # lets everybody else go on before it does what it was asked
        self.answers_lost = 0  # commits that will happen, though it is told that they did not
        self.uses = 0  # times it was asked for anything
        self.may_write: asyncio.Event | None = None  # writers have looked, and wait for it
        self.waits_to_write = 0  # those who have come to wait
        self._real = real

    @asynccontextmanager
    async def begin(self, *, reserved: bool = False) -> AsyncIterator[tuple[Reading, set[str]]]:
        await self._answer(away=self.away or self.away_for_writers)
        if self.may_write is not None:
            self.waits_to_write += 1
            await self.may_write.wait()
        async with self._real.begin(reserved=reserved) as begun:
            yield begun
        if self.answers_lost:
            self.answers_lost -= 1
            raise TryAgain("the connection broke before the answer came")

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Reading]:
        await self._answer(away=self.away)
        async with self._real.reading() as reading:
            yield reading

    def on_commit(self, listener: Callable[[Noted], None]) -> None:
        self._real.on_commit(listener)

    async def close(self) -> None:
        await self._real.close()

    async def _answer(self, *, away: bool) -> None:
        self.uses += 1
        if self.hesitates:
            await asyncio.sleep(0)
        if away:
            raise TryAgain("the database is away")
