"""Dead letters: kept whole, found again, put away, forgotten."""

import asyncio
from datetime import timedelta

import pytest

from shared.bus import Subscription
from shared.db import ServiceDatabase
from shared.dead_letters.claims import KEPT, LEASE
from shared.dead_letters.letter import Letter
from shared.dead_letters.letter_state import LetterState
from shared.dead_letters.letters import Wanted
from shared.dead_letters.redelivery import SWEEP_SECONDS, Redelivery
from shared.delivery import DEATHS_IN_A_ROW_MAX, TYPES, Delivery, foreign_body, refusing, unread_body
from shared.events import Event, LogAppended, Message, Topic
from tests.builders import START, line, named
from tests.contract.bus.listener import Listener
from tests.contract.bus.morgue import (
    ANN,
    bury,
    every_letter,
    letters,
    only_letter,
    replay,
    sweeps,
    until_states,
)
from tests.contract.bus.test_failure import FromTheFuture, Undertaker
from tests.contract.installation import Installation, running
from tests.contract.notes import noted


async def test_a_dead_message_is_kept_whole(installation: Installation) -> None:
    listener = Listener(installation.database)
    async with running(installation.bus([listener.subscription]).run()):
        (letter,) = await bury(installation, listener, line("run/a", 7))
    assert (letter.consumer_group, letter.type) == ("status", LogAppended.type)
    assert (letter.topic, letter.key, letter.subject, letter.source) == (
        Topic.LOGS, "run/a", "run/a", "speaker",
    )  # fmt: skip
    assert LogAppended.model_validate_json(letter.raw) == line("run/a", 7)
    assert letter.body_encoding == "text"
    assert "@" in letter.origin
    assert letter.position > 0
    assert (letter.state, letter.deaths, letter.attempts) == (LetterState.WAITING, 1, 1)
    assert "not yet" in letter.reason
    assert letter.time == letter.died_at == letter.changed_at == installation.clock.now()


async def test_a_discarded_letter_is_kept_and_never_heard(installation: Installation) -> None:
    listener, office = Listener(installation.database), letters(installation.database)
    async with running(installation.bus([listener.subscription]).run()):
        (letter,) = await bury(installation, listener, line("run/a", 0))
        assert await office.discard(letter.id, ANN, "its pipeline is gone")
        assert not await office.discard(letter.id, ANN, "again")
        assert not await office.replay(letter.id, ANN, "after all")
        await sweeps(installation, LEASE.total_seconds() * 2)
    letter = await only_letter(installation)
    assert (letter.state, letter.changed_by, letter.note) == ("discarded", ANN, "its pipeline is gone")
    assert listener.tried == ["run/a 0"]


async def test_a_letter_whose_service_is_gone_can_be_discarded_though_asked_for(
    installation: Installation,
) -> None:
    listener, office = Listener(installation.database), letters(installation.database)
    async with running(installation.bus([listener.subscription]).run()):
        (letter,) = await bury(installation, listener, line("run/a", 0))
    await replay(installation, letter)
    assert await office.discard(letter.id, ANN, "nobody is there")
    async with running(installation.bus([listener.subscription]).run()):
        await sweeps(installation, LEASE.total_seconds() * 2)
    assert (await only_letter(installation)).state is LetterState.DISCARDED
    assert listener.tried == ["run/a 0"]


async def test_a_letter_discarded_while_it_is_handed_over_has_no_effect(installation: Installation) -> None:
    listener, office = Listener(installation.database), letters(installation.database)
    async with running(installation.bus([listener.subscription]).run()):
        (letter,) = await bury(installation, listener, line("run/a", 0))
        gate = listener.gates["run/a"] = asyncio.Event()
        await replay(installation, letter)
        await installation.until(lambda: len(listener.tried) == 2)
        assert await office.discard(letter.id, ANN, "wait")
        gate.set()
        await installation.quiet()
    assert (await only_letter(installation)).state is LetterState.DISCARDED
    assert await noted(installation.database, "status") == []


async def test_what_was_handled_a_moment_ago_cannot_be_discarded(installation: Installation) -> None:
    listener = Listener(installation.database)
    async with running(installation.bus([listener.subscription]).run()):
        (letter,) = await bury(installation, listener, line("run/a", 0))
    await replay(installation, letter)
    # As when its replica died between handling it and saying so.
    message = Message(letter.event, START, "", "", "run/a", "", None, "", line("run/a", 0))
    await listener.log_appended(message)
    assert not await letters(installation.database).discard(letter.id, ANN, "too late")
    async with running(installation.bus([listener.subscription]).run()):
        await until_states(installation, LetterState.REPLAYED)
    assert await noted(installation.database, "status") == ["run/a 0"]


HOSTILE = [
    pytest.param(b"", "text", id="nothing"),
    pytest.param(b"\xff\xfe\x00no text", "base64", id="no text"),
    pytest.param(b"nul \x00 in it", "base64", id="text that no column takes"),
    pytest.param("päckchen 📦".encode(), "text", id="text"),
    pytest.param(b"\xed\xa0\x80", "base64", id="half a character"),
    pytest.param(b"x" * 2_000_000, "text", id="a long one"),
]


@pytest.mark.parametrize(("raw", "encoding"), HOSTILE)
async def test_what_is_no_event_is_kept_byte_by_byte(
    installation: Installation, raw: bytes, encoding: str
) -> None:
    undertaker = Undertaker(installation.database)
    group = ServiceDatabase(installation.database, "status")
    foreign: Message[Event] = Message(
        id=named("windlass.logs/3@1042"),
        time=START,
        source="",
        subject="",
        key="a \x00 key \udce9",
        correlation="\x00",
        causation=None,
        traceparent="\x00",
        body=foreign_body(Topic.LOGS),
        origin="windlass.logs/3@1042",
        raw=raw,
        headers={"x-\x00": "\x00\udce9"},
    )
    async with running(installation.bus([undertaker.subscription]).run()):
        assert not await Delivery(group).deliver(refusing("it has no header ce_id"), foreign)
        await installation.until(lambda: bool(undertaker.died))
    letter = await only_letter(installation)
    assert (letter.raw, letter.body_encoding) == (raw, encoding)
    assert (letter.key, letter.headers) == ("a \\x00 key \\udce9", {"x-\\x00": "\\x00\\udce9"})
    assert (letter.type, letter.topic, letter.origin) == ("foreign", Topic.LOGS, "windlass.logs/3@1042")
    assert undertaker.died[0].origin == "windlass.logs/3@1042"
    async with running(Redelivery([Subscription(group, {})], installation.database).run()):
        await replay(installation, letter)
        (letter,) = await until_states(installation, LetterState.WAITING)
        await sweeps(installation, SWEEP_SECONDS)
    assert (await only_letter(installation)).note.startswith("refused: ")


async def test_what_is_no_event_of_ours_stops_nobody_however_much_of_it_comes(
    installation: Installation,
) -> None:
    delivery = Delivery(ServiceDatabase(installation.database, "status"))
    count = DEATHS_IN_A_ROW_MAX + 5
    for number in range(count):
        foreign = nameless(f"foreign {number}", foreign_body(Topic.LOGS))
        assert not await delivery.deliver(refusing("it has no header ce_id"), foreign)
    assert delivery.stopped == ""
    for number in range(DEATHS_IN_A_ROW_MAX):
        unread = nameless(f"unread {number}", unread_body(Topic.LOGS))
        assert not await delivery.deliver(refusing("reading it broke"), unread)
    last = nameless("last", unread_body(Topic.LOGS))
    waiting = asyncio.ensure_future(delivery.deliver(refusing("reading it broke"), last))
    await installation.until(lambda: bool(delivery.stopped))  # our own reading is at fault: that counts
    foreign = nameless("one more", foreign_body(Topic.LOGS))
    assert not await delivery.deliver(refusing("it has no header ce_id"), foreign)
    assert delivery.stopped
    waiting.cancel()
    assert len(await every_letter(installation)) == count + DEATHS_IN_A_ROW_MAX + 1


def nameless(name: str, body: Event) -> Message[Event]:
    return Message(named(name), START, "", "", "k", "", None, "", body, raw=b"?")


async def test_a_dead_letter_that_cannot_be_read_is_no_letter_itself(installation: Installation) -> None:
    group = ServiceDatabase(installation.database, "status")
    foreign: Message[Event] = Message(
        named("dead"), START, "", "", "k", "", None, "", foreign_body(Topic.DEAD_LETTERS), raw=b"?"
    )
    assert not await Delivery(group).deliver(refusing("it is no event"), foreign)
    assert await every_letter(installation) == []


async def test_a_type_that_no_release_knows_waits_for_one_that_does(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    group = ServiceDatabase(installation.database, "status")
    body = FromTheFuture(log="run/a")
    message: Message[Event] = Message(named("future"), START, "x", "", "run/a", "", None, "", body)
    await Delivery(group).deliver(refusing("too early"), message)
    heard: list[Event] = []

    async def engaged(message: Message[FromTheFuture]) -> None:
        heard.append(message.body)

    async with running(Redelivery([Subscription(group, {})], installation.database).run()):
        await replay(installation, await only_letter(installation))
        await sweeps(installation, SWEEP_SECONDS)
        assert "knows no event" in (await only_letter(installation)).note
    monkeypatch.setitem(TYPES, FromTheFuture.type, FromTheFuture)
    async with running(
        Redelivery([Subscription(group, {FromTheFuture: engaged})], installation.database).run()
    ):
        await replay(installation, await only_letter(installation))
        await until_states(installation, LetterState.REPLAYED)
    assert heard == [body]


async def test_letters_that_are_done_with_are_forgotten_in_the_end(installation: Installation) -> None:
    listener, office = Listener(installation.database), letters(installation.database)
    async with running(installation.bus([listener.subscription]).run()):
        dead = await bury(installation, listener, line("run/a", 0), line("run/b", 0), line("run/c", 0))
        await replay(installation, dead[0])
        await installation.until(lambda: bool(listener.noted))
        await sweeps(installation, SWEEP_SECONDS)
        assert await office.discard(dead[1].id, ANN, "")
        installation.clock.advance(KEPT.total_seconds() - 60)
        await sweeps(installation, 2 * SWEEP_SECONDS)
        assert len(await every_letter(installation)) == 3
        installation.clock.advance(timedelta(hours=2).total_seconds())
        await sweeps(installation, 2 * SWEEP_SECONDS)
    assert [letter.id for letter in await every_letter(installation)] == [dead[2].id]


async def test_letters_are_found_by_the_beginning_of_their_id_and_page_by_page(
    installation: Installation,
) -> None:
    listener, office = Listener(installation.database), letters(installation.database)
    async with running(installation.bus([listener.subscription]).run()):
        dead = await bury(installation, listener, *(line(f"run/{number}", 0) for number in range(5)))
    for letter in dead:
        assert await office.named(str(letter.id)) == await office.named(letter.id.hex[:20]) == [letter]
        assert letter in await office.named(letter.id.hex[:1].upper())
    assert await office.named("f" * 40) == []
    pages: list[Letter] = []
    place = None
    while page := await office.listed(Wanted(), place, 2):
        pages += page
        place = (page[-1].died_at, page[-1].id)
    assert pages == dead[::-1]
    assert await office.count(Wanted()) == 5
    assert await office.count(Wanted(group="nobody")) == 0
