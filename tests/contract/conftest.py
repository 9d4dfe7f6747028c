"""The pairs of adapters that every contract suite of the kernel runs on."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import structlog

from tests.contract.installation import Embedded, Installation
from tests.contract.notes import lay_out

PAIRS = {"embedded+sqlite": Embedded}


@pytest.fixture(params=PAIRS)
async def installation(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Installation]:
    """A fresh installation on each pair in turn."""
    renderer = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[structlog.processors.add_log_level, renderer])
    pair = PAIRS[request.param](tmp_path)
    await lay_out(pair.database)
    yield pair
    await pair.close()
    structlog.reset_defaults()
