"""What processes tell each other after a commit: the names of what it touched, through NOTIFY.

Not inside the transaction, where NOTIFY makes all commits of a database wait for each other, but
right after it, by one task that puts together what has gathered meanwhile. What is lost on the way
is found by the polls that everybody who listens has anyway.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import asyncpg
import structlog

from shared.clock import Clock
from shared.db.database import Noted
from shared.delivery import backoff_seconds

CHANNEL = "windlass"
OWN_CONCERN = frozenset({"outbox"})  # the relay of the process that committed sees to it
PAUSE_SECONDS = 0.01  # between two announcements: a busy process must not wake all others all the time
SIGN_OF_LIFE_SECONDS = 10.0  # a server that vanished without a word is noticed after this
ANSWER_SECONDS_MAX = 5.0
BACKOFF_ATTEMPTS_MAX = 7  # 3.2 seconds: a server that is back is heard soon

AWAY = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)

_NOTIFY = "SELECT pg_notify($1, $2)"

log = structlog.get_logger()


class News:
    """Announces what was touched here, and tells what was touched elsewhere; one connection does both."""

    def __init__(
        self,
        connect: Callable[[], Awaitable["asyncpg.Connection[Any]"]],
        clock: Clock,
        tell: Callable[[Noted], None],
    ) -> None:
        self._connect = connect
        self._clock = clock
        self._tell = tell
        self._untold: set[str] = set()
        self._known: set[str] = set()  # every name ever told or heard
        self._something = asyncio.Event()

    def announce(self, noted: Noted) -> None:
        """Have others hear of a commit."""
        names = noted - OWN_CONCERN
        if names:
            self._untold |= names
            self._known |= names
            self._something.set()

    async def run(self) -> None:
        """Announce and listen until cancelled, on a new connection whenever the last one broke."""
        failures = 0
        while True:
            try:
                connection = await self._connect()
            except AWAY as error:
                failures = min(failures + 1, BACKOFF_ATTEMPTS_MAX)
                log.warning("news.unheard", reason=str(error) or type(error).__name__)
            else:
                failures = 1
                await self._live(connection)
            await self._clock.sleep(backoff_seconds(failures))

    async def _live(self, connection: "asyncpg.Connection[Any]") -> None:
        """Do both until the connection breaks."""
        reminding = asyncio.ensure_future(self._remind())
        connection.add_termination_listener(self._wake)
        try:
            await connection.add_listener(CHANNEL, self._hear)
            if self._known:  # whatever was announced while nobody listened
                self._tell(frozenset(self._known))
            while not connection.is_closed():
                await self._something.wait()
                await self._announce(connection)
                await self._clock.sleep(PAUSE_SECONDS)
        except AWAY as error:
            log.warning("news.broken_off", reason=str(error) or type(error).__name__)
        finally:
            reminding.cancel()
            with suppress(*AWAY):
                await connection.close(timeout=ANSWER_SECONDS_MAX)

    async def _announce(self, connection: "asyncpg.Connection[Any]") -> None:
        self._something.clear()
        names, self._untold = self._untold, set()
        try:
            if names:
                await connection.execute(
                    _NOTIFY, CHANNEL, " ".join(sorted(names)), timeout=ANSWER_SECONDS_MAX
                )
            else:
                await connection.execute("SELECT 1", timeout=ANSWER_SECONDS_MAX)
        except BaseException:
            self._untold |= names
            raise

    async def _remind(self) -> None:
        while True:
            await self._clock.sleep(SIGN_OF_LIFE_SECONDS)
            self._something.set()

    def _wake(self, _connection: object) -> None:
        self._something.set()

    def _hear(self, connection: Any, sender: int, _channel: str, names: object) -> None:
        if sender == connection.get_server_pid():  # listeners heard of it at the commit
            return
        noted = frozenset(str(names).split())
        self._known |= noted
        self._tell(noted)
