"""Following the history: read once for all who do, and by each only what is wanted."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from services.status.routes import following
from services.status.routes.following import Following
from services.status.routes.streaming import Changes, Page
from services.status.store.reading import EventFilter, EventRow, ReadModel
from services.status.store.writing import Projection
from shared.clock import ManualClock
from shared.db import ServiceDatabase, metadata
from shared.db.sqlite import SqliteDatabase
from shared.events import Event, Message, RunFailed
from tests.builders import START
from tests.integration.status.questions import planned
from tests.unit.status.stories import message
from tests.unit.status.told import Told

ALL = EventFilter()


class CountedReads(ReadModel):
    """Counts how often the history is read."""

    reads = 0

    async def events(self, wanted: EventFilter, after: int, limit: int) -> list[EventRow]:
        type(self).reads += 1
        return await super().events(wanted, after, limit)


@dataclass
class Riverside:
    """A history, and somebody who follows it."""

    projection: Projection
    model: CountedReads
    changes: Changes
    following: Following
    said: int = 0

    async def say(self, *events: Event) -> None:
        heard: list[Message[Event]] = []
        for event in events:
            self.said += 1
            heard.append(message(event, self.said, "said"))
        await self.projection.append(heard)


@pytest.fixture
async def river(tmp_path: Path) -> AsyncIterator[Riverside]:
    database = SqliteDatabase(tmp_path / "windlass.db", ManualClock(START))
    metadata.create_all(database.writer)
    service = ServiceDatabase(database, "status")
    model, changes = CountedReads(service), Changes(database)
    CountedReads.reads = 0
    following = Following(model, changes, lambda row: row.sequence)
    yield Riverside(Projection(service), model, changes, following)
    await database.close()


def cursors(page: Page) -> list[int]:
    return [said.cursor for said in page.said]


async def test_a_commit_is_read_once_for_all_who_follow(river: Riverside) -> None:
    await river.following.after(0, ALL)
    before = river.model.reads
    await river.say(planned(), planned(2))
    pages = [await river.following.after(0, ALL) for _ in range(50)]
    assert {tuple(cursors(page)) for page in pages} == {(1, 2)}
    assert river.model.reads - before == 2  # and that nothing follows
    assert len({id(said.encoded) for page in pages for said in page.said}) == 2  # encoded once, too


async def test_each_hears_what_they_asked_for(river: Riverside) -> None:
    await river.following.after(0, ALL)
    told = Told().declared().queued(1).started(1).failed(1)
    await river.say(planned(), *(heard.body for heard in told.heard))
    wanted = {
        "all": ALL,
        "of a type": EventFilter(type=RunFailed.type),
        "of a stage": EventFilter(pipeline="shop", key="shop/staging"),
        "of another": EventFilter(pipeline="tools"),
        "of a revision": EventFilter(pipeline="shop", correlation="shop@1"),
    }
    for name, filter_ in wanted.items():
        followed = cursors(await river.following.after(0, filter_))
        listed = [row.sequence for row in await river.model.events(filter_, 0, 200)]
        assert followed == listed, name


async def test_who_wants_what_is_rare_does_not_begin_at_the_same_place_again(river: Riverside) -> None:
    await river.following.after(0, ALL)
    await river.say(planned(), planned(2))
    page = await river.following.after(0, EventFilter(pipeline="tools"))
    assert (page.said, page.read_to) == ([], 2)


async def test_who_is_further_behind_than_memory_reaches_reads_for_himself(
    river: Riverside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.status.routes.following.KEPT_MAX", 2)
    monkeypatch.setattr("services.status.routes.following.READ_MAX", 3)
    await river.following.after(0, ALL)
    await river.say(*(planned(number) for number in range(1, 9)))
    seen, cursor = [], 0
    while (page := await river.following.after(cursor, ALL)).said:
        seen += cursors(page)
        cursor = max(page.said[-1].cursor, page.read_to)
    assert seen == [1, 2, 3, 4, 5, 6, 7, 8]


async def test_what_another_replica_wrote_is_found_once_somebody_doubts(river: Riverside) -> None:
    await river.following.after(0, ALL)
    count = river.changes.count
    await river.say(planned())
    river.changes.count = count  # as if its commit had not been heard of
    assert cursors(await river.following.after(0, ALL)) == []
    river.changes.doubt()
    assert cursors(await river.following.after(0, ALL)) == [1]


async def test_who_comes_after_a_quiet_time_does_not_read_all_that_was_said_meanwhile(
    river: Riverside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "KEPT_MAX", 10)
    monkeypatch.setattr(following, "READ_MAX", 5)
    await river.following.after(0, ALL)
    await river.say(*(planned(number) for number in range(1, 61)))
    before = river.model.reads
    assert (await river.following.after(60, ALL)).read_to == 60
    assert river.model.reads - before == 1
    await river.say(planned(61))
    assert cursors(await river.following.after(60, ALL)) == [61]
    heard: list[int] = []
    cursor = 40
    while cursor < 61:  # whoever was behind is served from the disk, whole and in order
        page = await river.following.after(cursor, ALL)
        heard += cursors(page)
        cursor = cursors(page)[-1] if cursors(page) else page.read_to
    assert heard == list(range(41, 62))


async def test_what_is_kept_is_bounded_in_characters_too(
    river: Riverside, monkeypatch: pytest.MonkeyPatch
) -> None:
    await river.following.after(0, ALL)
    await river.say(planned())
    await river.following.after(0, ALL)
    ((_, row, _),) = river.following._said
    monkeypatch.setattr(following, "KEPT_CHARACTERS_MAX", 3 * len(row.body) + 100)
    await river.say(*(planned(number) for number in range(2, 10)))
    page = await river.following.after(8, ALL)
    assert cursors(page) == [9]
    assert len(river.following._said) == 3
