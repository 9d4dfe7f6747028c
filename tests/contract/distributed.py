"""Kafka and PostgreSQL, as one process of several sees them: to wait is to ask them, with a deadline."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Self

import pytest
import sqlalchemy as sa
from aiokafka import TopicPartition

from shared.bus import Bus, Subscription
from shared.bus.kafka import KafkaBus, consumption
from shared.clock import ManualClock
from shared.db import Database, tables
from shared.db.postgres import PostgresDatabase
from tests.builders import START
from tests.contract import database_server
from tests.contract.kafka_topics import Topics
from tests.contract.watched import Watched

UNTIL_SECONDS_MAX = 40.0  # until a condition must hold
LOOK_SECONDS = 0.001
TURNS_OF_QUIET = 30  # more than any reaction takes that asks nobody
STILL_SECONDS = 0.2  # questions that are unanswered for so long wait for something that the test does
STILL_LOOKS = 200  # and through so many looks: this process, too, may have stood still
COMING_SECONDS_MAX = 40.0  # until what must come has come; a broker's first group waits for its log

# What PostgreSQL raises when it cannot make a file longer, in its own words. A disk that is really full
# takes a file system of our own, and so root.
_REFUSE = """
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = '53100', MESSAGE = 'could not extend file: No space left on device';
END $$;
DO $$ DECLARE name text; BEGIN
    FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
        EXECUTE format(
            'CREATE TRIGGER no_room BEFORE INSERT OR UPDATE ON %I EXECUTE FUNCTION refuse()', name
        );
    END LOOP;
END $$
"""
_EVERY_ROW = sa.select(sa.func.count()).select_from(tables.outbox)


class Distributed:
    """The Kafka bus on PostgreSQL; what the suites need of Kafka is made with the first bus."""

    def __init__(self, url: str, folder: Path) -> None:
        self.clock = ManualClock(START)
        self._url = url
        self._opened: list[Watched] = []
        self._buses: list[_RunningBus] = []
        self._topics = Topics(folder / "kafka_prefix")
        self.database: Database = self.another()

    @classmethod
    async def at(cls, folder: Path) -> Self:
        """Open the store that an earlier life had in the folder, or a new one."""
        address = folder / "postgres_url"
        if not address.exists():
            address.write_text(await database_server.with_tables(), "utf-8")
        return cls(address.read_text("utf-8"), folder)

    def bus(self, subscriptions: Sequence[Subscription], database: Database | None = None) -> Bus:
        settings = self._topics.settings
        bus = KafkaBus(database or self.database, subscriptions, settings, "here")
        self._buses.append(_RunningBus(bus, self._topics))
        return self._buses[-1]

    def another(self) -> Watched:
        self._opened.append(Watched(PostgresDatabase(self._url, self.clock)))
        return self._opened[-1]

    @asynccontextmanager
    async def full(self) -> AsyncIterator[None]:
        async with self._superuser() as execute:
            await execute(_REFUSE)
        try:
            yield
        finally:
            async with self._superuser() as execute:
                await execute("DROP FUNCTION refuse() CASCADE")

    @contextmanager
    def cramped(self) -> Iterator[int]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(consumption, "AHEAD_MAX", 200)
            yield 250

    async def until(self, condition: Callable[[], bool]) -> None:
        try:
            async with asyncio.timeout(UNTIL_SECONDS_MAX):
                while not condition():  # noqa: ASYNC110 - servers are polled
                    await asyncio.sleep(LOOK_SECONDS)
        except TimeoutError:
            raise AssertionError(f"it did not come true in {UNTIL_SECONDS_MAX} s") from None

    async def quiet(self) -> None:
        await self._answered()
        running = [each for each in self._buses if each.runs]
        if not running:
            return
        now = asyncio.get_running_loop().time
        state, since = self._state(), now()
        while now() < since + (patience := await self._patience(running)):
            if self._state() != state:
                state, since = self._state(), now()
            await asyncio.sleep(LOOK_SECONDS)
        if not patience:
            await self._answered()

    async def close(self) -> None:
        await self._topics.close()
        for database in self._opened:
            await database.close()

    async def remove(self) -> None:
        """Leave nothing on the servers."""
        await self._topics.remove()
        database_server.done_with(self._url)

    async def _answered(self) -> None:
        """Wait until nobody waits for an answer, or for whoever goes on waiting: the test must act."""
        now = asyncio.get_running_loop().time
        asked, since, turns, looks = self._asked(), now(), 0, 0
        while turns < TURNS_OF_QUIET and (now() < since + STILL_SECONDS or looks < STILL_LOOKS):
            await asyncio.sleep(0)
            if any(each.unanswered for each in self._opened):
                turns, looks = 0, looks + 1
                await asyncio.sleep(LOOK_SECONDS / 10)
            else:
                turns += 1
            if self._asked() != asked:
                asked, since, turns, looks = self._asked(), now(), 0, 0

    async def _patience(self, running: Sequence["_RunningBus"]) -> float:
        """Tell how long without a change may yet bring one; nothing when all is published and read."""
        if any(each.joining for each in running):
            return COMING_SECONDS_MAX
        async with self._opened[0].real.reading() as reading:
            unpublished = (await reading.execute(_EVERY_ROW)).scalar()
        if unpublished:  # a relay in a transaction waits for the broker, one without for the clock
            return COMING_SECONDS_MAX if any(each.open for each in self._opened) else STILL_SECONDS
        ends = await self._topics.ends()
        return 0.0 if all([await each.has_read(ends) for each in running]) else COMING_SECONDS_MAX

    def _asked(self) -> int:
        return sum(each.asked for each in self._opened)

    def _state(self) -> object:
        return self._asked(), [each.bus.in_hand for each in self._buses]

    @asynccontextmanager
    async def _superuser(self) -> AsyncIterator[Callable[[str], Awaitable[object]]]:
        connection = await PostgresDatabase(self._url, self.clock).connect_alone()
        try:
            yield connection.execute
        finally:
            await connection.close()


class _RunningBus:
    """A bus whose topics are there when it begins, and of which one can tell how far it is."""

    def __init__(self, bus: KafkaBus, topics: Topics) -> None:
        self.bus = bus
        self.runs = False
        self._topics = topics

    @property
    def joining(self) -> bool:
        """Tell whether a group has yet to get its partitions."""
        return any(group.waiting_for for group in self.bus._groups)

    async def has_read(self, ends: Mapping[TopicPartition, int]) -> bool:
        for group in self.bus._groups:
            if group._consumer is None:
                return False
            for place in group._partitions.keys() - group._consumer.paused():
                if await group._consumer.position(place) < ends[place]:
                    return False
        return True

    async def run(self) -> None:
        self.runs = True
        try:
            await self._topics.create()
            await self.bus.run()
        finally:
            self.runs = False
