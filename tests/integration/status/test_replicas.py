"""Replicas of status that write down at the same moment."""

from typing import Any

import pytest
import sqlalchemy as sa

from services.status import tables
from services.status.store.operations import OperationStore
from services.status.store.reading import EventFilter, ReadModel
from services.status.store.writing import Projection
from shared.db import Database, ServiceDatabase
from shared.db.tables import outbox
from shared.events import LogAppended, Message, OperationRequested
from shared.ids import Pipeline, Stage
from tests.builders import line, named
from tests.integration.replicas import Halting, Replicas, heard, meet, read
from tests.unit.status.told import Told

VIEWS = sa.select(tables.views).order_by(tables.views.c.id)


def of(database: Database) -> ServiceDatabase:
    return ServiceDatabase(database, "status")


def story() -> list[Message[Any]]:
    return Told().declared().queued(1).started(1).succeeded(1).heard


@pytest.mark.parametrize("kind", ["events", "output"])
async def test_a_reader_who_has_seen_one_event_has_seen_all_before_it(replicas: Replicas, kind: str) -> None:
    """A sequence that is given first may be committed last: its event would be behind every cursor."""
    halting = Halting(replicas.database, "INSERT INTO status_")
    model, seen, cursor = ReadModel(of(replicas.another())), list[Any](), 0
    first, second = (story()[0], story()[1]) if kind == "events" else _lines()

    async def follow() -> None:
        nonlocal cursor
        page: Any = await model.events(EventFilter(), cursor, 10)
        page = page or await model.chunks_of_log("log/1", cursor)
        seen.extend(page)
        cursor = page[-1].sequence if page else cursor

    async def write_second() -> None:
        await Projection(of(replicas.another())).append([second])
        await follow()

    ends = await meet(replicas, halting, Projection(of(halting)).append([first]), write_second())
    await follow()
    assert ends == [None, None]
    assert len(seen) == 2


def _lines() -> tuple[Message[LogAppended], Message[LogAppended]]:
    return heard(line("log/1", 0), 1), heard(line("log/1", 1), 2)


async def test_two_replicas_that_hear_the_same_events_write_them_once(replicas: Replicas) -> None:
    halting = Halting(replicas.database, "INSERT INTO status_history")
    told = story()
    ends = await meet(
        replicas,
        halting,
        Projection(of(halting)).append(told[:3]),
        Projection(of(replicas.another())).append(told),
    )
    assert ends == [None, None]
    assert await read(replicas.database, sa.select(sa.func.count()).select_from(tables.history)) == [(4,)]
    before = await read(replicas.database, VIEWS)
    await Projection(of(replicas.database)).rebuild()
    assert await read(replicas.database, VIEWS) == before


@pytest.mark.parametrize("known", [0, 2])
@pytest.mark.parametrize("halts_after", ["DELETE FROM status_views", "SELECT status_history"])
async def test_what_is_heard_during_a_rebuild_is_in_the_views_once(
    replicas: Replicas, halts_after: str, known: int
) -> None:
    told = story()
    await Projection(of(replicas.database)).append(told[:known])
    halting = Halting(replicas.database, halts_after)
    ends = await meet(
        replicas,
        halting,
        Projection(of(halting)).rebuild(),
        Projection(of(replicas.another())).append(told[known:]),
    )
    assert ends == [None, None]
    after = await read(replicas.database, VIEWS)
    await Projection(of(replicas.database)).rebuild()
    assert await read(replicas.database, VIEWS) == after
    assert {row.position for row in await _rows(replicas)} == {4}


async def _rows(replicas: Replicas) -> list[Any]:
    async with replicas.database.reading() as reading:
        return list(await reading.execute(VIEWS))


async def test_a_rebuild_sees_what_was_being_written_when_it_began(replicas: Replicas) -> None:
    told = story()
    await Projection(of(replicas.database)).append(told[:2])
    halting = Halting(replicas.database, "INSERT INTO status_history")
    ends = await meet(
        replicas,
        halting,
        Projection(of(halting)).append(told[2:]),
        Projection(of(replicas.another())).rebuild(),
    )
    assert ends == [None, None]
    assert {row.position for row in await _rows(replicas)} == {4}


async def test_an_operation_asked_twice_at_once_is_said_once(replicas: Replicas) -> None:
    operation = OperationRequested(
        pipeline=Pipeline("shop"),
        stage=Stage("staging"),
        operation=named("operation"),
        kind="cancel",
        actor="ann",
        reason="no",
    )
    halting = Halting(replicas.database, "INSERT INTO status_operations")
    first, second = await meet(
        replicas,
        halting,
        OperationStore(of(halting)).ask(operation, "one"),
        OperationStore(of(replicas.another())).ask(operation, "other"),
    )
    assert first == second
    assert second.asked_sha256 == "one"
    assert await read(replicas.database, sa.select(outbox.c.id)) == [(first.event,)]
