"""The verifier's two scenes: one in which it is asked to verify, one in which it looks after what is live."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import structlog

from shared.clock import ManualClock
from shared.db import ServiceDatabase, metadata
from shared.db.sqlite import SqliteDatabase
from tests.integration.replicas import OnSqlite
from tests.integration.verifier.lookout import GOOD, Lookout
from tests.integration.verifier.world import START, Ears, World


@pytest.fixture
async def lookout(tmp_path: Path) -> AsyncIterator[Lookout]:
    """A lookout on SQLite, where services answer well."""
    store = await OnSqlite.at(tmp_path)
    lookout = Lookout(store)
    lookout.answers(GOOD)
    yield lookout
    await store.close()


@pytest.fixture
def plain_logs() -> Iterator[None]:
    """Keep the log's drawings of a traceback, which take longer than a test, out of it."""
    renderer = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[structlog.processors.add_log_level, renderer])
    yield
    structlog.reset_defaults()


@pytest.fixture
async def world(tmp_path: Path, plain_logs: None) -> AsyncIterator[World]:
    """A database and a bus on which verifications are asked for."""
    clock = ManualClock(START)
    database = SqliteDatabase(tmp_path / "windlass.db", clock)
    metadata.create_all(database.writer)
    yield World(database, clock, Ears(ServiceDatabase(database, "ears")))
    await database.close()
