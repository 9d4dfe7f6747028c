"""What a start put off is done once the program is up, and harms nobody if it cannot be."""

import asyncio

from shared.bus import Subscription
from shared.clock import ManualClock
from shared.db import ServiceDatabase
from shared.delivery import TYPES
from shared.service import Service
from shared.web.afterwards import AFTER_SECONDS, catch_up
from tests.builders import START

TURNS = 1_000  # more than there are models


def service(*pieces: object) -> Service:
    nowhere = ServiceDatabase(None, "nobody")  # type: ignore[arg-type]  # nothing of it is asked
    return Service(Subscription(nowhere, {}), put_off=pieces)  # type: ignore[arg-type]


async def test_each_piece_is_done_once_and_not_at_once() -> None:
    done: list[str] = []
    clock = ManualClock(START)
    first = service(lambda: done.append("a"), lambda: done.append("b"))
    services = [first, service(lambda: done.append("c"))]
    task = asyncio.create_task(catch_up(services, clock))
    for _ in range(3):
        await asyncio.sleep(0)
    assert not done
    clock.advance(AFTER_SECONDS)
    await task
    assert done == ["a", "b", "c"]


async def test_others_go_on_between_two_pieces() -> None:
    done: list[str] = []
    clock = ManualClock(START)
    task = asyncio.create_task(catch_up([service(lambda: done.append("a"), lambda: done.append("b"))], clock))
    await asyncio.sleep(0)
    clock.advance(AFTER_SECONDS)
    for _ in range(TURNS):
        if done:
            break
        await asyncio.sleep(0)
    assert done == ["a"]
    await task


async def test_others_go_on_between_two_steps_of_a_piece() -> None:
    done: list[str] = []
    clock = ManualClock(START)
    task = asyncio.create_task(catch_up([service(lambda: map(done.append, "abc"))], clock))
    await asyncio.sleep(0)
    clock.advance(AFTER_SECONDS)
    seen: list[int] = []
    while not task.done():
        await asyncio.sleep(0)
        seen.append(len(done))
    assert set(seen) == {0, 1, 2, 3}


async def test_one_that_cannot_be_done_keeps_none_of_the_others() -> None:
    done: list[str] = []

    def broken() -> None:
        raise OSError("no certificates")

    clock = ManualClock(START)
    task = asyncio.create_task(catch_up([service(broken, lambda: done.append("b"))], clock))
    await asyncio.sleep(0)
    clock.advance(AFTER_SECONDS)
    await task
    assert done == ["b"]


async def test_afterwards_every_event_can_be_read_without_being_built_first() -> None:
    clock = ManualClock(START)
    task = asyncio.create_task(catch_up([], clock))
    await asyncio.sleep(0)
    clock.advance(AFTER_SECONDS)
    await task
    assert all(model.__pydantic_complete__ for model in TYPES.values())
