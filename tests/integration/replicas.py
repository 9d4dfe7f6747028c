"""Replicas of a service over one store, and transactions of theirs forced into an order.

On SQLite there is one process, so its replicas share the one database object, whose transactions wait for
each other. On PostgreSQL each has its own, as processes have.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from threading import Thread
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine

from shared.clock import ManualClock
from shared.db import Database, Noted, Parameters, Reading, Rows, metadata
from shared.db.postgres import PostgresDatabase, PostgresSettings
from shared.db.sqlite import SqliteDatabase
from shared.events import Event, Message
from tests.builders import START, named
from tests.contract import database_server

TURNS_TO_GET_STUCK = 50  # of the loop, where everything is in one process
LOOK_SECONDS = 0.005
PATIENCE_SECONDS = 40.0
LOCK_SECONDS = 20.0  # in none of these tests is a lock waited for in vain
LOOKS_MAX = 8_000

_WAITING = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


class Replicas(Protocol):
    """A store, and whoever uses it."""

    clock: ManualClock

    @property
    def database(self) -> Database:
        """Return the store as the first replica sees it."""
        ...

    def another(self) -> Database:
        """Return the store as another replica sees it."""
        ...

    async def stuck(self, task: "asyncio.Task[Any]") -> None:
        """Return when the task is done, or waits for a transaction of somebody else."""
        ...

    def look(self, statement: sa.Select[Any]) -> Sequence[sa.Row[Any]]:
        """Return what is committed; for conditions, which cannot wait."""
        ...

    def write(self, statement: sa.Executable, rows: Parameters | None = None) -> None:
        """Commit something past everybody, likewise."""
        ...

    async def close(self) -> None:
        """Leave nothing behind."""
        ...


class OnSqlite:
    """One process."""

    def __init__(self, folder: Path, clock: ManualClock) -> None:
        self.clock = clock
        self.database = SqliteDatabase(folder / "windlass.db", clock)
        self._reader = sa.create_engine(f"sqlite:///{folder / 'windlass.db'}")  # beside a writer
        metadata.create_all(self.database.writer)

    @classmethod
    async def at(cls, folder: Path, clock: ManualClock | None = None) -> "OnSqlite":
        return cls(folder, clock or ManualClock(START))

    def another(self) -> Database:
        return self.database

    async def stuck(self, task: "asyncio.Task[Any]") -> None:
        for _ in range(TURNS_TO_GET_STUCK):
            if task.done():
                return
            await asyncio.sleep(0)

    def look(self, statement: sa.Select[Any]) -> Sequence[sa.Row[Any]]:
        with self._reader.connect() as connection:
            return connection.execute(statement).all()

    def write(self, statement: sa.Executable, rows: Parameters | None = None) -> None:
        with self.database.writer.begin() as connection:
            connection.execute(statement, rows)

    async def close(self) -> None:
        self._reader.dispose()
        await self.database.close()


class OnPostgres:
    """As many processes as are asked for."""

    def __init__(self, url: str, clock: ManualClock, settings: PostgresSettings) -> None:
        self.clock = clock
        self.url = url
        self._settings = settings
        self._opened: list[PostgresDatabase] = []
        self._aside: Aside | None = None
        self.database = self.another()

    @classmethod
    async def at(cls, folder: Path, clock: ManualClock | None = None, writers_max: int = 6) -> "OnPostgres":
        del folder
        settings = PostgresSettings(writers_max=writers_max, lock_seconds=LOCK_SECONDS)
        return cls(await database_server.with_tables(), clock or ManualClock(START), settings)

    def another(self) -> PostgresDatabase:
        self._opened.append(PostgresDatabase(self.url, self.clock, self._settings))
        return self._opened[-1]

    def look(self, statement: sa.Select[Any]) -> Sequence[sa.Row[Any]]:
        self._aside = self._aside or Aside(self.url)
        return self._aside.do(statement, None).all()

    def write(self, statement: sa.Executable, rows: Parameters | None = None) -> None:
        self._aside = self._aside or Aside(self.url)
        self._aside.do(statement, rows)

    async def stuck(self, task: "asyncio.Task[Any]") -> None:
        looking = await self._opened[0].connect_alone()
        try:
            for _ in range(LOOKS_MAX):
                if task.done() or await looking.fetchval(_WAITING):
                    return
                await asyncio.sleep(LOOK_SECONDS)
            raise AssertionError("it neither ended nor waits for anybody")
        finally:
            await looking.close()

    async def close(self) -> None:
        if self._aside:
            self._aside.close()
        for database in self._opened:
            await database.close()
        database_server.done_with(self.url)


class Aside:
    """A connection on a loop of its own, for those who cannot wait on theirs."""

    def __init__(self, url: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._engine = create_async_engine(sa.make_url(url).set(drivername="postgresql+asyncpg"), pool_size=1)

    def do(self, statement: sa.Executable, rows: Parameters | None) -> sa.CursorResult[Any]:
        """Run one statement and commit."""
        return asyncio.run_coroutine_threadsafe(self._do(statement, rows), self._loop).result()

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self._engine.dispose(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _do(self, statement: sa.Executable, rows: Parameters | None) -> sa.CursorResult[Any]:
        async with self._engine.begin() as connection:
            return await connection.execute(statement, rows)


STORES: dict[str, type[OnSqlite] | type[OnPostgres]] = {"sqlite": OnSqlite, "postgresql": OnPostgres}


async def in_order(name: str, folder: Path, clock: ManualClock | None = None) -> Replicas:
    """Return a store for the embedded bus, which reads positions in their order.

    There, as in an embedded installation, is one transaction at a time.
    """
    if name == "sqlite":
        return await OnSqlite.at(folder, clock)
    return await OnPostgres.at(folder, clock, writers_max=1)


class Halting:
    """A replica's database that halts in its transaction when a statement with this text has been run."""

    def __init__(self, database: Database, after: str, times: int = 1) -> None:
        self.clock = database.clock
        self.after = after
        self.left = times
        self.halted = asyncio.Event()
        self.go_on = asyncio.Event()
        self._database = database

    @asynccontextmanager
    async def begin(self, *, reserved: bool = False) -> AsyncIterator[tuple[Reading, set[str]]]:
        async with self._database.begin(reserved=reserved) as (connection, noted):
            yield _Halting(connection, self), noted

    def reading(self) -> AbstractAsyncContextManager[Reading]:
        return self._database.reading()

    def on_commit(self, listener: Callable[[Noted], None]) -> None:
        self._database.on_commit(listener)

    async def close(self) -> None:
        await self._database.close()

    async def passed(self, statement: sa.Executable, parameters: Parameters | None = None) -> None:
        """Hear of a statement that was run."""
        del parameters
        if self.left and self.after in " ".join(str(statement).split()):
            self.left -= 1
            if self.left == 0:
                self.halted.set()
                await self.go_on.wait()


class _Halting:
    def __init__(self, connection: Reading, at: Halting) -> None:
        self._connection = connection
        self._at = at

    async def execute(self, statement: sa.Executable, parameters: Parameters | None = None) -> Rows:
        result = await self._connection.execute(statement, parameters)
        await self._at.passed(statement, parameters)
        return result


async def meet(
    replicas: Replicas,
    halting: Halting,
    first: Coroutine[Any, Any, Any],
    second: Coroutine[Any, Any, Any],
) -> list[Any]:
    """Halt `first` in its transaction, let `second` come as far as it can, then let both go on.

    Returns what became of them: their result, or what they raised.
    """
    one = asyncio.ensure_future(first)
    reached = asyncio.ensure_future(halting.halted.wait())
    async with asyncio.timeout(PATIENCE_SECONDS):
        await asyncio.wait({one, reached}, return_when=asyncio.FIRST_COMPLETED)
    reached.cancel()
    if not halting.halted.is_set():
        raise AssertionError(f"nobody ran {halting.after!r}") from one.exception()
    two = asyncio.ensure_future(second)
    await replicas.stuck(two)
    halting.go_on.set()
    async with asyncio.timeout(PATIENCE_SECONDS):
        return list(await asyncio.gather(one, two, return_exceptions=True))


def heard(body: Event, position: int = 1, id_: str = "") -> Message[Any]:
    """Return the event as a bus hands it over."""
    return Message(
        id=named(id_ or repr(body)),
        time=START,
        source="another",
        subject=body.subject,
        key=body.key,
        correlation=body.correlation,
        causation=None,
        traceparent="",
        body=body,
        position=position,
    )


async def until(condition: Callable[[], bool], between: Callable[[], None] = lambda: None) -> None:
    """Wait for what transactions of another loop or process bring about; do something in between."""
    for _ in range(LOOKS_MAX):
        if condition():
            return
        between()
        await asyncio.sleep(LOOK_SECONDS)
    raise AssertionError("it did not come true")


async def until_read(
    database: Database, statement: sa.Select[Any], holds: Callable[[list[tuple[Any, ...]]], bool]
) -> None:
    """Wait until what is committed is as wanted, and stays so."""
    for _ in range(LOOKS_MAX):
        if holds(await read(database, statement)):
            return
        await asyncio.sleep(LOOK_SECONDS)
    raise AssertionError("it was not committed")


async def read(database: Database, statement: sa.Select[Any]) -> list[tuple[Any, ...]]:
    """Return what is committed."""
    async with database.reading() as reading:
        return [tuple(row) for row in await reading.execute(statement)]
