"""A group that takes the messages of a key together: fewer commits, and every promise as before."""

import asyncio
from collections.abc import Sequence

import pytest

from shared.bus import Subscription
from shared.bus.lanes import TOGETHER_MAX
from shared.db import Cause, Database, tables
from shared.delivery import MessageDied
from shared.events import Event, LogAppended, Message
from shared.faults import Poison, TryAgain
from tests.builders import line, named, push
from tests.contract.bus.listener import Listener, say, say_at_once
from tests.contract.installation import Installation, running
from tests.contract.notes import note, noted


class Gatherer(Listener):
    """Notes several lines in one transaction."""

    def __init__(self, database: Database, service: str = "status") -> None:
        super().__init__(database, service)
        self.batches: list[list[str]] = []
        self.batch_faults: list[BaseException] = []

    @property
    def subscription(self) -> Subscription:
        return Subscription(
            self.db,
            {LogAppended: self.log_appended},
            patient=True,
            together={LogAppended: self.take_together},
        )

    async def take_together(self, messages: Sequence[Message[LogAppended]]) -> None:
        texts = [f"{message.key} {message.body.first_line}" for message in messages]
        self.batches.append(texts)
        if messages[0].key in self.gates:
            await self.gates[messages[0].key].wait()
        async with self.db.transaction(Cause(named(repr(texts))), "noting") as tx:
            for message, text in zip(messages, texts, strict=True):
                row = {"consumer_group": self.db.service, "event": message.id, "heard_at": tx.now}
                assert await tx.insert_or_ignore(tables.inbox, row), "it was heard before"
                await note(tx, self.db.service, text)
            if self.batch_faults:
                raise self.batch_faults.pop(0)
        self.noted += texts


async def test_what_waits_for_a_key_is_taken_together_and_in_order(installation: Installation) -> None:
    listener = Gatherer(installation.database)
    async with running(installation.bus([listener.subscription]).run()):
        await say_at_once(installation.database, [line("run/a", number) for number in range(30)])
        await installation.until(lambda: len(listener.noted) == 30)
    assert listener.batches == [[f"run/a {number}" for number in range(30)]]
    assert listener.tried == []


async def test_what_is_said_in_a_row_is_gathered_too(installation: Installation) -> None:
    listener = Gatherer(installation.database)
    gate = listener.gates["run/a"] = asyncio.Event()
    async with running(installation.bus([listener.subscription]).run()):
        await installation.quiet()
        await say(installation.database, *(line("run/a", number) for number in range(5)))
        await installation.quiet()
        gate.set()
        await installation.until(lambda: len(listener.noted) == 5)
    assert len(listener.batches) + len(listener.tried) <= 2
    assert listener.noted == [f"run/a {number}" for number in range(5)]


async def test_keys_are_not_mixed_and_do_not_wait_for_each_other(installation: Installation) -> None:
    listener = Gatherer(installation.database)
    listener.gates["run/a"] = asyncio.Event()
    lines: list[Event] = [line(key, number) for number in range(4) for key in ("run/a", "run/b")]
    async with running(installation.bus([listener.subscription]).run()):
        await say_at_once(installation.database, lines)
        await installation.until(lambda: len(listener.noted) == 4)
        assert all(text.startswith("run/b") for text in listener.noted)
        listener.gates["run/a"].set()
        await installation.until(lambda: len(listener.noted) == 8)
    assert all(len({text.split()[0] for text in batch}) == 1 for batch in listener.batches)


async def test_no_more_is_taken_together_than_the_limit(installation: Installation) -> None:
    listener = Gatherer(installation.database)
    count = 2 * TOGETHER_MAX + 1
    async with running(installation.bus([listener.subscription]).run()):
        await say_at_once(installation.database, [line("run/a", number) for number in range(count)])
        await installation.until(lambda: len(listener.noted) == count)
    assert max(map(len, listener.batches)) == TOGETHER_MAX
    assert listener.noted == [f"run/a {number}" for number in range(count)]


@pytest.mark.parametrize("fault", [TryAgain("away"), Poison("no"), ZeroDivisionError("a bug")])
async def test_what_cannot_be_taken_together_is_given_one_by_one(
    installation: Installation, fault: BaseException
) -> None:
    listener = Gatherer(installation.database)
    listener.batch_faults = [fault] * 3
    async with running(installation.bus([listener.subscription]).run()):
        await say_at_once(installation.database, [line("run/a", number) for number in range(5)])
        await installation.until(lambda: len(listener.noted) == 5)
    assert listener.noted == [f"run/a {number}" for number in range(5)]
    assert listener.tried == ["run/a 0", "run/a 1", "run/a 2"]
    assert await noted(installation.database, "status") == listener.noted


async def test_one_that_can_never_be_taken_dies_alone(installation: Installation) -> None:
    listener, undertaker = Gatherer(installation.database), list[str]()
    listener.faults["run/a 0"] = [Poison("never")]
    listener.batch_faults = [Poison("one of them")]

    async def message_died(message: Message[MessageDied]) -> None:
        undertaker.append(message.body.message_key)

    buries = Subscription(Listener(installation.database, "verifier").db, {MessageDied: message_died})
    async with running(installation.bus([listener.subscription, buries]).run()):
        await say_at_once(installation.database, [line("run/a", number) for number in range(3)])
        await installation.until(lambda: len(listener.noted) == 2 and bool(undertaker))
    assert listener.noted == ["run/a 1", "run/a 2"]
    assert undertaker == ["run/a"]


async def test_a_later_life_takes_what_an_earlier_one_left(installation: Installation) -> None:
    before = Gatherer(installation.database)
    async with running(installation.bus([before.subscription]).run()):
        await say_at_once(installation.database, [line("run/a", number) for number in range(3)])
        await installation.until(lambda: len(before.noted) == 3)
    reborn = installation.another()
    await say_at_once(installation.database, [line("run/a", number) for number in range(3, 6)])
    after = Gatherer(reborn)
    async with running(installation.bus([after.subscription], reborn).run()):
        await installation.until(lambda: len(after.noted) == 3)
    assert after.noted == [f"run/a {number}" for number in range(3, 6)]


async def test_messages_of_other_groups_are_not_held_up(installation: Installation) -> None:
    slow = Gatherer(installation.database)
    slow.gates["run/a"] = asyncio.Event()
    quick = Listener(installation.database, "verifier")
    async with running(installation.bus([slow.subscription, quick.subscription]).run()):
        await say_at_once(installation.database, [line("run/a", number) for number in range(3)])
        await say(installation.database, push("acme/shop"))
        await installation.until(lambda: len(quick.noted) == 3)
        assert slow.noted == []
        slow.gates["run/a"].set()
        await installation.until(lambda: len(slow.noted) == 3)
