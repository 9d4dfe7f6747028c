"""kill -9 at every crash point of the kernel: the next life ends as if nothing had happened (S4)."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from shared.db import tables
from tests.contract.installation import rows
from tests.contract.notes import noted
from tests.contract.work.life import OUTPUT, PAIRS, live

ROOT = Path(__file__).resolve().parents[3]
POINTS_MIN = 14  # fewer would mean that points were lost
KILLED = -9


@pytest.mark.parametrize("pair", PAIRS)
def test_a_life_that_is_killed_anywhere_is_taken_up_where_it_ended(pair: str, tmp_path: Path) -> None:
    program = [sys.executable, "-m", "tests.contract.work.life", pair, str(tmp_path)]
    ended = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, timeout=50, check=True)
    ends = {point: int(end) for point, end in map(str.split, ended.stdout.splitlines())}
    assert len(ends) >= POINTS_MIN
    assert set(ends.values()) == {KILLED}
    for point in ends:
        asyncio.run(live(pair, tmp_path / point))
        asyncio.run(_everything_happened_once(pair, tmp_path / point))


async def _everything_happened_once(pair: str, folder: Path) -> None:
    installation = PAIRS[pair](folder)
    database = installation.database
    effects = {writer: len(await noted(database, writer)) for writer in ("heard", "done", "end")}
    assert effects == {"heard": 1, "done": 1, "end": 1}, folder.name
    bodies = sa.select(tables.outbox.c.body).where(tables.outbox.c.key == "a/1")
    batches = [json.loads(body) for (body,) in await rows(database, bodies)]
    said = [each["text"] for batch in batches for each in batch["lines"]]
    assert said == [each.text for each in OUTPUT], folder.name
    assert [batch["last"] for batch in batches].count(True) == 1, folder.name
    await installation.close()
