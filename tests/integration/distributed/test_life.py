"""A process's life on a real database: its name is its own, and it ends in order."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field

import pytest
from starlette.types import Receive, Scope, Send

from services.distributed import ending
from services.distributed.ending import BoundedServer
from services.distributed.life import Life
from shared.bus import Subscription
from shared.clock import ManualClock
from shared.db import ServiceDatabase, lock_key
from shared.db.postgres import PostgresDatabase
from shared.service import Service
from shared.web.faults import CannotStart
from tests.builders import START

ANOTHER = (
    "another verifier runs as replica one: give this one a name of its own with WINDLASS_REPLICA, or wait, "
    "if that one has just died, until its name is free"
)


@dataclass
class Ends:
    """Parts that take their time to end, and tell when they have."""

    order: list[str] = field(default_factory=list)
    ready: str = ""

    async def run(self) -> None:
        await self._part("bus")

    async def work(self) -> None:
        await self._part("work")

    async def _part(self, name: str) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            for _ in range(50):
                await asyncio.sleep(0)
            self.order.append(name)


@dataclass
class Stand:
    """A life of `verifier` as replica `one`, under a clock that the test moves."""

    life: Life
    clock: ManualClock
    ends: Ends
    running: asyncio.Task[None] | None = None

    def begin(self) -> None:
        self.running = asyncio.create_task(self.life.run())

    async def until(self, closed: str) -> None:
        """Let time pass until the life says why it has not begun; empty: until it has."""
        assert self.running
        async with asyncio.timeout(20):
            while self.life.closed != closed and not self.running.done():
                self.clock.advance(0.5)
                await asyncio.sleep(0.01)

    async def over(self) -> None:
        assert self.running
        async with asyncio.timeout(20):
            while not self.running.done():
                self.clock.advance(1)
                await asyncio.sleep(0.01)


@pytest.fixture
async def stand(schema_url: str) -> AsyncIterator[Stand]:
    """Give a life that has not begun."""
    clock = ManualClock(START)
    database = PostgresDatabase(schema_url, clock)
    ends = Ends()
    service = Service(Subscription(ServiceDatabase(database, "verifier"), {}), background=(ends.work,))
    made = Stand(Life(database, ends, [service], "one"), clock, ends)
    yield made
    if made.running:
        made.running.cancel()
        with suppress(asyncio.CancelledError, CannotStart):
            await made.running
    await database.close()


async def test_a_second_replica_of_a_name_is_refused(stand: Stand, database: PostgresDatabase) -> None:
    async with database.advisory(lock_key("verifier/one")) as first:
        assert first
        stand.begin()
        await stand.until(ANOTHER)
        assert await stand.life.why_not_begun() == ANOTHER
        await stand.over()
    assert stand.running
    with pytest.raises(CannotStart, match="WINDLASS_REPLICA"):
        await stand.running
    assert stand.ends.order == []  # nothing of it ever ran


async def test_a_name_whose_holder_goes_is_taken_over(stand: Stand, database: PostgresDatabase) -> None:
    async with database.advisory(lock_key("verifier/one")):
        stand.begin()
        await stand.until(ANOTHER)
    await stand.until("")
    async with database.advisory(lock_key("verifier/one")) as free:
        assert not free


async def test_of_the_bus_nothing_is_said_before_it_was_tried(stand: Stand) -> None:
    stand.ends.ready = "Kafka has not been reached yet"
    assert await stand.life.why_not_consuming() == ""
    stand.begin()
    await stand.until("")
    assert await stand.life.why_not_consuming() == "Kafka has not been reached yet"


async def test_another_name_and_another_service_are_no_obstacle(
    stand: Stand, database: PostgresDatabase
) -> None:
    async with AsyncExitStack() as others:
        for name in ("verifier/two", "deployer/one"):
            assert await others.enter_async_context(database.advisory(lock_key(name)))
        stand.begin()
        await stand.until("")


async def test_whoever_takes_messages_ends_before_whoever_carries_them_out_and_the_name_is_free_then(
    stand: Stand, database: PostgresDatabase
) -> None:
    stand.begin()
    await stand.until("")
    assert stand.running
    stand.running.cancel()
    with suppress(asyncio.CancelledError):
        await stand.running
    assert stand.ends.order == ["bus", "work"]
    async with database.advisory(lock_key("verifier/one")) as free:
        assert free


async def nothing(scope: Scope, receive: Receive, send: Send) -> None: ...


@pytest.fixture
def codes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Give the exit codes of processes that ended without further ado."""
    found: list[int] = []
    monkeypatch.setattr(os, "_exit", found.append)
    return found


async def test_being_told_twice_ends_the_process_at_once(codes: list[int]) -> None:
    server = BoundedServer(nothing, shutdown_seconds=60)
    server.end()
    assert (server.should_exit, codes) == (True, [])
    server.end()
    assert codes == [ending.AT_ONCE]


async def test_an_end_that_takes_too_long_is_cut_short(codes: list[int]) -> None:
    BoundedServer(nothing, shutdown_seconds=0).end()
    async with asyncio.timeout(5):
        while not codes:
            await asyncio.sleep(0)
    assert codes == [ending.CUT_SHORT]
