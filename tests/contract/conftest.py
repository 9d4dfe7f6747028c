"""The installation that a contract suite of the kernel runs on."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import structlog

from shared.bus.kafka import consumption
from tests.contract import database_server
from tests.contract.installation import Installation
from tests.contract.notes import lay_out
from tests.contract.pairs import PAIRS
from tests.servers import kafka, postgres
from tests.servers.run import NoServer


def pytest_collection_finish(session: pytest.Session) -> None:
    """Start what the pair stands on: within a test there might not be the time for it."""
    if any("kafka+postgresql" in item.name for item in session.items):
        for server in (kafka, postgres):
            with suppress(NoServer):  # each test that needs it says so
                server.address()


@pytest.fixture(scope="session", autouse=True)
def _stops_are_quick() -> Iterator[None]:
    """Do not wait long for what the tests hold up on purpose when a bus is stopped."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(consumption, "STOP_SECONDS", 0.2)
        yield


@pytest.fixture(scope="session", autouse=True)
def _nothing_left() -> Iterator[None]:
    """Have nothing of ours on the servers when all tests are done."""
    yield
    asyncio.run(database_server.remove_all())


@pytest.fixture(params=PAIRS)
async def installation(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Installation]:
    """A fresh installation on each pair in turn."""
    renderer = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[structlog.processors.add_log_level, renderer])
    pair = await PAIRS[request.param].at(tmp_path)
    await lay_out(pair.database)
    yield pair
    await pair.close()
    await pair.remove()
    structlog.reset_defaults()
