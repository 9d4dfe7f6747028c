"""kill -9 at every crash point of the kernel: the next life ends as if nothing had happened (S4)."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from tests.contract.notes import noted
from tests.contract.pairs import PAIRS
from tests.contract.work.life import OUTPUT, SIDE_BY_SIDE, live

ROOT = Path(__file__).resolve().parents[3]
POINTS_MIN = 14  # fewer would mean that points were lost
KILLED = -9


@pytest.mark.timeout(600)  # some forty lives, each of which joins a group of its own
@pytest.mark.parametrize("pair", PAIRS)
async def test_a_life_that_is_killed_anywhere_is_taken_up_where_it_ended(pair: str, tmp_path: Path) -> None:
    program = [sys.executable, "-m", "tests.contract.work.life", pair, str(tmp_path)]
    ended = await asyncio.to_thread(
        subprocess.run, program, cwd=ROOT, capture_output=True, text=True, timeout=400, check=True
    )
    ends = {point: int(end) for point, end in map(str.split, ended.stdout.splitlines())}
    assert len(ends) >= POINTS_MIN
    assert set(ends.values()) == {KILLED}
    turns = asyncio.Semaphore(SIDE_BY_SIDE)

    async def live_on(folder: Path) -> None:
        async with turns:
            await live(pair, folder)
            await _everything_happened_once(pair, folder)

    await asyncio.gather(*(live_on(tmp_path / point) for point in ends))


async def _everything_happened_once(pair: str, folder: Path) -> None:
    installation = await PAIRS[pair].at(folder)
    database = installation.database
    effects = {writer: len(await noted(database, writer)) for writer in ("heard", "done", "closed", "end")}
    assert effects == {"heard": 1, "done": 1, "closed": 1, "end": 1}, folder.name
    assert await noted(database, "said") == [each.text for each in OUTPUT], folder.name
    await installation.close()
    await installation.remove()
