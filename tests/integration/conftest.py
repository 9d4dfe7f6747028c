"""A store for replicas, on each database in turn."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import structlog

from tests.contract import database_server
from tests.contract.notes import lay_out
from tests.integration.replicas import STORES, Replicas


@pytest.fixture(scope="session", autouse=True)
def _nothing_left() -> Iterator[None]:
    """Have nothing of ours on the server when all tests are done."""
    yield
    asyncio.run(database_server.remove_all())


@pytest.fixture(params=STORES)
async def replicas(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Replicas]:
    """A fresh store, and as many replicas as the test wants."""
    renderer = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[structlog.processors.add_log_level, renderer])
    store = await STORES[request.param].at(tmp_path)
    await lay_out(store.database)
    yield store
    await store.close()
    structlog.reset_defaults()
