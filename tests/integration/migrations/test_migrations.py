"""The schema's history against the tables in the code, and a start that is cut short."""

from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import op

from deploy.migrations import HEAD, alembic_run, bring_up_to_date, current
from shared.clock import ManualClock
from shared.db import metadata
from shared.db.sqlite import SqliteDatabase
from shared.faults import Refused
from tests.builders import START
from tests.integration.migrations.tracked import MARKED, MARKS, TRACKED


def opened(folder: Path) -> sa.Engine:
    return SqliteDatabase(folder / "windlass.db", ManualClock(START)).writer


def tables(engine: sa.Engine) -> set[str]:
    with engine.connect() as connection:
        return set(sa.inspect(connection).get_table_names())


def indexes(engine: sa.Engine) -> set[tuple[str, str]]:
    """Return every index with its statement, so that partial ones are compared whole."""
    query = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
    with engine.connect() as connection:
        rows = connection.execute(sa.text(query)).all()
    return {(row.name, " ".join(row.sql.split())) for row in rows}


def test_the_newest_revision_is_the_one_that_starts_look_for() -> None:
    assert alembic_run.heads() == [HEAD]


def test_migrations_and_tables_agree(tmp_path: Path) -> None:
    engine = opened(tmp_path)
    bring_up_to_date(engine)
    with engine.connect() as connection:
        assert alembic_run.differences(connection) == []
    assert tables(engine) == {*metadata.tables, "alembic_version"}
    engine.dispose()


def test_a_migrated_database_has_the_same_indexes_as_one_made_from_the_tables(tmp_path: Path) -> None:
    alembic_run.import_tables()
    migrated, made = opened(tmp_path / "."), opened_in(tmp_path / "made")
    bring_up_to_date(migrated)
    metadata.create_all(made)
    assert indexes(migrated) == indexes(made)
    migrated.dispose()
    made.dispose()


def opened_in(folder: Path) -> sa.Engine:
    folder.mkdir()
    return opened(folder)


def test_a_database_that_is_up_to_date_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = opened(tmp_path)
    bring_up_to_date(engine)
    monkeypatch.setattr(alembic_run, "upgrade", None)  # calling it would fail
    bring_up_to_date(engine)
    assert current(engine) == HEAD
    engine.dispose()


def test_a_migration_that_is_cut_short_has_not_begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = opened(tmp_path)
    create = op.create_table

    def until_work(name: str, *columns: object, **options: object) -> object:
        if name == "work":
            raise KeyboardInterrupt
        return create(name, *columns, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(op, "create_table", until_work)
    with pytest.raises(KeyboardInterrupt):
        bring_up_to_date(engine)
    assert tables(engine) == set()
    monkeypatch.undo()
    bring_up_to_date(engine)
    assert current(engine) == HEAD
    engine.dispose()


def test_a_database_of_a_newer_windlass_is_refused_and_left_alone(tmp_path: Path) -> None:
    engine = opened(tmp_path)
    bring_up_to_date(engine)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(Refused, match="newer Windlass"):
        bring_up_to_date(engine)
    assert current(engine) == "9999"
    engine.dispose()


def test_how_far_a_pipelines_branch_had_come_is_marked(tmp_path: Path) -> None:
    engine = opened(tmp_path)
    with engine.begin() as connection:
        alembic_run.upgrade(connection, "0003")
        connection.execute(TRACKED)
    bring_up_to_date(engine)
    with engine.connect() as connection:
        assert {tuple(row) for row in connection.execute(MARKS)} == MARKED
    engine.dispose()


def test_nothing_keeps_a_revision_that_was_planned_before_anybody_was_asked(tmp_path: Path) -> None:
    engine = opened(tmp_path)
    planned = "('shop', 7, 'c', 'h', '{}', '2026-01-01T00:00:00.000000Z')"
    columns = 'pipeline, revision, "commit", plan_hash, plan, planned_at'
    with engine.begin() as connection:
        alembic_run.upgrade(connection, "0004")
        connection.execute(sa.text(f"INSERT INTO revisions ({columns}) VALUES {planned}"))
    bring_up_to_date(engine)
    with engine.connect() as connection:
        query = sa.text("SELECT revision FROM revisions WHERE let_through_at = planned_at")
        assert connection.execute(query).scalars().all() == [7]
    engine.dispose()


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "windlass.db").write_bytes(b"no database at all, but a text " * 50)
    engine = opened(tmp_path)
    with pytest.raises(Refused, match="cannot be used"):
        bring_up_to_date(engine)
    engine.dispose()
