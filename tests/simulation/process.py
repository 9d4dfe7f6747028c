"""A process of the installation: its clock, its sight of the store, and how it can be let down.

A crash is sudden: from one moment on nothing of it reaches the store, not even what a `finally` would
write, and all that was in memory is gone. It may come anywhere: between two steps, before a commit, or
after one of which nobody ever heard. What it started in the world goes on.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import sqlalchemy as sa

from shared.bus.embedded import CURSOR_SAVED_EVERY_SECONDS
from shared.clock import Clock
from shared.db import Noted, Parameters, Reading, Rows
from shared.dead_letters.redelivery import SWEEP_SECONDS as LETTERS_SWEPT_SECONDS
from shared.timers import SWEEP_SECONDS
from shared.work.workers import HEARTBEAT_SECONDS
from tests.simulation.quick_database import QuickDatabase
from tests.simulation.virtual_loop import Life, nap, pause

NAPS = frozenset({HEARTBEAT_SECONDS, CURSOR_SAVED_EVERY_SECONDS, LETTERS_SWEPT_SECONDS})
SKEW_SECONDS_MAX = 4.0  # two hosts are then at most eight apart, and leases bear nine


class VirtualClock:
    """Tells the loop's time, off by what the host's clock is off; never backwards."""

    def __init__(self, begins: datetime, skew: float = 0.0) -> None:
        self.begins = begins
        self.skew = skew
        self._latest = begins - timedelta(days=1)
        self._told_at = -1.0

    def now(self) -> datetime:
        """Return the host's time."""
        seconds = asyncio.get_running_loop().time() + self.skew
        if seconds != self._told_at:
            self._told_at = seconds
            self._latest = max(self._latest, self.begins + timedelta(seconds=round(seconds, 6)))
        return self._latest

    async def sleep(self, seconds: float) -> None:
        """Sleep, or nap if it is one of those who only look around."""
        await (nap(seconds) if seconds in NAPS else pause(seconds))

    async def sleep_until(self, at: datetime) -> None:
        """Sleep until a deadline, or nap until a sweep."""
        seconds = (at - self.now()).total_seconds()
        await (nap(seconds) if seconds == SWEEP_SECONDS else pause(seconds))


class Store:
    """The one database, and who is told of commits: a process that is gone no more."""

    def __init__(self, database: QuickDatabase) -> None:
        self.database = database
        self.listeners: list[tuple[Process | None, Callable[[Noted], None]]] = []
        database.on_commit(self._tell)

    def _tell(self, noted: Noted) -> None:
        self.listeners = [each for each in self.listeners if each[0] is None or each[0].lives]
        for _, listener in self.listeners:
            listener(noted)


class Process:
    """One life of one process; it is the database that its services are given."""

    def __init__(self, name: str, store: Store, clock: VirtualClock) -> None:
        self.name = name
        self.clock: Clock = clock
        self.host_clock = clock
        self.life = Life(name)
        self.lives = True
        self.dies_in: int | None = None  # commits from now
        self.dies_before = False  # that commit, or after it
        self.on_death: Callable[[], None] = lambda: None
        self._store = store

    def crash(self) -> None:
        """Be gone."""
        if self.lives:
            self.lives = False
            self.life.end()
            self.on_death()

    @asynccontextmanager
    async def begin(self, *, reserved: bool = False) -> AsyncIterator[tuple[Reading, set[str]]]:
        """Open a write transaction, if there still is anybody to."""
        await asyncio.sleep(0)  # as for a connection: others may come between a look and what follows
        self._check()
        async with self._store.database.begin(reserved=reserved) as (connection, noted):
            yield _Sight(connection, self), noted
            self._commits(before=True)
        self._commits(before=False)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Reading]:
        """Open a connection that only reads."""
        self._check()
        async with self._store.database.reading() as connection:
            yield _Sight(connection, self)

    def on_commit(self, listener: Callable[[Noted], None]) -> None:
        """Tell the listener for as long as this process lives."""
        self._store.listeners.append((self, listener))

    async def close(self) -> None:
        """Nothing: the store outlives its processes."""

    def _check(self) -> None:
        if not self.lives:
            raise asyncio.CancelledError

    def _commits(self, *, before: bool) -> None:
        self._check()
        if self.dies_in is None or before is not self.dies_before:
            return
        self.dies_in -= 1
        if self.dies_in <= 0:
            self.crash()
            raise asyncio.CancelledError


class _Sight:
    """A connection that a process loses with its life."""

    __slots__ = ("_connection", "_process")

    def __init__(self, connection: Reading, process: Process) -> None:
        self._connection = connection
        self._process = process

    async def execute(self, statement: sa.Executable, parameters: Parameters | None = None) -> Rows:
        if not self._process.lives:
            raise asyncio.CancelledError
        return await self._connection.execute(statement, parameters)
