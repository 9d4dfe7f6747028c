"""The outbox on its way to the topics: in order, and none lost whoever dies on the way."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa

from shared.bus.kafka.relay import ROWS_MAX, Relay
from shared.clock import SystemClock
from shared.db import tables
from shared.db.postgres import PostgresDatabase
from shared.faults import TryAgain
from tests.builders import line
from tests.contract.bus.listener import say, say_at_once
from tests.contract.installation import rows, running
from tests.integration.kafka.conftest import FROZEN_SECONDS

CLOCK = SystemClock()
POLL_SECONDS = 0.01


class Paper:
    """Topics on paper; the test says what becomes of each attempt to write."""

    def __init__(self) -> None:
        self.written: list[str] = []
        self.attempts = 0
        self.under_way = 0
        self.under_way_most = 0
        self.fault: Callable[[int], BaseException | None] = lambda _attempt: None
        self.takes_of_batch = 10_000
        self.gate = asyncio.Event()
        self.gate.set()

    async def prepare(self) -> None: ...

    async def publish(self, outbox: Sequence[sa.Row[Any]]) -> set[int]:
        self.attempts += 1
        self.under_way += 1
        self.under_way_most = max(self.under_way_most, self.under_way)
        try:
            await self.gate.wait()
            if fault := self.fault(self.attempts):
                raise fault
            taken = outbox[: self.takes_of_batch]
            self.written += [row.key for row in taken]
            return {row.position for row in taken}
        finally:
            self.under_way -= 1


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(45):
        while not condition():
            await CLOCK.sleep(POLL_SECONDS)


async def left(database: PostgresDatabase) -> list[str]:
    found = await rows(database, sa.select(tables.outbox.c.key).order_by(tables.outbox.c.position))
    return [key for (key,) in found]


async def until_empty(database: PostgresDatabase) -> None:
    async with asyncio.timeout(45):
        while await left(database):
            await CLOCK.sleep(POLL_SECONDS)


async def test_what_is_committed_is_carried_in_its_order_and_forgotten(database: PostgresDatabase) -> None:
    paper = Paper()
    async with running(Relay(database, paper).run()):
        await say_at_once(database, [line(f"run/{n}", n) for n in range(1_200)])
        await until(lambda: len(paper.written) == 1_200)
        await until_empty(database)
    assert paper.written == [f"run/{n}" for n in range(1_200)]


async def test_an_outbox_that_was_emptied_is_not_looked_at_again(database: PostgresDatabase) -> None:
    paper = Paper()
    relay = Relay(database, paper)
    await say_at_once(database, [line("run/1", 1), line("run/2", 2)])
    assert not await relay._carry()
    assert paper.written == ["run/1", "run/2"]
    await say_at_once(database, [line(f"run/{n}", n) for n in range(ROWS_MAX)])
    assert await relay._carry()
    paper.takes_of_batch = 1
    await say_at_once(database, [line("run/1", 3), line("run/2", 4)])
    assert await relay._carry()


async def test_what_an_earlier_life_committed_is_carried_by_the_next(database: PostgresDatabase) -> None:
    paper = Paper()
    await say(database, line("run/a", 0))
    async with running(Relay(database, paper).run()):
        await until(lambda: paper.written == ["run/a"])


async def test_what_topics_do_not_take_stays_and_is_offered_again(database: PostgresDatabase) -> None:
    paper = Paper()
    paper.fault = lambda attempt: TryAgain("the brokers are away") if attempt <= 3 else None
    paper.takes_of_batch = 2
    async with running(Relay(database, paper).run()):
        await say_at_once(database, [line(f"run/{n}", n) for n in range(5)])
        await until(lambda: len(paper.written) == 5)
        await until_empty(database)
    assert paper.written == [f"run/{n}" for n in range(5)]


async def test_a_carrier_that_dies_behind_the_writing_leaves_it_to_be_written_again(
    database: PostgresDatabase,
) -> None:
    paper = Paper()
    paper.gate.clear()
    async with running(Relay(database, paper).run()) as (carrying,):
        await say(database, line("run/a", 0))
        await until(lambda: paper.under_way == 1)
        carrying.cancel()
    assert await left(database) == ["run/a"]
    paper.gate.set()
    async with running(Relay(database, paper).run()):
        await until(lambda: paper.written == ["run/a"])


async def test_of_two_carriers_one_carries_at_a_time(database: PostgresDatabase) -> None:
    paper = Paper()
    paper.takes_of_batch = 1  # many rounds, in which the two could meet
    async with running(Relay(database, paper).run(), Relay(database, paper).run()):
        await say_at_once(database, [line(f"run/{n}", n) for n in range(60)])
        await until(lambda: len(paper.written) >= 60)
        await until_empty(database)
    assert paper.written == [f"run/{n}" for n in range(60)]
    assert paper.under_way_most == 1


async def test_a_frozen_carrier_loses_its_turn_to_another(
    database: PostgresDatabase, impatient: PostgresDatabase
) -> None:
    frozen, paper = Paper(), Paper()
    frozen.gate.clear()
    async with running(Relay(impatient, frozen).run()):
        began = CLOCK.now()
        await say(database, line("run/a", 0))
        await until(lambda: frozen.under_way == 1)
        async with running(Relay(database, paper).run()):
            await until(lambda: paper.written == ["run/a"])
            await until_empty(database)
        assert (CLOCK.now() - began).total_seconds() >= FROZEN_SECONDS / 2
        frozen.gate.set()
        await until(lambda: frozen.under_way == 0)
    assert await left(database) == []
