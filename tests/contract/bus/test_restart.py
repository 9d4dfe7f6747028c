"""What a group has heard stays heard; what it has not is heard by its next life."""

import asyncio
from datetime import timedelta

import sqlalchemy as sa

from shared.db import ServiceDatabase, tables
from shared.events import LogAppended, Message
from tests.builders import line
from tests.contract.bus.listener import Listener, say
from tests.contract.installation import Installation, rows, running
from tests.contract.notes import noted

A_CURSOR_IS_SAVED = 5.0  # seconds, at most


async def test_a_restart_delivers_what_was_undone_and_nothing_twice(installation: Installation) -> None:
    before = Listener(installation.database)
    before.gates["run/slow"] = asyncio.Event()
    async with running(installation.bus([before.subscription]).run()):
        for number in range(10):
            await say(installation.database, line("run/quick", number), line("run/slow", number))
        await installation.until(lambda: len(before.noted) == 10)
    reborn = installation.another()
    after = Listener(reborn)
    async with running(installation.bus([after.subscription], reborn).run()):
        await installation.until(lambda: len(after.noted) == 10)
        await installation.quiet()
    assert after.noted == [f"run/slow {number}" for number in range(10)]
    assert sorted(await noted(reborn, "status")) == sorted(before.noted + after.noted)


async def test_what_was_said_while_no_bus_ran_is_heard_by_the_next(installation: Installation) -> None:
    await say(installation.database, line("run/a", 0), line("run/a", 1))
    listener = Listener(installation.database)
    async with running(installation.bus([listener.subscription]).run()):
        await installation.until(lambda: listener.noted == ["run/a 0", "run/a 1"])


async def test_a_group_that_joins_later_hears_what_is_kept(installation: Installation) -> None:
    early = Listener(installation.database, "early")
    async with running(installation.bus([early.subscription]).run()):
        await say(installation.database, *(line("run/a", number) for number in range(5)))
        await installation.until(lambda: len(early.noted) == 5)
        await installation.quiet()
        installation.clock.advance(A_CURSOR_IS_SAVED)
        await installation.quiet()
    late = Listener(installation.database, "late")
    async with running(installation.bus([early.subscription, late.subscription]).run()):
        await installation.until(lambda: len(late.noted) == 5)
        await installation.quiet()
    assert len(early.tried) == 5


async def test_the_same_bus_may_run_again(installation: Installation) -> None:
    listener = Listener(installation.database)
    listener.gates["run/a"] = asyncio.Event()
    bus = installation.bus([listener.subscription])
    async with running(bus.run()):
        await say(installation.database, line("run/a", 0), line("run/a", 1))
        await installation.until(lambda: bool(listener.tried))
    del listener.gates["run/a"]
    async with running(bus.run()):
        await installation.until(lambda: listener.noted == ["run/a 0", "run/a 1"])


async def test_a_message_whose_handling_is_cut_short_is_undone_whole(installation: Installation) -> None:
    begun = asyncio.Event()
    db = ServiceDatabase(installation.database, "status")

    async def log_appended(message: Message[LogAppended]) -> None:
        async with db.hearing(message) as tx:
            await tx.execute(sa.insert(tables.attempt_logs).values(log="cut", lines=1, closed=False))
            begun.set()
            await asyncio.Event().wait()

    listener = Listener(installation.database)
    subscription = type(listener.subscription)(db, {LogAppended: log_appended})
    async with running(installation.bus([subscription]).run()):
        await say(installation.database, line("run/a", 0))
        await installation.until(begun.is_set)
    assert await rows(installation.database, sa.select(tables.attempt_logs)) == []
    async with running(installation.bus([listener.subscription]).run()):
        await installation.until(lambda: listener.noted == ["run/a 0"])


async def test_heard_twice_is_as_if_once(installation: Installation) -> None:
    listener = Listener(installation.database)
    kept: list[Message[LogAppended]] = []

    async def keeping(message: Message[LogAppended]) -> None:
        kept.append(message)
        await listener.log_appended(message)

    subscription = type(listener.subscription)(listener.db, {LogAppended: keeping})
    async with running(installation.bus([subscription]).run()):
        await say(installation.database, line("run/a", 0))
        await installation.until(lambda: bool(listener.noted))
        await asyncio.gather(*(listener.log_appended(kept[0]) for _ in range(5)))
    assert await noted(installation.database, "status") == ["run/a 0"]


async def test_what_is_heard_long_ago_behind_something_undone_is_not_heard_again(
    installation: Installation,
) -> None:
    listener = Listener(installation.database)
    listener.gates["run/slow"] = asyncio.Event()
    async with running(installation.bus([listener.subscription]).run()):
        await say(installation.database, line("run/a", 0), line("run/slow", 0), line("run/b", 0))
        await installation.until(lambda: len(listener.noted) == 2)
        installation.clock.advance(timedelta(days=8).total_seconds())
        await installation.quiet()
        installation.clock.advance(A_CURSOR_IS_SAVED)
        await installation.quiet()
    reborn = installation.another()
    after = Listener(reborn)
    async with running(installation.bus([after.subscription], reborn).run()):
        await installation.until(lambda: len(after.noted) == 1)
        await installation.quiet()
    assert after.noted == ["run/slow 0"]
    assert sorted(await noted(reborn, "status")) == ["run/a 0", "run/b 0", "run/slow 0"]
