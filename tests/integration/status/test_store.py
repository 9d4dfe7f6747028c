"""The projection on a database: written in batches, rebuilt from its history, hurt by nothing."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from services.status import tables
from services.status.handlers import Projector
from services.status.projection import Kind, fold
from services.status.store.writing import Projection
from shared.clock import ManualClock
from shared.db import ServiceDatabase, metadata
from shared.db.sqlite import SqliteDatabase
from shared.events import Event, LogAppended, Message, RunStarted
from shared.faults import TryAgain
from tests.builders import START
from tests.contract.installation import running
from tests.integration.status.questions import lines
from tests.unit.status.stories import histories, message
from tests.unit.status.told import Told


def opened(folder: str | Path) -> SqliteDatabase:
    database = SqliteDatabase(Path(folder) / "windlass.db", ManualClock(START))
    metadata.create_all(database.writer)
    return database


async def views(database: SqliteDatabase) -> list[tuple[Any, ...]]:
    query = sa.select(tables.views).order_by(tables.views.c.id)
    async with database.reading() as reading:
        return [tuple(row) for row in await reading.execute(query)]


async def written(
    history: Sequence[Message[Event]], sizes: Sequence[int]
) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    """Write a history in batches, each twice; return the views before and after a rebuild."""
    with TemporaryDirectory() as folder:
        database = opened(folder)
        projection = Projection(ServiceDatabase(database, "status"))
        rest = list(history)
        for size in [*sizes, len(history) + 1]:
            batch, rest = rest[:size], rest[size:]
            await projection.append(batch)
            await projection.append(batch[-3:])
        before = await views(database)
        await projection.rebuild()
        after = await views(database)
        await database.close()
        return before, after


@settings(max_examples=40, deadline=None)
@given(histories(), st.lists(st.integers(1, 9), max_size=6))
def test_a_rebuild_from_the_history_gives_the_same_views(
    history: list[Message[Event]], sizes: list[int]
) -> None:
    before, after = asyncio.run(written(history, sizes))
    assert after == before
    assert len(before) == len(fold({}, history))


async def test_a_batch_with_the_same_message_twice_in_it_is_written_once(tmp_path: Path) -> None:
    database = opened(tmp_path)
    history = Told().declared().queued(1).started(1).heard
    await Projection(ServiceDatabase(database, "status")).append([*history, *history])
    async with database.reading() as reading:
        count = (await reading.execute(sa.select(sa.func.count()).select_from(tables.history))).scalar()
    assert count == 3
    await database.close()


class Choosy:
    """Writes nothing that has a message it cannot take; fails for all while it is away."""

    def __init__(self, refused: Message[Event] | None = None) -> None:
        self.refused = refused
        self.away = False
        self.away_once: Message[Event] | None = None  # cannot write this one when it is asked first
        self.batches: list[int] = []
        self.wrote: list[Message[Event]] = []

    async def append(self, messages: Sequence[Message[Event]]) -> None:
        self.batches.append(len(messages))
        await asyncio.sleep(0)
        if self.away:
            raise TryAgain("away")
        if self.refused in messages:
            raise ValueError("cannot be folded")
        if self.away_once in messages:
            self.away_once = None
            raise TryAgain("away")
        self.wrote += messages


async def hear_all(projector: Projector, history: Sequence[Message[Event]]) -> list[object]:
    hearing = (projector.hear(message) for message in history)
    return await asyncio.gather(*hearing, return_exceptions=True)


async def test_events_that_arrive_together_share_commits() -> None:
    appender = Choosy()
    projector = Projector(appender)
    history = Told().declared().queued(1).started(1).succeeded(1).heard
    async with running(projector.run()):
        assert await hear_all(projector, history) == [None] * 4
    assert appender.wrote == history
    assert appender.batches == [4]


async def test_a_message_that_cannot_be_folded_fails_alone() -> None:
    history = Told().declared().queued(1).started(1).heard
    appender = Choosy(refused=history[1])
    projector = Projector(appender)
    async with running(projector.run()):
        first, second, third = await hear_all(projector, history)
    assert (first, third) == (None, None)
    assert isinstance(second, ValueError)


async def test_while_the_database_is_away_all_are_told_to_try_again() -> None:
    appender = Choosy()
    appender.away = True
    projector = Projector(appender)
    history = Told().declared().queued(1).heard
    async with running(projector.run()):
        assert all(isinstance(end, TryAgain) for end in await hear_all(projector, history))
        appender.away = False
        assert await hear_all(projector, history) == [None, None]
    assert appender.batches == [2, 2]


async def test_nothing_is_written_before_an_earlier_message_that_can_be_written_later() -> None:
    history = Told().declared().queued(1).started(1).succeeded(1).heard
    appender = Choosy(refused=history[0])
    appender.away_once = history[2]
    projector = Projector(appender)
    async with running(projector.run()):
        ends = await hear_all(projector, history)
        assert [type(end) for end in ends] == [ValueError, type(None), TryAgain, TryAgain]
        assert await hear_all(projector, history[2:]) == [None, None]
    assert appender.wrote == history[1:]


async def test_messages_of_one_key_are_heard_together() -> None:
    appender = Choosy()
    projector = Projector(appender)
    history = Told().declared().queued(1).started(1).succeeded(1).heard
    async with running(projector.run()):
        await projector.hear_together(history)
        appender.refused = history[1]
        with pytest.raises(ValueError, match="cannot be folded"):
            await projector.hear_together(history)
    assert appender.wrote[:4] == history
    assert appender.batches[0] == 4


async def test_a_later_message_is_not_undone_by_an_earlier_one_heard_late(tmp_path: Path) -> None:
    database = opened(tmp_path)
    projection = Projection(ServiceDatabase(database, "status"))
    told = Told().declared().queued(1).started(1).succeeded(1)
    await projection.append(told.heard)
    before = await views(database)
    late = replace(told.heard[2], id=told.heard[0].causation or told.run_id(99), position=0)
    await projection.append([late])
    assert await views(database) == before
    await database.close()


async def test_what_is_published_again_behind_itself_counts_where_it_came_first(tmp_path: Path) -> None:
    """As after a broker was away: the same messages, further on in the partition."""
    database = opened(tmp_path)
    projection = Projection(ServiceDatabase(database, "status"))
    told = Told().declared().queued(1).started(1).succeeded(1)
    again = [replace(message, position=message.position + 100) for message in told.heard]
    await projection.append([*told.heard, *again])
    heard = await views(database)
    await projection.rebuild()
    assert await views(database) == heard
    (tmp_path / "alone").mkdir()
    other = opened(tmp_path / "alone")
    await Projection(ServiceDatabase(other, "status")).append(told.heard)
    assert await views(other) == heard
    await other.close()
    await database.close()


@pytest.mark.parametrize("held", [1, 3, 1_000])
@pytest.mark.parametrize("size", [1, 7, 1_000])
async def test_a_long_history_is_rebuilt_page_by_page_with_few_views_in_memory(
    tmp_path: Path, size: int, held: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.status.store.rebuilding.REPLAYED_ROWS_MAX", size)
    monkeypatch.setattr("services.status.store.rebuilding.HELD_MAX", held)
    database = opened(tmp_path)
    projection = Projection(ServiceDatabase(database, "status"))
    told = Told().declared()
    for revision in range(1, 6):
        told.queued(revision).started(revision).succeeded(revision)
    await projection.append(told.heard)
    before = await views(database)
    await projection.rebuild()
    assert await views(database) == before
    await database.close()


async def test_what_cannot_be_read_is_passed_over_and_reported(tmp_path: Path) -> None:
    database = opened(tmp_path)
    projection = Projection(ServiceDatabase(database, "status"))
    output = message(lines(0, "one"), 90)
    await projection.append([*Told().declared().queued(1).started(1).heard, output])
    async with database.begin() as (connection, _):
        await connection.execute(sa.update(tables.log_chunks).values(body="{"))
        started = tables.history.c.type == RunStarted.type
        await connection.execute(sa.update(tables.history).where(started).values(body="[]"))
    with capture_logs() as logged:
        await projection.rebuild()
    assert [entry["type"] for entry in logged if entry["event"] == "event.passed_over"] == [
        RunStarted.type,
        LogAppended.type,
    ]
    states = [json.loads(row[-1])["state"] for row in await views(database) if row[1] == Kind.RUN]
    assert states == ["Not Started"]
    await database.close()
