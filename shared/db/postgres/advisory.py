"""A lock of the server's that is somebody's for as long as a connection lasts."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import asyncpg
import structlog

from shared.clock import Clock
from shared.db.postgres.news import AWAY
from shared.faults import TryAgain

CHECK_SECONDS = 5.0  # a lock that went with its connection is asked for again after this

_TRY = "SELECT pg_try_advisory_lock($1)"

log = structlog.get_logger()

Connect = Callable[[], Awaitable["asyncpg.Connection[Any]"]]


@asynccontextmanager
async def hold(connect: Connect, clock: Clock, key: int, name: str) -> AsyncIterator[bool]:
    """Try for the lock; see `PostgresDatabase.advisory`."""
    lock = _Lock(connect, clock, key, name)
    keeping = None
    try:
        held = await lock.take()
        keeping = asyncio.ensure_future(lock.keep()) if held else None
        yield held
    finally:
        if keeping:
            keeping.cancel()
            with suppress(asyncio.CancelledError):
                await keeping
        await lock.let_go()


class _Lock:
    def __init__(self, connect: Connect, clock: Clock, key: int, name: str) -> None:
        self._connect = connect
        self._clock = clock
        self._key = key
        self._name = name
        self._connection: Any = None

    async def take(self) -> bool:
        try:
            self._connection = await self._connect()
            return bool(await self._connection.fetchval(_TRY, self._key))
        except AWAY as error:
            raise TryAgain(f"the database could not give us a lock: {error}") from error

    async def keep(self) -> None:
        """Look after the connection, until cancelled."""
        held = True
        while True:
            await self._clock.sleep(CHECK_SECONDS)
            try:
                held = await self._still_ours(held=held)
            except (TryAgain, *AWAY) as error:
                log.warning("lock.unsure", lock=self._name, reason=str(error) or type(error).__name__)

    async def _still_ours(self, *, held: bool) -> bool:
        if held and not self._connection.is_closed():
            await self._connection.execute("SELECT 1")
            return True
        await self.let_go()
        held = await self.take()
        log.warning("lock.taken_again" if held else "lock.lost", lock=self._name)
        return held

    async def let_go(self) -> None:
        if self._connection is not None:
            with suppress(*AWAY):
                await self._connection.close(timeout=CHECK_SECONDS)
