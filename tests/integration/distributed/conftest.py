"""Databases with the schema in them, and processes that are ended whatever happens."""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from pathlib import Path

import pytest

from deploy.migrations.postgres import bring_up_to_date
from shared.clock import SystemClock
from shared.db.postgres import PostgresDatabase
from tests.integration.distributed.process import Served

Serve = Callable[[Mapping[str, str]], Served]


@pytest.fixture
async def schema_url(postgres_url: str) -> str:
    """Give the address of a database that is up to date."""
    database = PostgresDatabase(postgres_url, SystemClock())
    await bring_up_to_date(database)
    await database.close()
    return postgres_url


@pytest.fixture
async def database(schema_url: str) -> AsyncIterator[PostgresDatabase]:
    """Give that database."""
    made = PostgresDatabase(schema_url, SystemClock())
    yield made
    await made.close()


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Give a process for some environment, not started yet."""
    made: list[Served] = []

    def make(environ: Mapping[str, str]) -> Served:
        folder = tmp_path / str(len(made))
        folder.mkdir()
        made.append(Served(folder, {"WINDLASS_DATA": str(tmp_path / "data"), **environ}))
        return made[-1]

    yield make
    for each in made:
        each.kill()
