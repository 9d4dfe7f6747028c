"""The schema's history on PostgreSQL: the tables in the code, however many start at once."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import sqlalchemy as sa
from alembic import op

from deploy.migrations import HEAD, alembic_run
from deploy.migrations.postgres import bring_up_to_date, current
from shared.clock import SystemClock
from shared.db import metadata
from shared.db.postgres import PostgresDatabase, PostgresSettings
from shared.faults import Refused, TryAgain
from tests.integration.migrations.tracked import MARKED, MARKS, TRACKED
from tests.servers import postgres

# What tells two schemas apart: every index with its condition, column, constraint.
CATALOGUES = {
    "indexes": "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
    "columns": "SELECT table_name, column_name, data_type, is_nullable, column_default, is_identity "
    "FROM information_schema.columns WHERE table_schema = 'public'",
    "constraints": "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint "
    "WHERE connamespace = 'public'::regnamespace",
}


@pytest.fixture
async def database(postgres_url: str) -> AsyncIterator[PostgresDatabase]:
    database = PostgresDatabase(postgres_url, SystemClock())
    yield database
    await database.close()


async def catalogue(database: PostgresDatabase, query: str) -> set[tuple[object, ...]]:
    async with database.reading() as reading:
        rows = {tuple(row) for row in await reading.execute(sa.text(query))}
    return {row for row in rows if row[0] != "alembic_version"}


async def test_migrations_and_tables_agree(database: PostgresDatabase) -> None:
    assert await current(database) is None
    assert await bring_up_to_date(database) == alembic_run.revisions()
    assert await current(database) == HEAD
    async with database.writer.connect() as connection:
        assert await connection.run_sync(alembic_run.differences) == []


async def test_a_migrated_database_is_the_same_as_one_made_from_the_tables(
    database: PostgresDatabase,
) -> None:
    alembic_run.import_tables()
    other = await postgres.create_database(postgres.address())
    made = PostgresDatabase(other, SystemClock())
    async with made.writer.begin() as connection:
        await connection.run_sync(metadata.create_all)
    await bring_up_to_date(database)
    found = {name: await catalogue(database, query) for name, query in CATALOGUES.items()}
    assert found == {name: await catalogue(made, query) for name, query in CATALOGUES.items()}
    partial = {row[1] for row in found["indexes"] if " WHERE " in str(row[2])}
    assert {"one_run_holds_the_lock", "one_run_waits", "one_build_of_a_key"} <= partial
    await made.close()
    await postgres.drop_database(other)


async def test_of_many_that_start_at_once_one_migrates(postgres_url: str) -> None:
    many = [PostgresDatabase(postgres_url, SystemClock()) for _ in range(4)]
    applied = await asyncio.gather(*(bring_up_to_date(each) for each in many))
    assert sorted(applied) == [[], [], [], alembic_run.revisions()]
    for each in many:
        await each.close()


async def test_a_database_that_is_up_to_date_is_left_alone(
    database: PostgresDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bring_up_to_date(database)
    monkeypatch.setattr(alembic_run, "upgrade", None)  # calling it would fail
    assert await bring_up_to_date(database) == []


async def test_only_what_is_missing_is_applied(database: PostgresDatabase) -> None:
    oldest, *missing = alembic_run.revisions()
    async with database.writer.begin() as connection:
        await connection.run_sync(alembic_run.upgrade, oldest)
    assert await current(database) == oldest
    assert await bring_up_to_date(database) == missing
    assert await current(database) == HEAD


async def test_how_far_a_pipelines_branch_had_come_is_marked(database: PostgresDatabase) -> None:
    async with database.writer.begin() as connection:
        await connection.run_sync(alembic_run.upgrade, "0003")
        await connection.execute(TRACKED)
    await bring_up_to_date(database)
    async with database.reading() as reading:
        assert {tuple(row) for row in await reading.execute(MARKS)} == MARKED


async def test_a_migration_that_is_cut_short_has_not_begun(
    database: PostgresDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = op.create_table

    def until_work(name: str, *columns: object, **options: object) -> object:
        if name == "work":
            raise KeyboardInterrupt
        return create(name, *columns, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(op, "create_table", until_work)
    with pytest.raises(KeyboardInterrupt):
        await bring_up_to_date(database)
    assert await catalogue(database, CATALOGUES["columns"]) == set()
    monkeypatch.undo()
    assert await bring_up_to_date(database) == alembic_run.revisions()


async def test_a_database_of_a_newer_windlass_is_refused_and_left_alone(database: PostgresDatabase) -> None:
    await bring_up_to_date(database)
    async with database.writer.begin() as connection:
        await connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(Refused, match="newer Windlass"):
        await bring_up_to_date(database)
    assert await current(database) == "9999"


async def test_a_table_in_use_is_waited_for_and_not_for_ever(postgres_url: str) -> None:
    hasty = PostgresDatabase(postgres_url, SystemClock(), PostgresSettings(lock_seconds=0.2))
    async with hasty.writer.begin() as connection:
        await connection.run_sync(alembic_run.upgrade, "0001")
    async with hasty.begin() as (using, _):
        await using.execute(sa.text("LOCK TABLE status_views"))  # 0002 removes rows of it
        with pytest.raises(TryAgain, match="lock timeout"):
            await asyncio.create_task(_bring(hasty))
    await bring_up_to_date(hasty)
    await hasty.close()


async def _bring(database: PostgresDatabase) -> None:
    await bring_up_to_date(database)


async def test_what_cannot_be_used_is_refused(database: PostgresDatabase) -> None:
    async with database.begin() as (connection, _):
        await connection.execute(sa.text("DROP SCHEMA public CASCADE"))
    with pytest.raises(Refused, match="no schema has been selected"):
        await bring_up_to_date(database)


async def test_what_is_away_or_not_there_yet_is_to_be_tried_again(postgres_url: str) -> None:
    unknown = PostgresDatabase(f"{postgres_url}_unknown", SystemClock())
    away = PostgresDatabase("postgresql://windlass@127.0.0.1:1/windlass", SystemClock())
    for each in (unknown, away):
        with pytest.raises(TryAgain, match="could not be brought up to date"):
            await bring_up_to_date(each)
        with pytest.raises(TryAgain, match="could not give us a connection"):
            await current(each)
        await each.close()
