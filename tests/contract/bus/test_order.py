"""Who hears what, in which order, and what holds up whom."""

import asyncio
import gc

from shared.bus import Subscription
from shared.db import Cause, ServiceDatabase
from shared.events import LogAppended, Message, PushReceived
from tests.builders import line, named, push
from tests.contract.bus.listener import Listener, say, say_at_once
from tests.contract.installation import Installation, every, running
from tests.contract.notes import noted
from tests.contract.unreliable import Unreliable

BACKLOG = "run/backlog"  # a key that no other test has: somebody may still hold their messages


async def test_events_of_one_key_are_heard_one_at_a_time_in_order(installation: Installation) -> None:
    listener = Listener(installation.database)
    async with running(installation.bus([listener.subscription]).run()):
        await say(installation.database, *(line("run/a", number) for number in range(40)))
        await installation.until(lambda: len(listener.noted) == 40)
    assert listener.noted == [f"run/a {number}" for number in range(40)]
    assert listener.under_way_most["run/a"] == 1


async def test_events_of_one_transaction_keep_the_order_they_were_said_in(installation: Installation) -> None:
    listener = Listener(installation.database)
    async with running(installation.bus([listener.subscription]).run()):
        await say_at_once(installation.database, [line("run/a", number) for number in (3, 1, 2)])
        await installation.until(lambda: len(listener.noted) == 3)
    assert listener.noted == ["run/a 3", "run/a 1", "run/a 2"]


async def test_a_key_that_is_held_up_holds_up_no_other(installation: Installation) -> None:
    listener = Listener(installation.database)
    listener.gates["run/slow"] = asyncio.Event()
    async with running(installation.bus([listener.subscription]).run()):
        await say(installation.database, line("run/slow", 0), line("run/slow", 1))
        await say(installation.database, *(line(f"run/{n}", 0) for n in range(20)))
        await installation.until(lambda: len(listener.noted) == 20)
        assert listener.tried.count("run/slow 0") == 1
        assert "run/slow 1" not in listener.tried
        listener.gates["run/slow"].set()
        await installation.until(lambda: len(listener.noted) == 22)
    assert listener.noted[-2:] == ["run/slow 0", "run/slow 1"]


async def test_one_key_on_two_topics_is_two_orders(installation: Installation) -> None:
    listener = Listener(installation.database)
    listener.gates["acme/shop"] = asyncio.Event()
    pushes: list[str] = []

    async def push_received(message: Message[PushReceived]) -> None:
        pushes.append(message.key)

    both = Subscription(listener.db, {**listener.subscription.handlers, PushReceived: push_received})
    async with running(installation.bus([both]).run()):
        await say(installation.database, line("acme/shop", 0), push("acme/shop"))
        await installation.until(lambda: pushes == ["acme/shop"])
    assert listener.noted == []


async def test_every_group_hears_everything_whatever_befalls_another(installation: Installation) -> None:
    slow, broken, sound = (Listener(installation.database, name) for name in ("slow", "broken", "sound"))
    slow.gates["run/a"] = asyncio.Event()
    broken.faults = {f"run/a {number}": [ZeroDivisionError()] for number in range(3)}
    bus = installation.bus([each.subscription for each in (slow, broken, sound)])
    async with running(bus.run()):
        await say(installation.database, *(line("run/a", number) for number in range(3)))
        await installation.until(lambda: len(sound.noted) == 3 == len(broken.tried))
        assert slow.noted == []
        slow.gates["run/a"].set()
        await installation.until(lambda: len(slow.noted) == 3)
    assert broken.noted == []


async def test_a_group_hears_only_the_types_in_its_table(installation: Installation) -> None:
    listener = Listener(installation.database)
    async with running(installation.bus([listener.subscription]).run()):
        await say(installation.database, push("acme/shop"), line("run/a", 0))
        await installation.until(lambda: bool(listener.noted))
        await installation.quiet()
    assert listener.tried == ["run/a 0"]


async def test_a_message_says_where_it_came_from(installation: Installation) -> None:
    listener = Listener(installation.database)
    heard: list[Message[PushReceived]] = []

    async def push_received(message: Message[PushReceived]) -> None:
        heard.append(message)

    speaker = ServiceDatabase(installation.database, "ingest")
    async with running(installation.bus([Subscription(listener.db, {PushReceived: push_received})]).run()):
        async with speaker.transaction(Cause(named("delivery"), "shop@7", "00-ab-cd-01"), "push") as tx:
            said = tx.emit(push("acme/shop"))
        await installation.until(lambda: bool(heard))
    message = heard[0]
    assert (message.id, message.source, message.key) == (said, "ingest", "acme/shop")
    assert (message.correlation, message.causation, message.traceparent) == ("shop@7", None, "00-ab-cd-01")
    assert message.time == installation.clock.now()
    assert message.time.utcoffset() is not None
    assert message.body == push("acme/shop")
    assert message.position > 0


async def test_what_follows_from_a_message_names_it_as_its_cause(installation: Installation) -> None:
    listener = Listener(installation.database)
    heard: list[Message[PushReceived]] = []

    async def log_appended(message: Message[PushReceived]) -> None:
        async with listener.db.hearing(message) as tx:
            tx.emit(push("acme/shop"))
        heard.append(message)

    async def push_received(message: Message[PushReceived]) -> None:
        heard.append(message)

    echo = Subscription(listener.db, {PushReceived: push_received})
    first = Subscription(ServiceDatabase(installation.database, "first"), {LogAppended: log_appended})
    async with running(installation.bus([first, echo]).run()):
        await say(installation.database, line("run/a", 0))
        await installation.until(lambda: len(heard) == 2)
    cause, effect = heard
    assert effect.causation == cause.id
    assert effect.correlation == "shop@1"


async def test_an_event_of_a_transaction_that_failed_is_never_heard(installation: Installation) -> None:
    listener = Listener(installation.database)
    speaker = ServiceDatabase(installation.database, "speaker")

    async def fail() -> None:
        async with speaker.transaction(Cause(named("failing")), "speech") as tx:
            tx.emit(line("run/a", 0))
            await tx.flush()  # as late as it can fail
            raise ZeroDivisionError

    async with running(installation.bus([listener.subscription]).run()):
        ends = await asyncio.gather(fail(), return_exceptions=True)
        await say(installation.database, line("run/a", 1))
        await installation.until(lambda: bool(listener.noted))
        await installation.quiet()
    assert [type(end) for end in ends] == [ZeroDivisionError]
    assert listener.tried == ["run/a 1"]


async def test_nobody_hears_what_is_not_yet_committed(installation: Installation) -> None:
    listener = Listener(installation.database)
    speaker = ServiceDatabase(installation.database, "speaker")
    async with running(installation.bus([listener.subscription]).run()):
        async with speaker.transaction(Cause(named("speech")), "speech") as tx:
            tx.emit(line("run/a", 0))
            await installation.quiet()
            assert listener.tried == []
        await installation.until(lambda: listener.noted == ["run/a 0"])


async def test_many_speakers_at_once_lose_and_double_nothing(installation: Installation) -> None:
    database = Unreliable(installation.database)
    database.hesitates = True
    listener = Listener(database)
    keys = [f"run/{number}" for number in range(25)]
    async with running(installation.bus([listener.subscription], database).run()):
        await every(*(say(database, *(line(key, n) for n in range(8))) for key in keys))
        await installation.until(lambda: len(listener.noted) == 200)
        await installation.quiet()
    for key in keys:
        assert [each for each in listener.noted if each.startswith(f"{key} ")] == [
            f"{key} {number}" for number in range(8)
        ]
    assert sorted(await noted(installation.database, "status")) == sorted(listener.noted)


async def test_a_backlog_behind_one_key_stays_out_of_memory(installation: Installation) -> None:
    gate, heard = asyncio.Event(), list[int]()

    async def log_appended(message: Message[LogAppended]) -> None:
        await gate.wait()
        heard.append(message.body.first_line)

    slow = Subscription(ServiceDatabase(installation.database, "slow"), {LogAppended: log_appended})
    with installation.cramped() as messages_max:
        async with running(installation.bus([slow]).run()):
            for start in range(0, 1_000, 25):  # a trickle: never a whole page of rows at once
                await say_at_once(installation.database, [line(BACKLOG, start + n) for n in range(25)])
                await installation.quiet()
            gc.collect()
            messages = (each for each in gc.get_objects() if isinstance(each, Message))
            in_memory = sum(message.key == BACKLOG for message in messages)
            gate.set()
            await installation.until(lambda: len(heard) == 1_000)
    assert 0 < in_memory <= messages_max
    assert heard == list(range(1_000))


async def test_an_idle_bus_asks_the_database_for_nothing(installation: Installation) -> None:
    database = Unreliable(installation.database)
    listener = Listener(database)
    async with running(installation.bus([listener.subscription], database).run()):
        await say(database, line("run/a", 0))
        await installation.until(lambda: bool(listener.noted))
        await installation.quiet()
        before = database.uses
        await installation.quiet()
        assert database.uses == before
