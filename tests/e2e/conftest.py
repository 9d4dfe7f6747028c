"""One `windlass up` for all tests of a file about bad input, and what must hold after each of them."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from tests.e2e.program import Program
from tests.e2e.quay import MEBIBYTE, Neighbour, Quay, boarded, forget_peak, memory
from tests.ports import free_port

MEMORY_BYTES_MAX = 220 * MEBIBYTE  # whatever comes in; the budget for a whole installation is 200 MB


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """Give a running installation; whatever it started is ended with it."""
    program = Program(tmp_path_factory.mktemp("quay"), free_port())
    try:
        asyncio.run(program.start())
        yield program
    finally:
        asyncio.run(program.clear())


@pytest.fixture
async def quay(installation: Program) -> AsyncIterator[Quay]:
    """Give clients of the installation."""
    async with boarded(installation) as quay:
        yield quay


NEIGHBOURS: dict[int, Neighbour] = {}  # by the installation's port


@pytest.fixture
async def neighbour(quay: Quay) -> Neighbour:
    """Give the file's healthy repository, which has deployed before."""
