"""kill -9 at every named point of a deployment: it ends all the same, and every effect happens once (S4).

The list of points is generated (`crash_trace.py`), and a test holds it against a fresh trace.
"""

import asyncio
import signal
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.e2e.crash_trace import CRASH_POINTS_FILE, trace
from tests.e2e.harbour import Harbour, new_harbour, wrongs
from tests.e2e.program import NotReady, Program
from tests.ports import free_port

POINTS = CRASH_POINTS_FILE.read_text("utf-8").split()
POINTS_MIN = 40
DEATH_SECONDS_MAX = 90.0  # until a deployment has come to the point: ends a test that hangs
# Points that only some timings pass: a log line that comes in two batches, a worker that waits.
NOT_ALWAYS = frozenset({"deployer.step.log.committed", "deployer.step.log.deciding"})
SEARCHED = ".claim."  # an order that was not taken as it was placed: it met a heartbeat; see test_kill.py

pytestmark = [pytest.mark.e2e, pytest.mark.crash, pytest.mark.timeout(400)]


@pytest.fixture(scope="module")
def harbour(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harbour]:
    """One installation that lives through all the crashes, with one good deployment behind it."""
    folder = tmp_path_factory.mktemp("crash")
    program = Program(folder, free_port())
    harbour = new_harbour(folder, program, {"staging": free_port(), "production": free_port()})
    try:
        asyncio.run(_first_deployment(harbour))
        yield harbour
    finally:
        asyncio.run(program.clear())


async def _first_deployment(harbour: Harbour) -> None:
    await harbour.program.start()
    harbour.register()
    async with httpx.AsyncClient() as http:
        await harbour.post(http, harbour.commit())
    await harbour.deployed(1)
    await harbour.program.end()


@pytest.mark.parametrize("point", POINTS)
async def test_a_deployment_ends_well_after_a_crash_at(point: str, harbour: Harbour) -> None:
    program = harbour.program
    async with httpx.AsyncClient() as http:
        try:
            await program.start(WINDLASS_CRASH_AT=point)
        except NotReady:
            assert program.exit_code == -signal.SIGKILL, program.log[-2000:]
        commit = harbour.commit()
        acknowledged = await _acknowledged(harbour, http, commit)
        assert await program.died(DEATH_SECONDS_MAX) == -signal.SIGKILL
        await program.start()
        if not acknowledged:  # the forge tries again; what was acknowledged is nobody's to repeat (S6)
            assert await _acknowledged(harbour, http, commit)
    await harbour.deployed(harbour.pushes)
    assert wrongs(harbour.effects(), harbour.pushes) == []
    await program.kill()


async def _acknowledged(harbour: Harbour, http: httpx.AsyncClient, commit: str) -> bool:
    try:
        return (await harbour.post(http, commit)).status_code == httpx.codes.ACCEPTED
    except httpx.TransportError:
        return False


def test_there_are_at_least_forty_crash_points() -> None:
    assert len(POINTS) >= POINTS_MIN


async def test_the_list_of_crash_points_is_what_a_deployment_passes(tmp_path: Path) -> None:
    passed = await trace(tmp_path)
    passed = {point for point in passed if SEARCHED not in point}
    assert sorted(passed - NOT_ALWAYS) == sorted(set(POINTS) - NOT_ALWAYS), (
        "run python -m tests.e2e.crash_trace"
    )
