"""What the embedded bus does beyond what every bus does: its log is the outbox, its groups share a loop."""

import asyncio
import gc
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from shared.bus import Subscription, embedded
from shared.db import ServiceDatabase, tables
from shared.events import LogAppended, LogLine, Message
from tests.builders import START, line
from tests.contract.bus.listener import Listener, say
from tests.contract.installation import Embedded, rows, running
from tests.contract.notes import lay_out

A_CURSOR_IS_SAVED = 5.0  # seconds, at most
LONG = "run/long"  # a key that no other test has: somebody may still hold their messages


@pytest.fixture
async def installation(tmp_path: Path) -> AsyncIterator[Embedded]:
    made = Embedded(tmp_path)
    await lay_out(made.database)
    yield made
    await made.close()


async def test_old_events_go_once_every_group_is_past_them(installation: Embedded) -> None:
    slow, quick = Listener(installation.database, "slow"), Listener(installation.database, "quick")
    gate = slow.gates["run/slow"] = asyncio.Event()
    async with running(installation.bus([slow.subscription, quick.subscription]).run()):
        await say(installation.database, line("run/old", 0), line("run/slow", 0), line("run/old", 1))
        await installation.until(lambda: len(quick.noted) == 3 and len(slow.noted) == 2)
        installation.clock.advance(timedelta(days=8).total_seconds())
        await say(installation.database, line("run/new", 0))
        await installation.until(lambda: len(slow.noted) == 3)
        installation.clock.advance(A_CURSOR_IS_SAVED)
        await installation.quiet()
        assert await kept(installation) == ["run/slow", "run/old", "run/new"]
        gate.set()
        await installation.until(lambda: len(slow.noted) == 4)
        installation.clock.advance(A_CURSOR_IS_SAVED)
        await installation.quiet()
    assert await kept(installation) == ["run/new"]


async def kept(installation: Embedded) -> list[str]:
    query = sa.select(tables.outbox.c.key).order_by(tables.outbox.c.position)
    return [key for (key,) in await rows(installation.database, query)]


async def test_who_only_takes_note_lets_those_who_decide_go_first(installation: Embedded) -> None:
    said: list[str] = []

    async def note_it(message: Message[LogAppended]) -> None:
        said.append(f"noted {message.body.first_line}")

    async def decide(message: Message[LogAppended]) -> None:
        said.append(f"decided {message.body.first_line}")
        if message.body.first_line < 2:
            await say(installation.database, line("run/b", message.body.first_line + 1))

    patient = ServiceDatabase(installation.database, "status")
    deciding = ServiceDatabase(installation.database, "deployer")
    subscriptions = [
        Subscription(patient, {LogAppended: note_it}, patient=True),
        Subscription(deciding, {LogAppended: decide}),
    ]
    async with running(installation.bus(subscriptions).run()):
        await say(installation.database, line("run/a", 0))
        await installation.until(lambda: len(said) == 6)
    assert said[:3] == ["decided 0", "decided 1", "decided 2"]
    assert sorted(said[3:]) == ["noted 0", "noted 1", "noted 2"]


async def test_long_messages_wait_in_the_log_and_not_in_memory(
    installation: Embedded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "AHEAD_CHARACTERS_MAX", 100_000)
    listener = Listener(installation.database)
    gate = listener.gates[LONG] = asyncio.Event()
    bus = installation.bus([listener.subscription])
    async with running(bus.run()):
        said = [output(number, "x" * 10_000) for number in range(40)]
        await say(installation.database, *said)
        await installation.quiet()
        in_memory = messages_in_memory()
        gate.set()
        await installation.until(lambda: len(listener.noted) == 40)
    assert 0 < in_memory <= 11
    assert listener.noted == [f"{LONG} {number}" for number in range(40)]


def messages_in_memory() -> int:
    gc.collect()
    return sum(isinstance(each, Message) and each.key == LONG for each in gc.get_objects())


def output(number: int, text: str) -> LogAppended:
    return line(LONG, number).model_copy(update={"lines": (LogLine(at=START, text=text),)})
