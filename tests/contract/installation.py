"""One pair of adapters with everything of the kernel in it, as the contract suites see it.

A suite speaks to the ports only; what differs between pairs (waiting, filling the disk, coming back
after a crash) is behind `Installation`.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    asynccontextmanager,
    contextmanager,
)
from pathlib import Path
from typing import Any, Protocol, Self

import pytest
import sqlalchemy as sa

from shared.bus import Bus, Subscription, embedded
from shared.clock import ManualClock
from shared.db import Database, metadata
from shared.db.sqlite import SqliteDatabase
from tests.builders import START

TURNS_MAX = 50_000  # turns of the loop until a condition must hold
TURNS_OF_QUIET = 100  # more than any reaction takes without time passing


class Installation(Protocol):
    """The kernel on one pair of adapters, over one store that outlives it."""

    clock: ManualClock
    database: Database

    @classmethod
    async def at(cls, folder: Path) -> Self:
        """Open the store that an earlier life had in the folder, or a new one."""
        ...

    def bus(self, subscriptions: Sequence[Subscription], database: Database | None = None) -> Bus:
        """Return a new bus over `database`, ours unless another is given."""
        ...

    def another(self) -> Database:
        """Return the same store as another process, or a later life of this one, sees it."""
        ...

    def full(self) -> AbstractAsyncContextManager[None]:
        """Leave no room on the disk for as long as the context lasts."""
        ...

    def cramped(self) -> AbstractContextManager[int]:
        """Give buses little memory; tells how many messages they may hold, however long the backlog."""
        ...

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait, without moving the clock, for what must come true."""
        ...

    async def quiet(self) -> None:
        """Wait until whatever could happen without time passing has happened."""
        ...

    async def close(self) -> None:
        """Give back all connections; the store stays."""
        ...

    async def remove(self) -> None:
        """Leave nothing behind but the folder."""
        ...


class Embedded:
    """The embedded bus on SQLite: all in one thread, so that turns of the loop are all there is to wait."""

    def __init__(self, folder: Path) -> None:
        self.clock = ManualClock(START)
        self._file = folder / "windlass.db"
        self._opened: list[SqliteDatabase] = []
        self._sqlite = self.another()
        self.database: Database = self._sqlite
        metadata.create_all(self._sqlite.writer)

    @classmethod
    async def at(cls, folder: Path) -> Self:
        return cls(folder)

    def bus(self, subscriptions: Sequence[Subscription], database: Database | None = None) -> Bus:
        return embedded.EmbeddedBus(database or self.database, subscriptions)

    def another(self) -> SqliteDatabase:
        self._opened.append(SqliteDatabase(self._file, self.clock))
        return self._opened[-1]

    @asynccontextmanager
    async def full(self) -> AsyncIterator[None]:
        async with self._sqlite.begin() as (connection, _):
            raw = connection._raw
        pages = raw.execute("PRAGMA page_count").fetchone()[0]
        raw.execute(f"PRAGMA max_page_count={pages}")
        try:
            yield
        finally:
            raw.execute("PRAGMA max_page_count=1073741823")

    @contextmanager
    def cramped(self) -> Iterator[int]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(embedded, "AHEAD_MAX", 200)
            patch.setattr(embedded, "READ_ROWS_MAX", 50)
            yield 250

    async def until(self, condition: Callable[[], bool]) -> None:
        for _ in range(TURNS_MAX):
            if condition():
                return
            await asyncio.sleep(0)
        raise AssertionError(f"it did not come true in {TURNS_MAX} turns")

    async def quiet(self) -> None:
        for _ in range(TURNS_OF_QUIET):
            await asyncio.sleep(0)

    async def close(self) -> None:
        for database in self._opened:
            await database.close()

    async def remove(self) -> None:
        """The folder is all there is."""


@asynccontextmanager
async def running(*parts: Coroutine[Any, Any, None]) -> AsyncIterator[tuple["asyncio.Task[None]", ...]]:
    """Run `parts` beside the test; one that died by itself fails it."""
    tasks = tuple(asyncio.ensure_future(part) for part in parts)
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        ends = await asyncio.gather(*tasks, return_exceptions=True)
    died = [end for end in ends if end is not None and not isinstance(end, asyncio.CancelledError)]
    assert not died, died


async def every(*acts: Awaitable[object]) -> None:
    """Do these side by side."""
    await asyncio.gather(*acts)


def rows(database: Database, statement: sa.Select[Any]) -> Awaitable[list[tuple[Any, ...]]]:
    """Return what is committed."""

    async def read() -> list[tuple[Any, ...]]:
        async with database.reading() as reading:
            return [tuple(row) for row in await reading.execute(statement)]

    return read()
