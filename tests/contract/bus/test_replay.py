"""Dead letters handed over again: as if for the first time, and once whoever dies meanwhile."""

import asyncio
from functools import partial

import pytest

from shared.bus import Subscription
from shared.bus.embedded import CURSOR_SAVED_EVERY_SECONDS
from shared.db import ServiceDatabase
from shared.dead_letters import letters as letters_module
from shared.dead_letters.claims import LEASE
from shared.dead_letters.letter_state import LetterState
from shared.dead_letters.letters import Wanted
from shared.dead_letters.redelivery import SWEEP_SECONDS, Redelivery
from shared.delivery import TYPES
from shared.events import LogAppended, Message
from shared.faults import Poison, TryAgain
from tests.builders import line
from tests.contract.bus.listener import Listener, say
from tests.contract.bus.morgue import (
    ANN,
    EVERY,
    bury,
    every_letter,
    letters,
    only_letter,
    replay,
    sweeps,
    until_states,
)
from tests.contract.bus.test_failure import Garbled, Undertaker
from tests.contract.installation import Installation, running
from tests.contract.notes import note, noted
from tests.contract.unreliable import Unreliable


async def test_a_replayed_letter_is_handled_as_if_for_the_first_time(installation: Installation) -> None:
    listener = Listener(installation.database)
    async with running(installation.bus([listener.subscription]).run()):
        (letter,) = await bury(installation, listener, line("run/a", 0))
        await replay(installation, letter)
        (letter,) = await until_states(installation, LetterState.REPLAYED)
    assert (letter.changed_by, letter.note, letter.deaths) == (ANN, "mended", 1)
    assert listener.tried == ["run/a 0"] * 2
    assert await noted(installation.database, "status") == ["run/a 0"]


async def test_a_letter_hears_the_message_as_the_bus_had_it(installation: Installation) -> None:
    heard: list[Message[LogAppended]] = []
    db = ServiceDatabase(installation.database, "status")

    async def log_appended(message: Message[LogAppended]) -> None:
        heard.append(message)
        if len(heard) == 1:
            raise Poison("not yet")

    async with running(installation.bus([Subscription(db, {LogAppended: log_appended})]).run()):
        await say(installation.database, line("run/a", 0))
        await replay(installation, *await until_states(installation, LetterState.WAITING))
        await installation.until(lambda: len(heard) == 2)
    first, second = heard
    for name in ("id", "time", "source", "subject", "key", "correlation", "causation", "traceparent", "body",
                 "origin", "headers"):  # fmt: skip
        assert getattr(first, name) == getattr(second, name), name


async def test_a_letter_is_replayed_in_a_later_life_too(installation: Installation) -> None:
    listener = Listener(installation.database)
    async with running(installation.bus([listener.subscription]).run()):
        (letter,) = await bury(installation, listener, line("run/a", 0))
    await replay(installation, letter)
    async with running(installation.bus([listener.subscription]).run()):
        await until_states(installation, LetterState.REPLAYED)
    assert await noted(installation.database, "status") == ["run/a 0"]


async def test_a_letter_cannot_be_replayed_twice(installation: Installation) -> None:
    listener = Listener(installation.database)
    async with running(installation.bus([listener.subscription]).run()):
        (letter,) = await bury(installation, listener, line("run/a", 0))
        office = letters(installation.database)
        answers = await asyncio.gather(*(office.replay(letter.id, ANN, "") for _ in range(5)))
        assert sorted(answers) == [False] * 4 + [True]
        await sweeps(installation, 2 * SWEEP_SECONDS)  # those who came too late may have had it locked
        await until_states(installation, LetterState.REPLAYED)
        assert not await office.replay(letter.id, ANN, "")
        assert not await office.discard(letter.id, ANN, "")
        await installation.quiet()
    assert await noted(installation.database, "status") == ["run/a 0"]


async def test_one_of_two_replicas_hands_a_letter_over_for_as_long_as_it_lives(
    installation: Installation,
) -> None:
    one = Listener(installation.database)
    other_database = installation.another()
    two = Listener(other_database)
    async with running(installation.bus([one.subscription]).run()) as (first_life,):
        (letter,) = await bury(installation, one, line("run/a", 0))
        gate = one.gates["run/a"] = asyncio.Event()
        await replay(installation, letter)
        await installation.until(lambda: len(one.tried) == 2)
        async with running(Redelivery([two.subscription], other_database).run()):
            await sweeps(installation, LEASE.total_seconds() * 4)
            assert two.tried == []
            first_life.cancel()
            await asyncio.wait([first_life])
            await sweeps(installation, LEASE.total_seconds() * 2)
            await until_states(installation, LetterState.REPLAYED)
    assert not gate.is_set()
    assert two.tried == ["run/a 0"]
    assert await noted(installation.database, "status") == ["run/a 0"]


async def test_two_replicas_that_both_have_a_letter_handle_it_once(installation: Installation) -> None:
    listener = Listener(installation.database)
    async with running(installation.bus([listener.subscription]).run()):
        (letter,) = await bury(installation, listener, line("run/a", 0))
    await replay(installation, letter)
    begun = asyncio.Event()
    calls: list[Message[LogAppended]] = []
    databases = [installation.another(), installation.another()]
    replicas = [Listener(database) for database in databases]

    def slow(replica: Listener) -> Subscription:
        async def log_appended(message: Message[LogAppended]) -> None:
            calls.append(message)
            await begun.wait()
            await replica.log_appended(message)

        return Subscription(replica.db, {LogAppended: log_appended})

    first, second = (
        Redelivery([slow(replica)], Unreliable(database))
        for replica, database in zip(replicas, databases, strict=True)
    )
    async with running(first.run()):
        await installation.until(lambda: len(calls) == 1)
        first._claims.database.away_for_writers = True  # type: ignore[attr-defined]  # it renews nothing
        async with running(second.run()):
            await sweeps(installation, LEASE.total_seconds() * 2)
            assert len(calls) == 2
            begun.set()
            await until_states(installation, LetterState.REPLAYED)
            await installation.quiet()
    assert await noted(installation.database, "status") == ["run/a 0"]


async def test_a_crash_between_handling_and_noting_that_does_nothing_twice(
    installation: Installation,
) -> None:
    database = Unreliable(installation.database)
    listener = Listener(database)
    calls: list[str] = []

    async def handles_and_loses_the_database(message: Message[LogAppended]) -> None:
        calls.append(message.key)
        await listener.log_appended(message)
        database.away_for_writers = len(calls) == 2

    subscription = Subscription(listener.db, {LogAppended: handles_and_loses_the_database})
    async with running(installation.bus([subscription], database).run()):
        (letter,) = await bury(installation, listener, line("run/a", 0))
        await replay(installation, letter)
        await installation.until(lambda: database.away_for_writers)
        await sweeps(installation, LEASE.total_seconds())
        assert (await only_letter(installation)).state is LetterState.ASKED
        database.away_for_writers = False
        await sweeps(installation, LEASE.total_seconds() * 2)
        await until_states(installation, LetterState.REPLAYED)
    assert len(calls) == 3
    assert await noted(installation.database, "status") == ["run/a 0"]


async def test_a_letter_that_dies_again_waits_again_and_says_how_often(installation: Installation) -> None:
    listener, undertaker = Listener(installation.database), Undertaker(installation.database)
    async with running(installation.bus([listener.subscription, undertaker.subscription]).run()):
        (letter,) = await bury(installation, listener, line("run/a", 0))
        for death in (2, 3):
            installation.clock.advance(1.0)
            listener.faults["run/a 0"] = [Poison(f"reason {death}")]
            await replay(installation, letter)
            await installation.until(partial(undertaker.has, death))
            (letter,) = await until_states(installation, LetterState.WAITING)
            assert (letter.deaths, letter.reason) == (death, f"poison: reason {death}")
            assert letter.died_at == installation.clock.now()
        await replay(installation, letter)
        await until_states(installation, LetterState.REPLAYED)
    assert [died.deaths for died in undertaker.died] == [1, 2, 3]
    assert await noted(installation.database, "status") == ["run/a 0"]


async def test_a_replay_is_tried_as_often_as_a_message_from_the_bus(installation: Installation) -> None:
    listener = Listener(installation.database)
    async with running(installation.bus([listener.subscription]).run()):
        (letter,) = await bury(installation, listener, line("run/a", 0))
        listener.faults["run/a 0"] = [TryAgain("busy"), TryAgain("busy")]
        await replay(installation, letter)
        await sweeps(installation, 10)
        (letter,) = await until_states(installation, LetterState.REPLAYED)
    assert letter.deaths == 1


class Lenient(LogAppended):
    """The same event in a later release, which can read what the earlier one could not."""

    pipeline: str = ""
    revision: int = 0
    first_line: int = 0
    lines: tuple[str, ...] = ()  # type: ignore[assignment]


async def test_a_body_that_did_not_parse_is_replayed_by_a_release_that_can_parse_it(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    listener, heard = Listener(installation.database), list[Lenient]()
    async with running(installation.bus([listener.subscription]).run()):
        await say(installation.database, Garbled(log="run/a"))
        (letter,) = await until_states(installation, LetterState.WAITING)
        assert letter.raw == b'{"log":"run/a"}'
        await replay(installation, letter)
        await until_states(installation, LetterState.WAITING)
    (letter,) = await every_letter(installation)
    assert letter.deaths == 2
    monkeypatch.setitem(TYPES, LogAppended.type, Lenient)

    async def log_appended(message: Message[Lenient]) -> None:
        async with listener.db.hearing(message) as tx:
            if not tx.seen_before:
                heard.append(message.body)

    async with running(installation.bus([Subscription(listener.db, {Lenient: log_appended})]).run()):
        await replay(installation, letter)
        await until_states(installation, LetterState.REPLAYED)
    assert [body.log for body in heard] == ["run/a"]
    assert listener.tried == []


async def test_a_replay_holds_up_nothing_else(installation: Installation) -> None:
    db, done, gate = ServiceDatabase(installation.database, "status"), list[str](), asyncio.Event()
    tried: list[str] = []
    mended = False

    async def log_appended(message: Message[LogAppended]) -> None:
        text = f"{message.key} {message.body.first_line}"
        tried.append(text)
        if message.body.first_line == 0:
            if not mended:
                raise Poison("not yet")
            if message.key == "run/a":
                await gate.wait()
        async with db.hearing(message) as tx:
            if tx.seen_before:
                return
            await note(tx, "status", text)
        done.append(text)

    async with running(installation.bus([Subscription(db, {LogAppended: log_appended})]).run()):
        await say(installation.database, line("run/a", 0), line("run/b", 0))
        dead = await until_states(installation, LetterState.WAITING, LetterState.WAITING)
        mended = True
        await replay(installation, *dead)
        await installation.until(lambda: tried.count("run/a 0") == 2 and "run/b 0" in done)
        await say(installation.database, *(line("run/a", number) for number in range(1, 6)))
        await installation.until(lambda: len(done) == 6)
        assert "run/a 0" not in done
        gate.set()
        await until_states(installation, LetterState.REPLAYED, LetterState.REPLAYED)
    assert done[-1] == "run/a 0"


async def test_letters_of_one_key_are_replayed_in_their_order(installation: Installation) -> None:
    listener = Listener(installation.database)
    async with running(installation.bus([listener.subscription]).run()):
        await bury(installation, listener, *(line("run/a", number) for number in range(5)))
        installation.clock.advance(CURSOR_SAVED_EVERY_SECONDS)  # or a later life hears them from the log, too
        await installation.quiet()
    assert await letters(installation.database).replay_all(EVERY, ANN, "") == 5
    async with running(installation.bus([listener.subscription]).run()):
        await until_states(installation, *[LetterState.REPLAYED] * 5)
    assert await noted(installation.database, "status") == [f"run/a {number}" for number in range(5)]
    assert listener.under_way_most["run/a"] == 1


async def test_many_are_replayed_the_oldest_first_and_so_many_at_once(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(letters_module, "REPLAYED_AT_ONCE_MAX", 2)
    listener, office = Listener(installation.database), letters(installation.database)
    async with running(installation.bus([listener.subscription]).run()):
        for number in range(3):
            installation.clock.advance(1.0)
            listener.faults[f"run/{number} 0"] = [Poison("not yet")]
            await say(installation.database, line(f"run/{number}", 0))
            await until_states(installation, *[LetterState.WAITING] * (number + 1))
    assert await office.replay_all(Wanted(group="nobody"), ANN, "") == 0
    assert await office.replay_all(Wanted(type="windlass.push.received.v1"), ANN, "") == 0
    assert await office.replay_all(Wanted(group="status", type=LogAppended.type), ANN, "") == 2
    assert [letter.state for letter in await every_letter(installation)] == ["asked", "asked", "waiting"]
    assert await office.replay_all(Wanted(), ANN, "") == 1
    assert await office.replay_all(Wanted(), ANN, "") == 0
    async with running(installation.bus([listener.subscription]).run()):
        await until_states(installation, *[LetterState.REPLAYED] * 3)


async def test_more_letters_than_are_in_hand_at_once_are_all_replayed(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.dead_letters.redelivery.IN_HAND_MAX", 3)
    listener = Listener(installation.database)
    async with running(installation.bus([listener.subscription]).run()):
        await bury(installation, listener, *(line(f"run/{number}", 0) for number in range(10)))
        assert await letters(installation.database).replay_all(Wanted(), ANN, "") == 10
        await until_states(installation, *[LetterState.REPLAYED] * 10)
    assert len(await noted(installation.database, "status")) == 10


async def test_a_group_that_does_not_hear_the_type_any_more_says_so(installation: Installation) -> None:
    listener = Listener(installation.database)
    async with running(installation.bus([listener.subscription]).run()):
        (letter,) = await bury(installation, listener, line("run/a", 0))
    deaf = Subscription(listener.db, {TYPES["windlass.push.received.v1"]: listener.log_appended})
    async with running(installation.bus([deaf]).run()):
        await replay(installation, letter)
        (letter,) = await until_states(installation, LetterState.WAITING)
    assert letter.note == f"refused: status does not hear {LogAppended.type} any more"
    assert letter.deaths == 1
    async with running(installation.bus([listener.subscription]).run()):
        await installation.quiet()
        assert await noted(installation.database, "status") == []
        await replay(installation, letter)
        await until_states(installation, LetterState.REPLAYED)
    assert await noted(installation.database, "status") == ["run/a 0"]
