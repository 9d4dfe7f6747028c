"""One `windlass up` for all tests of a file about bad input, and what must hold after each of them."""

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.e2e.program import Program
from tests.e2e.quay import MEBIBYTE, Quay, forget_peak, memory, moored_at
from tests.ports import free_port

MEMORY_BYTES_MAX = 250 * MEBIBYTE  # at any moment, whatever comes in


@pytest.fixture(scope="module")
def moored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Quay]:
    """Give an installation with a healthy repository; whatever it started is ended with it."""
    with moored_at(Quay(Program(tmp_path_factory.mktemp("quay"), free_port()))) as quay:
        yield quay


@pytest.fixture
async def quay(moored: Quay) -> AsyncIterator[Quay]:
    """Give the installation, and see afterwards that nobody else was harmed."""
    pid = moored.program.pid
    forget_peak(pid)
    logged = len(moored.program.log)
    async with moored.at_hand():
        yield moored
        await moored.neighbour.deploys()
        assert (await moored.get("dead-letters"))["dead_letters"] == []
    said = moored.program.log[logged:]
    assert "Traceback" not in said
    assert '"level": "error"' not in said
    assert memory(pid, "VmHWM") < MEMORY_BYTES_MAX
    assert (moored.program.exit_code, moored.program.pid) == (None, pid)
