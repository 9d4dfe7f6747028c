"""What becomes of a message that cannot be handled, and of the others meanwhile."""

import asyncio
from typing import ClassVar

import pytest
import sqlalchemy as sa

from shared.bus import Subscription
from shared.db import Database, ServiceDatabase, tables
from shared.delivery import ATTEMPTS_MAX, DEATHS_IN_A_ROW_MAX, Delivery, MessageDied, backoff_seconds
from shared.events import Event, LogAppended, Message, Topic
from shared.faults import Poison, Refused, TryAgain
from shared.web.readiness import BY_A_PERSON, not_ready
from tests.builders import START, line, named
from tests.contract.bus.listener import Listener, say
from tests.contract.installation import Installation, rows, running
from tests.contract.notes import noted
from tests.contract.unreliable import Unreliable


class FromTheFuture(Event):
    """A type that this release does not know."""

    type: ClassVar[str] = "windlass.teleport.engaged.v9"
    topic: ClassVar[Topic] = Topic.LOGS

    log: str

    @property
    def key(self) -> str:
        return self.log


class Garbled(FromTheFuture):
    """A known type whose body is not what its type says."""

    type: ClassVar[str] = LogAppended.type


class Undertaker:
    """Collects the dead letters."""

    def __init__(self, database: Database) -> None:
        self.db = ServiceDatabase(database, "undertaker")
        self.died: list[MessageDied] = []

    @property
    def subscription(self) -> Subscription:
        return Subscription(self.db, {MessageDied: self.message_died})

    async def message_died(self, message: Message[MessageDied]) -> None:
        async with self.db.hearing(message) as tx:
            if tx.seen_before:
                return
        self.died.append(message.body)

    def has(self, count: int) -> bool:
        return len(self.died) == count


async def test_what_is_not_possible_now_is_tried_again_after_a_growing_pause(
    installation: Installation,
) -> None:
    listener = Listener(installation.database)
    listener.faults["run/a 0"] = [TryAgain("busy"), TryAgain("busy"), TryAgain("busy")]
    async with running(installation.bus([listener.subscription]).run()):
        await say(installation.database, line("run/a", 0), line("run/a", 1))
        for attempt in (1, 2, 3):
            await installation.quiet()
            assert listener.tried == ["run/a 0"] * attempt
            installation.clock.advance(backoff_seconds(attempt) * 0.9)
            await installation.quiet()
            assert listener.tried == ["run/a 0"] * attempt
            installation.clock.advance(backoff_seconds(attempt) * 0.11)
        await installation.until(lambda: len(listener.noted) == 2)
    assert listener.noted == ["run/a 0", "run/a 1"]
    assert await noted(installation.database, "status") == ["run/a 0", "run/a 1"]


async def test_a_message_never_possible_dies_at_the_limit_and_the_next_goes_on(
    installation: Installation,
) -> None:
    listener, undertaker = Listener(installation.database), Undertaker(installation.database)
    listener.faults["run/a 0"] = [TryAgain("the disk is away")] * 99
    async with running(installation.bus([listener.subscription, undertaker.subscription]).run()):
        await say(installation.database, line("run/a", 0), line("run/a", 1))
        for attempt in range(1, ATTEMPTS_MAX):
            await installation.quiet()
            installation.clock.advance(backoff_seconds(attempt))
        await installation.until(lambda: bool(undertaker.died and listener.noted))
    assert listener.tried == ["run/a 0"] * ATTEMPTS_MAX + ["run/a 1"]
    letter = undertaker.died[0]
    assert (letter.consumer_group, letter.message_type) == ("status", LogAppended.type)
    assert (letter.message_key, letter.attempts) == ("run/a", ATTEMPTS_MAX)
    assert "the disk is away" in letter.reason
    assert await noted(installation.database, "status") == ["run/a 1"]


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        pytest.param(ZeroDivisionError("a bug"), "ZeroDivisionError: a bug", id="a bug"),
        pytest.param(Poison("no such state"), "poison: no such state", id="poison"),
        pytest.param(Refused("no such commit"), "refused: no such commit", id="refused"),
        pytest.param(ValueError("caf\udce9 \x00"), "caf", id="a reason that is no text"),
        pytest.param(ValueError("x" * 5_000_000), "xxx", id="a reason too long to carry"),
        pytest.param(asyncio.CancelledError(), "CancelledError", id="cancelled by nobody"),
        pytest.param(
            ExceptionGroup("many", [TryAgain("a"), ValueError("b")]), "many", id="a group of errors"
        ),
    ],
)
async def test_a_hopeless_message_dies_at_once_and_the_others_go_on(
    installation: Installation, fault: BaseException, reason: str
) -> None:
    listener, undertaker = Listener(installation.database), Undertaker(installation.database)
    listener.faults["run/a 0"] = [fault]
    async with running(installation.bus([listener.subscription, undertaker.subscription]).run()):
        await say(installation.database, line("run/a", 0), line("run/a", 1), line("run/b", 0))
        await installation.until(lambda: len(listener.noted) == 2 and bool(undertaker.died))
    assert listener.tried.count("run/a 0") == 1
    assert reason in undertaker.died[0].reason
    assert len(undertaker.died[0].reason) < 20_000
    assert len(undertaker.died) == 1


async def test_a_dead_message_stays_dead_after_a_restart(installation: Installation) -> None:
    listener, undertaker = Listener(installation.database), Undertaker(installation.database)
    listener.faults["run/a 0"] = [ZeroDivisionError(), ZeroDivisionError()]
    async with running(installation.bus([listener.subscription, undertaker.subscription]).run()):
        await say(installation.database, line("run/a", 0))
        await installation.until(lambda: bool(undertaker.died))
    async with running(installation.bus([listener.subscription, undertaker.subscription]).run()):
        await installation.quiet()
    assert listener.tried == ["run/a 0"]
    assert len(undertaker.died) == 1


async def test_a_message_that_dies_twice_leaves_one_letter(installation: Installation) -> None:
    """As when it is delivered again and refused before its group has looked into the inbox."""
    undertaker, heard = Undertaker(installation.database), list[Message[LogAppended]]()

    async def log_appended(message: Message[LogAppended]) -> None:
        heard.append(message)
        raise Poison("again and again")

    group = ServiceDatabase(installation.database, "status")
    subscription = Subscription(group, {LogAppended: log_appended})
    async with running(installation.bus([subscription, undertaker.subscription]).run()):
        await say(installation.database, line("run/a", 0))
        await installation.until(lambda: bool(undertaker.died))
        await Delivery(group).deliver(log_appended, heard[0])
        await installation.quiet()
    assert len(heard) == 2
    assert len(undertaker.died) == 1


async def test_a_dead_letter_that_cannot_be_read_leaves_no_further_letter(
    installation: Installation,
) -> None:
    read: list[MessageDied] = []

    async def message_died(message: Message[MessageDied]) -> None:
        read.append(message.body)
        raise ZeroDivisionError

    listener = Listener(installation.database)
    listener.faults["run/a 0"] = [ZeroDivisionError()]
    clumsy = Subscription(ServiceDatabase(installation.database, "clumsy"), {MessageDied: message_died})
    async with running(installation.bus([listener.subscription, clumsy]).run()):
        await say(installation.database, line("run/a", 0))
        await installation.until(lambda: bool(read))
        await installation.quiet()
    assert [letter.message_type for letter in read] == [LogAppended.type]


async def test_a_type_of_a_newer_release_is_passed_over(installation: Installation) -> None:
    listener, undertaker = Listener(installation.database), Undertaker(installation.database)
    async with running(installation.bus([listener.subscription, undertaker.subscription]).run()):
        await say(installation.database, FromTheFuture(log="run/a"), line("run/a", 1))
        await installation.until(lambda: listener.noted == ["run/a 1"])
        await installation.quiet()
    assert undertaker.died == []


async def test_a_body_that_does_not_parse_dies_once_in_each_group_that_wants_it(
    installation: Installation,
) -> None:
    one, two = Listener(installation.database, "one"), Listener(installation.database, "two")
    undertaker = Undertaker(installation.database)
    subscriptions = [one.subscription, two.subscription, undertaker.subscription]
    async with running(installation.bus(subscriptions).run()):
        await say(installation.database, line("run/a", 0), Garbled(log="run/a"), line("run/a", 2))
        await installation.until(lambda: len(undertaker.died) == 2 and len(one.noted) == 2)
    async with running(installation.bus(subscriptions).run()):
        await installation.quiet()
    assert one.noted == two.noted == ["run/a 0", "run/a 2"]
    assert sorted(letter.consumer_group for letter in undertaker.died) == ["one", "two"]
    assert {(letter.message_type, letter.message_key) for letter in undertaker.died} == {
        (LogAppended.type, "run/a")
    }
    assert "first_line" in undertaker.died[0].reason


async def test_a_bus_outlives_its_database_being_away(installation: Installation) -> None:
    database = Unreliable(installation.database)
    listener = Listener(database)
    async with running(installation.bus([listener.subscription], database).run()):
        await installation.quiet()
        database.away = True
        await say(installation.database, line("run/a", 0))
        for _ in range(10):
            await installation.quiet()
            installation.clock.advance(1.0)
        assert listener.noted == []
        database.away = False
        for _ in range(10):
            await installation.quiet()
            installation.clock.advance(1.0)
        await installation.until(lambda: listener.noted == ["run/a 0"])


async def test_a_bus_starts_before_its_database_is_there(installation: Installation) -> None:
    database = Unreliable(installation.database)
    listener = Listener(database)
    database.away = True
    await say(installation.database, line("run/a", 0))
    async with running(installation.bus([listener.subscription], database).run()):
        await installation.quiet()
        database.away = False
        installation.clock.advance(5.0)
        await installation.until(lambda: listener.noted == ["run/a 0"])


async def test_no_message_dies_of_a_database_that_cannot_take_the_letter(installation: Installation) -> None:
    database = Unreliable(installation.database)
    listener = Listener(database)
    async with running(installation.bus([listener.subscription]).run()):
        await installation.quiet()
        database.away_for_writers = True
        await say(installation.database, line("run/a", 0))
        for _ in range(ATTEMPTS_MAX + 5):
            await installation.quiet()
            installation.clock.advance(60.0)
        assert len(listener.tried) > ATTEMPTS_MAX
        database.away_for_writers = False
        listener.faults["run/a 0"] = [TryAgain("the first moment after it is back")]
        for _ in range(2):
            await installation.quiet()
            installation.clock.advance(60.0)
        await installation.until(lambda: listener.noted == ["run/a 0"])


@pytest.mark.parametrize("fault", [None, ZeroDivisionError()], ids=["handled", "buried"])
async def test_what_was_committed_unknown_to_us_is_not_done_again(
    installation: Installation, fault: Exception | None
) -> None:
    database = Unreliable(installation.database)
    listener, undertaker = Listener(database), Undertaker(installation.database)
    listener.faults["run/a 0"] = [fault] * 2 if fault else []
    async with running(installation.bus([listener.subscription, undertaker.subscription]).run()):
        await installation.quiet()
        database.answers_lost = 1
        await say(installation.database, line("run/a", 0))
        for _ in range(3):
            await installation.quiet()
            installation.clock.advance(1.0)
        await say(installation.database, line("run/a", 1))
        await installation.until(lambda: "run/a 1" in listener.noted and undertaker.has(1 if fault else 0))
        await installation.quiet()
    assert database.answers_lost == 0
    assert await noted(installation.database, "status") == (["run/a 1"] if fault else ["run/a 0", "run/a 1"])
    assert len(undertaker.died) == (1 if fault else 0)


async def test_a_full_disk_holds_messages_up_and_loses_none(installation: Installation) -> None:
    listener = Listener(installation.database)
    gate = listener.gates["run/a"] = asyncio.Event()
    async with running(installation.bus([listener.subscription]).run()):
        await say(installation.database, *(line("run/a", number) for number in range(200)))
        await installation.until(lambda: bool(listener.tried))
        async with installation.full():
            gate.set()
            for _ in range(4):
                await installation.quiet()
                installation.clock.advance(1.0)
            stuck_at = len(listener.noted)
        for _ in range(4):
            await installation.quiet()
            installation.clock.advance(60.0)
        await installation.until(lambda: len(listener.noted) == 200)
    assert stuck_at < 200
    assert await noted(installation.database, "status") == [f"run/a {number}" for number in range(200)]


async def letters_in(installation: Installation) -> int:
    return len(await rows(installation.database, sa.select(tables.dead_letters.c.id)))


async def test_a_release_that_can_take_nothing_does_not_bury_the_queue(installation: Installation) -> None:
    listener = Listener(installation.database)
    count = DEATHS_IN_A_ROW_MAX + 10
    for number in range(count):
        listener.faults[f"run/a {number}"] = [ZeroDivisionError()] * 99
    async with running(installation.bus([listener.subscription]).run()):
        await say(installation.database, *(line("run/a", number) for number in range(count)))
        kept = f"run/a {DEATHS_IN_A_ROW_MAX}"
        for _ in range(15):
            await installation.quiet()
            installation.clock.advance(60.0)
        await installation.quiet()
        assert await letters_in(installation) == DEATHS_IN_A_ROW_MAX
        assert listener.tried.count(kept) > ATTEMPTS_MAX
        assert set(listener.tried) == {f"run/a {number}" for number in range(DEATHS_IN_A_ROW_MAX + 1)}
        listener.faults.clear()
        installation.clock.advance(60.0)
        await installation.until(lambda: len(listener.noted) == 10)
    assert await letters_in(installation) == DEATHS_IN_A_ROW_MAX
    assert listener.noted[0] == kept


async def test_a_stopped_group_says_why_until_it_handles_something(installation: Installation) -> None:
    listener = Listener(installation.database)
    delivery = Delivery(listener.db)
    heard = messages(*(line(f"run/{n}", 0) for n in range(DEATHS_IN_A_ROW_MAX + 3)))
    *dead, stuck, good, poison = heard
    for message in (*dead, stuck, poison):
        listener.faults[f"{message.key} 0"] = [Poison("a bad release")] * 99
    assert (
        await asyncio.gather(*(delivery.deliver(listener.log_appended, each) for each in dead))
        == [False] * DEATHS_IN_A_ROW_MAX
    )
    assert delivery.stopped == ""
    waiting = asyncio.ensure_future(delivery.deliver(listener.log_appended, stuck))
    await installation.until(lambda: bool(delivery.stopped))
    assert "a bad release" in delivery.stopped
    assert str(DEATHS_IN_A_ROW_MAX) in delivery.stopped
    assert not_ready({"bus": f"status: {delivery.stopped}"}).document.next == BY_A_PERSON
    assert await delivery.deliver(listener.log_appended, good)
    assert delivery.stopped == ""
    await installation.quiet()
    installation.clock.advance(60.0)
    assert not await waiting  # this one was itself at fault
    assert not await delivery.deliver(listener.log_appended, poison)
    assert await letters_in(installation) == DEATHS_IN_A_ROW_MAX + 2


async def test_deaths_with_something_handled_in_between_stop_nobody(installation: Installation) -> None:
    listener = Listener(installation.database)
    delivery = Delivery(listener.db)
    for number, message in enumerate(
        messages(*(line(f"run/{n}", 0) for n in range(DEATHS_IN_A_ROW_MAX * 3)))
    ):
        listener.faults[f"{message.key} 0"] = [Poison("at fault")] if number % 10 else []
        assert await delivery.deliver(listener.log_appended, message) is (number % 10 == 0)
    assert delivery.stopped == ""


async def test_a_database_that_takes_no_letter_counts_no_death(installation: Installation) -> None:
    database = Unreliable(installation.database)
    listener = Listener(database)
    delivery = Delivery(listener.db)
    (message,) = messages(line("run/a", 0))
    database.away_for_writers = True
    waiting = asyncio.ensure_future(delivery.deliver(listener.log_appended, message))
    for _ in range(ATTEMPTS_MAX + DEATHS_IN_A_ROW_MAX + 5):
        await installation.quiet()
        installation.clock.advance(60.0)
    assert delivery.stopped == ""
    database.away_for_writers = False
    installation.clock.advance(60.0)
    assert await waiting


def messages(*events: LogAppended) -> list[Message[LogAppended]]:
    """Return the events as a group hears them, without a bus."""
    return [
        Message(named(event.key), START, "", event.key, event.key, "", None, "", event) for event in events
    ]
