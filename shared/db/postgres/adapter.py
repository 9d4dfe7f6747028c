"""The adapter: transactions, readings and news on PostgreSQL, through SQLAlchemy and asyncpg.

Writers run side by side at READ COMMITTED: what a decision stands on is read FOR UPDATE, or guarded by
a unique index. Readers see one state (REPEATABLE READ) and have connections of their own, so that a
writer may read without waiting for another writer.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Any

import asyncpg
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from shared.clock import Clock
from shared.db.database import Noted, Parameters
from shared.db.postgres.advisory import hold
from shared.db.postgres.faults import passing_faults
from shared.db.postgres.news import News
from shared.db.postgres.session import (
    CONNECT_SECONDS,
    SILENCE_SECONDS_MAX,
    PostgresSettings,
    server_settings,
)

PREPARED_MAX = 256  # statements kept prepared by each connection; all services together have about 150
RESERVED = 2  # write connections that no handler gets: for the relay, and for heartbeats of leases
NUL = "\0"


class PostgresConnection:
    """A connection in a transaction, behind the port's verb."""

    def __init__(self, connection: AsyncConnection, *, writes: bool) -> None:
        self._connection = connection
        self._writes = writes
        self._broken = False

    async def execute(
        self, statement: sa.Executable, parameters: Parameters | None = None
    ) -> sa.CursorResult[Any]:
        """Run the statement; its rows are fetched."""
        with passing_faults("run a statement", read_only_passes=self._writes):
            try:
                return await self._connection.execute(statement, parameters)
            except BaseException as error:
                self._broken = True
                if isinstance(error, OSError):  # silence: nobody knows what the session is doing
                    await self._connection.invalidate()
                raise

    async def commit(self) -> None:
        """Commit; after a fault nobody knows whether it was done, and doing it again is harmless."""
        assert not self._broken, "after a statement that failed, a commit would be a rollback in silence"
        with passing_faults("commit"):
            try:
                await self._connection.commit()
            except OSError:
                await self._connection.invalidate()
                raise


class PostgresDatabase:
    """The database of a distributed installation, as one process uses it."""

    def __init__(self, url: str, clock: Clock, settings: PostgresSettings | None = None) -> None:
        self.clock = clock
        self._url = url
        self._settings = settings or PostgresSettings()
        self._writing: set[asyncio.Task[Any] | None] = set()
        self._listeners: list[Callable[[Noted], None]] = []
        self._news = News(self.connect_alone, clock, self._tell)
        self.writer = self._engine(self._settings.writers_max, "READ COMMITTED")
        self._reserved = self._engine(RESERVED, "READ COMMITTED")
        self._reader = self._engine(self._settings.readers_max, "REPEATABLE READ")
        sa.event.listen(self._reader.sync_engine, "connect", _read_only)

    @asynccontextmanager
    async def begin(self, *, reserved: bool = False) -> AsyncIterator[tuple[PostgresConnection, set[str]]]:
        """Open a write transaction, beside those of others."""
        task = asyncio.current_task()
        assert task not in self._writing, "a transaction inside a transaction may wait for itself"
        self._writing.add(task)
        noted: set[str] = set()
        try:
            async with _connected(self._reserved if reserved else self.writer) as connection:
                transaction = PostgresConnection(connection, writes=True)
                yield transaction, noted
                await transaction.commit()
        finally:
            self._writing.discard(task)
        if noted:
            self._tell(frozenset(noted))
            self._news.announce(frozenset(noted))

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[PostgresConnection]:
        """Open a connection on the state committed at its first statement."""
        async with _connected(self._reader) as connection:
            yield PostgresConnection(connection, writes=False)
            with suppress(sa.exc.DBAPIError, OSError):  # everything was read
                await connection.rollback()

    def on_commit(self, listener: Callable[[Noted], None]) -> None:
        """Call `listener` after every commit that noted something, and soon after those of others.

        Of others only while `run` runs, and once too often rather than not at all.
        """
        self._listeners.append(listener)

    async def run(self) -> None:
        """Hear of other processes' commits, and announce ours, until cancelled."""
        await self._news.run()

    async def close(self) -> None:
        """Close all connections."""
        await self._reader.dispose()
        await self._reserved.dispose()
        await self.writer.dispose()

    def advisory(self, key: int, name: str = "") -> AbstractAsyncContextManager[bool]:
        """Try for the lock of that number, and keep it while the context lasts; tells whether it is ours.

        It is the server's, and goes with our connection: it is taken again when that broke. The log
        calls it `name`.
        """
        return hold(self.connect_alone, self.clock, key, name or str(key))

    @property
    def connections_in_use(self) -> int:
        """Return how many connections are in somebody's hands."""
        pools = (engine.sync_engine.pool for engine in (self.writer, self._reserved, self._reader))
        return sum(pool.checkedout() for pool in pools if isinstance(pool, sa.AsyncAdaptedQueuePool))

    async def connect_alone(self) -> "asyncpg.Connection[Any]":
        """Open a connection of its own, outside of the pools."""
        return await asyncpg.connect(
            self._url,
            timeout=CONNECT_SECONDS,
            command_timeout=self._settings.statement_seconds + SILENCE_SECONDS_MAX,
            server_settings=server_settings(self._settings),
        )

    def _tell(self, noted: Noted) -> None:
        for listener in self._listeners:
            listener(noted)

    def _engine(self, size: int, isolation: str) -> AsyncEngine:
        engine = create_async_engine(
            "postgresql+asyncpg://",  # the address is the driver's to read: it knows all of libpq's options
            async_creator=self.connect_alone,
            connect_args={"prepared_statement_cache_size": PREPARED_MAX},
            isolation_level=isolation,
            pool_size=size,
            max_overflow=0,
            pool_timeout=self._settings.wait_seconds,
        )
        sa.event.listen(engine.sync_engine, "checkout", _refuse_closed)
        sa.event.listen(engine.sync_engine, "before_cursor_execute", _without_nul, retval=True)
        return engine


@asynccontextmanager
async def _connected(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """Lend a connection; it goes back clean or not at all, also when whoever has it is cancelled."""
    connection = engine.connect()
    with passing_faults("give us a connection"):
        await connection.start()
    try:
        yield connection
    except BaseException:
        await asyncio.shield(asyncio.ensure_future(_give_back(connection)))
        raise
    await _give_back(connection)


async def _give_back(connection: AsyncConnection) -> None:
    """Roll back what is open; after a commit there is nothing to wait for."""
    try:
        await connection.close()
    except (sa.exc.SQLAlchemyError, OSError):
        await connection.invalidate()
        await connection.close()


def _refuse_closed(connection: Any, _record: object, _proxy: object) -> None:
    """Have the pool open a new connection for one that the server has closed; costs no round trip."""
    if connection.driver_connection.is_closed():
        raise sa.exc.DisconnectionError


def _without_nul(
    _connection: object,
    _cursor: object,
    statement: str,
    parameters: Any,
    _context: object,
    many: bool,  # noqa: FBT001 - SQLAlchemy's
) -> tuple[str, Any]:
    """Replace what PostgreSQL cannot hold in a text; output of any program may have it."""
    rows = parameters if many else (parameters,)
    if any(isinstance(value, str) and NUL in value for row in rows for value in row):
        clean = [tuple(v.replace(NUL, "\ufffd") if isinstance(v, str) else v for v in row) for row in rows]
        return statement, clean if many else clean[0]
    return statement, parameters


def _read_only(connection: Any, _record: object) -> None:
    connection.readonly = True  # a forgotten write fails
