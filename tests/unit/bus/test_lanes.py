"""How long a group waits for more of what it takes together, told in turns of the loop."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from shared.bus import Subscription
from shared.bus.lanes import TOGETHER_MAX, TURNS_GATHERED_MAX, Lanes
from shared.clock import ManualClock
from shared.db import ServiceDatabase
from shared.db.sqlite import SqliteDatabase
from shared.delivery import Delivery
from shared.events import LogAppended, Message
from shared.events.topics import Topic
from tests.builders import START, line, named

KEY = (Topic.LOGS, "run/a")


class Taker:
    """Takes lines, in two turns of the loop at least, and keeps in which batches."""

    def __init__(self, folder: Path) -> None:
        db = ServiceDatabase(SqliteDatabase(folder / "never-opened.db", ManualClock(START)), "status")
        subscription = Subscription(db, {LogAppended: self.take}, together={LogAppended: self.take_together})
        self.batches: list[list[int]] = []
        self.lanes = Lanes(subscription, Delivery(db), lambda _: None)

    async def take(self, message: Message[LogAppended]) -> None:
        await self.take_together([message])

    async def take_together(self, messages: Sequence[Message[LogAppended]]) -> None:
        await _turns(2)
        self.batches.append([message.body.first_line for message in messages])

    def say(self, tasks: asyncio.TaskGroup, *numbers: int) -> None:
        for number in numbers:
            self.lanes.enqueue(tasks, KEY, self.take, _message(number))

    @property
    def taken(self) -> list[int]:
        return [number for batch in self.batches for number in batch]


def _message(number: int) -> Message[Any]:
    body = line("run/a", number)
    id_ = named(f"line {number}")
    return Message(id_, START, "deployer", body.subject, body.key, "", None, "", body, position=number + 1)


@pytest.fixture
def taker(tmp_path: Path) -> Taker:
    return Taker(tmp_path)


async def _turns(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def _turns_until_taken(taker: Taker, count: int) -> int:
    turns = 0
    while len(taker.taken) < count:
        await asyncio.sleep(0)
        turns += 1
        assert turns < 10 * TURNS_GATHERED_MAX, taker.batches
    return turns


async def test_of_a_flood_more_is_taken_together_the_longer_it_lasts(taker: Taker) -> None:
    async with asyncio.TaskGroup() as tasks:
        taker.say(tasks, *range(4))
        for number in range(4, 300):
            await asyncio.sleep(0)
            taker.say(tasks, number)
    assert taker.taken == list(range(300))
    sizes = [len(batch) for batch in taker.batches]
    assert sizes[0] == 4
    assert max(sizes) > TURNS_GATHERED_MAX / 2
    assert len(sizes) < 300 / 10


async def test_one_message_after_another_never_waits(taker: Taker) -> None:
    waited = []
    async with asyncio.TaskGroup() as tasks:
        for number in range(20):
            taker.say(tasks, number)
            waited.append(await _turns_until_taken(taker, number + 1))
    assert set(waited) == {3}


async def test_after_a_flood_one_message_waits_a_bounded_while_and_the_next_does_not(taker: Taker) -> None:
    async with asyncio.TaskGroup() as tasks:
        taker.say(tasks, *range(100))
        await _turns_until_taken(taker, 100)
        taker.say(tasks, 100)
        assert await _turns_until_taken(taker, 101) <= TURNS_GATHERED_MAX + 3
        await _turns(2)
        taker.say(tasks, 101)
        assert await _turns_until_taken(taker, 102) == 3


async def test_nobody_waits_for_more_than_is_taken_at_once(taker: Taker) -> None:
    async with asyncio.TaskGroup() as tasks:
        taker.say(tasks, *range(4 * TOGETHER_MAX))
        assert await _turns_until_taken(taker, 3 * TOGETHER_MAX) < TURNS_GATHERED_MAX


async def test_who_closes_while_a_flood_is_gathered_leaves_the_rest_undone(taker: Taker) -> None:
    async with asyncio.TaskGroup() as tasks:
        taker.say(tasks, *range(10))
        await _turns_until_taken(taker, 10)
        taker.say(tasks, 10)
        await taker.lanes.close(grace_seconds=5)
    assert taker.taken == list(range(10))
