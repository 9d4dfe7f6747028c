"""Embedded, one transaction or reading a turn of the loop: whoever waits at a socket is heard between two."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, suppress
from pathlib import Path
from typing import Any

import pytest

from shared.clock import ManualClock
from shared.db import Cause, ServiceDatabase, metadata, urgently
from shared.db.sqlite import SqliteDatabase
from shared.db.turns import FIRST_IN_A_ROW_MAX, Turns
from tests.builders import START, named
from tests.contract.notes import lay_out, note, noted
from tests.integration.ingest.test_replicas import delivery, store

CROWD = 50

Opens = Callable[[SqliteDatabase], AbstractAsyncContextManager[Any]]


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[SqliteDatabase]:
    database = SqliteDatabase(tmp_path / "windlass.db", ManualClock(START))
    metadata.create_all(database.writer)
    await lay_out(database)
    await turns(3)
    yield database
    await database.close()


async def turns(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


def writing(database: SqliteDatabase) -> AbstractAsyncContextManager[Any]:
    return ServiceDatabase(database, "deployer").transaction(Cause(named("cause")), "act")


def reading(database: SqliteDatabase) -> AbstractAsyncContextManager[Any]:
    return database.reading()


def reserved(database: SqliteDatabase) -> AbstractAsyncContextManager[Any]:
    return database.begin(reserved=True)


def at_once(opened: AbstractAsyncContextManager[Any]) -> AbstractAsyncContextManager[Any]:
    return urgently(opened)


class Order:
    """Who was let in, in order."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.tasks: list[asyncio.Task[None]] = []

    def ask(self, name: str, opened: AbstractAsyncContextManager[Any]) -> asyncio.Task[None]:
        self.tasks.append(asyncio.create_task(self._pass(name, opened)))
        return self.tasks[-1]

    async def _pass(self, name: str, opened: AbstractAsyncContextManager[Any]) -> None:
        async with opened:
            self.names.append(name)

    async def done(self) -> list[str]:
        async with asyncio.timeout(20):
            with suppress(asyncio.CancelledError):
                await asyncio.gather(*self.tasks)
            await asyncio.wait(self.tasks)
        return self.names


@pytest.mark.parametrize("opens", [writing, reading])
async def test_a_socket_is_looked_at_between_two_of_a_crowd(database: SqliteDatabase, opens: Opens) -> None:
    loop, order, seen_after = asyncio.get_running_loop(), Order(), []
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        loop.add_reader(ours, lambda: seen_after.append(len(order.names)) if ours.recv(1) else None)
        for number in range(CROWD):
            order.ask(str(number), opens(database))
        loop.call_soon(theirs.send, b"!")
        await order.done()
        loop.remove_reader(ours)
    assert len(order.names) == CROWD
    assert 1 <= seen_after[0] <= 2


async def test_one_that_nobody_came_before_waits_for_no_turn(database: SqliteDatabase) -> None:
    order = Order()
    order.ask("alone", writing(database))
    await turns(1)
    assert order.names == ["alone"]


async def test_those_who_wait_go_in_the_order_in_which_they_came(database: SqliteDatabase) -> None:
    order = Order()
    for number in range(CROWD):
        order.ask(str(number), (writing, reading)[number % 2](database))
    assert await order.done() == [str(number) for number in range(CROWD)]


@pytest.mark.parametrize(
    "first", [lambda db: at_once(writing(db)), lambda db: at_once(reading(db)), reserved]
)
async def test_an_urgent_one_goes_before_those_who_wait(database: SqliteDatabase, first: Opens) -> None:
    order = Order()
    for number in range(CROWD):
        order.ask(str(number), writing(database))
    order.ask("urgent", first(database))
    assert (await order.done()).index("urgent") == 1


async def test_a_stream_of_urgent_ones_holds_nobody_up_for_ever(database: SqliteDatabase) -> None:
    order = Order()
    for number in range(3):
        order.ask(str(number), writing(database))
    for _ in range(CROWD):
        order.ask("urgent", at_once(writing(database)))
    names = await order.done()
    a_round = FIRST_IN_A_ROW_MAX + 1
    assert [names.index(each) for each in "012"] == [0, a_round, 2 * a_round]
    assert names.count("urgent") == CROWD


@pytest.mark.parametrize("after", range(8))
async def test_a_place_that_is_given_up_costs_nobody_his(database: SqliteDatabase, after: int) -> None:
    """Before its turn, in the turn that lets it in, and when it is over."""
    order = Order()
    for number in range(6):
        order.ask(str(number), writing(database))
    await turns(after)
    order.tasks[3].cancel()
    names = await order.done()
    assert [each for each in names if each != "3"] == ["0", "1", "2", "4", "5"]
    assert ("3" in names) is not order.tasks[3].cancelled()
    order.ask("later", writing(database))
    assert (await order.done())[-1] == "later"


async def test_when_all_who_wait_give_up_the_next_one_goes_at_once(database: SqliteDatabase) -> None:
    order = Order()
    for number in range(CROWD):
        order.ask(str(number), writing(database))
    await turns(2)
    for task in order.tasks[1:]:
        task.cancel()
    await asyncio.wait(order.tasks)
    await turns(3)
    order.ask("next", writing(database))
    await turns(1)
    assert order.names[-1] == "next"


async def test_whoever_writes_may_read_though_others_wait(database: SqliteDatabase) -> None:
    order = Order()
    async with writing(database) as tx:
        for number in range(CROWD):
            order.ask(str(number), reading(database))
        await turns(3)
        so_far = len(order.names)
        await note(tx, "writer", "1")
        assert await noted(database, "writer") == []  # what is committed, and nobody came between
        assert len(order.names) == so_far < CROWD
    await order.done()
    assert await noted(database, "writer") == ["1"]


async def test_what_is_begun_within_an_urgent_one_is_not_urgent_for_that(database: SqliteDatabase) -> None:
    order = Order()
    async with urgently(writing(database)):
        for number in range(CROWD):
            order.ask(str(number), reading(database))
    order.ask("urgent", at_once(reading(database)))
    assert (await order.done()).index("urgent") == 1


async def test_a_push_is_looked_up_and_accepted_before_those_who_wait(database: SqliteDatabase) -> None:
    ingest, order = store(database), Order()

    async def push() -> None:
        await ingest.repository("acme/shop")
        await ingest.accept([delivery("1")])
        order.names.append("push")

    for number in range(CROWD):
        order.ask(str(number), writing(database))
    order.tasks.append(asyncio.create_task(push()))
    assert (await order.done()).index("push") <= 4


async def test_an_urgent_one_that_fails_is_as_any_that_fails(database: SqliteDatabase) -> None:
    async def fail() -> None:
        async with urgently(writing(database)) as tx:
            await note(tx, "urgent", "1")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert await noted(database, "urgent") == []


def test_those_whose_loop_has_ended_are_not_waited_for() -> None:
    line = Turns()

    async def leave_one_waiting() -> None:
        await line.come()
        waiting = line.come().__await__()
        next(waiting)

    loop = asyncio.new_event_loop()
    loop.run_until_complete(leave_one_waiting())
    loop.close()

    async def come() -> None:
        async with asyncio.timeout(5):
            await line.come()
            await line.come()

    asyncio.run(come())
