"""SQLite as the embedded database: one file, one writer, run inline on the event loop.

No driver thread: a statement takes tens of microseconds, a commit one fsync, and without threads the
same code runs under a simulated scheduler (DESIGN 16). An asyncio lock keeps writers apart, so a
statement never waits for SQLite's own lock while it blocks the loop.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.pool import QueuePool

from shared.clock import Clock
from shared.db.database import Noted, Parameters
from shared.faults import TryAgain

BUSY_TIMEOUT_MILLISECONDS = 5_000  # only another process could hold the lock: a backup, a shell
PASSING = ("disk is full", "disk I/O error", "database is locked", "unable to open database file")


@dataclass(frozen=True, slots=True)
class InlineConnection:
    """A synchronous connection behind the port's awaitable verb."""

    connection: sa.Connection

    async def execute(
        self, statement: sa.Executable, parameters: Parameters | None = None
    ) -> sa.CursorResult[Any]:
        """Run the statement at once, on the loop's own thread."""
        return self.connection.execute(statement, parameters)


class SqliteDatabase:
    """The embedded database."""

    def __init__(self, file: Path, clock: Clock) -> None:
        self.clock = clock
        self._writing = asyncio.Lock()
        self._writer_in_hand: asyncio.Task[Any] | None = None  # who holds the lock
        self._listeners: list[Callable[[Noted], None]] = []
        self.writer = _engine(file, "BEGIN IMMEDIATE")
        self._reader = _engine(file, "BEGIN", "PRAGMA query_only=ON")  # a forgotten write fails here

    @asynccontextmanager
    async def begin(self, *, reserved: bool = False) -> AsyncIterator[tuple[InlineConnection, set[str]]]:
        """Open the one write transaction."""
        del reserved  # writers take turns, and a turn is short
        noted: set[str] = set()
        task = asyncio.current_task()
        assert self._writer_in_hand is not task, "a transaction inside a transaction waits for itself"
        async with self._writing:
            self._writer_in_hand = task
            try:
                with self.writer.begin() as connection:
                    yield InlineConnection(connection), noted
            except sa.exc.OperationalError as error:
                _raise_if_passing(error)
                raise
            finally:
                self._writer_in_hand = None
        if noted:
            for listener in self._listeners:
                listener(frozenset(noted))

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[InlineConnection]:
        """Open a connection on the state committed last."""
        try:
            with self._reader.connect() as connection:
                yield InlineConnection(connection)
        except sa.exc.OperationalError as error:
            _raise_if_passing(error)
            raise

    def on_commit(self, listener: Callable[[Noted], None]) -> None:
        """Call `listener` after every commit that noted something."""
        self._listeners.append(listener)

    async def close(self) -> None:
        """Close the file; the write-ahead log is folded in by the last connection."""
        self._reader.dispose()
        self.writer.dispose()


def _engine(file: Path, begin: str, *pragmas: str) -> sa.Engine:
    engine = sa.create_engine(
        f"sqlite:///{file}",
        poolclass=QueuePool,
        pool_size=4,
        max_overflow=-1,  # never wait for a connection: waiting would block the loop
        connect_args={"isolation_level": None, "check_same_thread": False},
    )

    @sa.event.listens_for(engine, "connect")
    def _configure(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MILLISECONDS}")
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")  # 202 means it is on disk (S6)
        connection.execute("PRAGMA foreign_keys=ON")
        for pragma in pragmas:
            connection.execute(pragma)

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def _raise_if_passing(error: sa.exc.OperationalError) -> None:
    text = str(error.orig)
    if any(passing in text for passing in PASSING):
        raise TryAgain(f"the database could not be used: {text}") from error
