"""SQLite as the embedded database: one file, one writer, run inline on the event loop.

No driver thread: a statement takes tens of microseconds, a commit one fsync, and without threads the
same code runs under a simulated scheduler (DESIGN 16). An asyncio lock keeps writers apart, so a
statement never waits for SQLite's own lock while it blocks the loop.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from shared.clock import Clock
from shared.db import prepared
from shared.db.database import Noted, Parameters, Rows
from shared.faults import TryAgain

BUSY_TIMEOUT_MILLISECONDS = 5_000  # only another process could hold the lock: a backup, a shell
STATEMENTS_KEPT = 1_000  # by each connection, as SQLite compiled them; there are some three hundred
READERS_KEPT = 4  # connections that nobody reads with at the moment
PASSING = ("disk is full", "disk I/O error", "database is locked", "unable to open database file")


class InlineConnection:
    """A connection inside one transaction, behind the port's awaitable verb."""

    __slots__ = ("_raw",)

    def __init__(self, raw: sqlite3.Connection) -> None:
        self._raw = raw

    async def execute(self, statement: sa.Executable, parameters: Parameters | None = None) -> Rows:
        """Run the statement at once, on the loop's own thread."""
        rows = parameters if isinstance(parameters, list | tuple) else (parameters or {},)
        return prepared.run(self._raw, statement, rows)


class SqliteDatabase:
    """The embedded database."""

    def __init__(self, file: Path, clock: Clock) -> None:
        self.clock = clock
        self._file = file
        self._writing = asyncio.Lock()
        self._writer_in_hand: asyncio.Task[Any] | None = None  # who holds the lock
        self._listeners: list[Callable[[Noted], None]] = []
        self._writer: sqlite3.Connection | None = None
        self._readers: list[sqlite3.Connection] = []  # nobody's at the moment

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
                with self._transaction() as raw:
                    yield InlineConnection(raw), noted
            finally:
                self._writer_in_hand = None
        if noted:
            for listener in self._listeners:
                listener(frozenset(noted))

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[InlineConnection]:
        """Open a connection on the state committed last."""
        with _passing_faults(), prepared.as_sqlalchemy("a reading"):
            raw = self._readers.pop() if self._readers else _connect(self._file, "PRAGMA query_only=ON")
            is_whole = False
            try:
                raw.execute("BEGIN")
                yield InlineConnection(raw)
                raw.rollback()
                is_whole = len(self._readers) < READERS_KEPT
            finally:
                if is_whole:
                    self._readers.append(raw)
                else:
                    raw.close()

    def on_commit(self, listener: Callable[[Noted], None]) -> None:
        """Call `listener` after every commit that noted something."""
        self._listeners.append(listener)

    async def close(self) -> None:
        """Close the file; the write-ahead log is folded in by the last connection."""
        while self._readers:
            self._readers.pop().close()
        self._forget_writer()
        if "writer" in self.__dict__:
            self.writer.dispose()

    @cached_property
    def writer(self) -> sa.Engine:
        """Return an engine on the file, for what makes its tables and looks at them as a whole."""
        engine = sa.create_engine("sqlite://", creator=lambda: _connect(self._file))
        sa.event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
        return engine

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with _passing_faults(), prepared.as_sqlalchemy("a transaction"):
            raw = self._writer = self._writer or _connect(self._file)
            try:
                raw.execute("BEGIN IMMEDIATE")
                yield raw
                raw.execute("COMMIT")
            except BaseException as error:
                self._undo(raw, error)
                raise

    def _undo(self, raw: sqlite3.Connection, error: BaseException) -> None:
        """Roll back; of a connection that cannot, or whose disk failed, nobody knows what is left."""
        try:
            raw.rollback()
        except sqlite3.Error:
            self._forget_writer()
        else:
            if "disk I/O error" in str(error):
                self._forget_writer()

    def _forget_writer(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None


def _connect(file: Path, *pragmas: str) -> sqlite3.Connection:
    raw = sqlite3.connect(
        file, isolation_level=None, check_same_thread=False, cached_statements=STATEMENTS_KEPT
    )
    raw.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MILLISECONDS}")
    raw.execute("PRAGMA journal_mode=WAL")
    raw.execute("PRAGMA synchronous=FULL")  # 202 means it is on disk (S6)
    raw.execute("PRAGMA foreign_keys=ON")
    for pragma in pragmas:
        raw.execute(pragma)  # a reader's: a forgotten write fails here
    return raw


@contextmanager
def _passing_faults() -> Iterator[None]:
    try:
        yield
    except sa.exc.OperationalError as error:
        text = str(error.orig)
        if any(passing in text for passing in PASSING):
            raise TryAgain(f"the database could not be used: {text}") from error
        raise
