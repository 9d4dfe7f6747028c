"""A connection whose disk failed is not used again, and whoever used it is told to try again."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from shared.clock import ManualClock
from shared.db import metadata, tables
from shared.db.sqlite import SqliteDatabase
from shared.faults import TryAgain
from tests.builders import START

LOOK = sa.select(tables.inbox)
FORGET = sa.delete(tables.inbox)


class Faulty(sqlite3.Connection):
    """Fails at what it is told to fail at."""

    fails_at: frozenset[str] = frozenset()
    opened = 0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        type(self).opened += 1

    def execute(self, sql: str, *args: Any) -> sqlite3.Cursor:
        self._fail(sql.split(maxsplit=1)[0])
        return super().execute(sql, *args)

    def rollback(self) -> None:
        self._fail("ROLLBACK")
        super().rollback()

    def _fail(self, what: str) -> None:
        if what in type(self).fails_at:
            raise sqlite3.OperationalError("disk I/O error")


@pytest.fixture
async def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SqliteDatabase]:
    database = SqliteDatabase(tmp_path / "windlass.db", ManualClock(START))
    metadata.create_all(database.writer)
    connect = sqlite3.connect
    monkeypatch.setattr(Faulty, "fails_at", frozenset())
    monkeypatch.setattr(Faulty, "opened", 0)
    monkeypatch.setattr(sqlite3, "connect", lambda *a, **k: connect(*a, **k, factory=Faulty))
    yield database
    Faulty.fails_at = frozenset()
    await database.close()


async def written(database: SqliteDatabase) -> None:
    async with database.begin() as (connection, _):
        await connection.execute(FORGET)


async def read(database: SqliteDatabase) -> None:
    async with database.reading() as reading:
        (await reading.execute(LOOK)).all()


@pytest.mark.parametrize("fails_at", ["BEGIN", "DELETE", "COMMIT", "DELETE ROLLBACK", "COMMIT ROLLBACK"])
async def test_a_writer_whose_disk_failed_is_opened_anew(database: SqliteDatabase, fails_at: str) -> None:
    await written(database)
    assert Faulty.opened == 1
    Faulty.fails_at = frozenset(fails_at.split())
    for _ in range(2):
        with pytest.raises(TryAgain):
            await written(database)
    Faulty.fails_at = frozenset()
    await written(database)
    assert Faulty.opened > 2


@pytest.mark.parametrize("fails_at", ["BEGIN", "SELECT", "ROLLBACK"])
async def test_a_reader_whose_disk_failed_is_opened_anew(database: SqliteDatabase, fails_at: str) -> None:
    await read(database)
    assert Faulty.opened == 1
    Faulty.fails_at = frozenset({fails_at})
    for _ in range(2):
        with pytest.raises(TryAgain):
            await read(database)
    Faulty.fails_at = frozenset()
    await read(database)
    assert Faulty.opened > 2


async def test_a_writer_that_was_only_told_to_give_up_goes_on(database: SqliteDatabase) -> None:
    with suppress(LookupError):
        async with database.begin() as (connection, _):
            await connection.execute(FORGET)
            raise LookupError
    await written(database)
    assert Faulty.opened == 1
