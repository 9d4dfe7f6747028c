"""A lock between processes: theirs when they live or are frozen, free when they are killed."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path

import pytest

from shared.faults import TryAgain
from shared.file_lock import held, held_if_free

ROOT = Path(__file__).parents[2]
HOLDER = """
import asyncio, sys
from pathlib import Path
from shared.file_lock import held

async def hold() -> None:
    async with held(Path(sys.argv[1]), 5):
        print("held", flush=True)
        await asyncio.Event().wait()

asyncio.run(hold())
"""


async def holder(lock: Path) -> Process:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", HOLDER, str(lock)), cwd=ROOT, stdout=PIPE
    )
    assert process.stdout is not None
    assert await process.stdout.readline() == b"held\n"
    return process


async def test_a_killed_process_lets_go_and_a_frozen_one_is_named(tmp_path: Path) -> None:
    lock = tmp_path / "place" / "lock"
    process = await holder(lock)
    os.kill(process.pid, signal.SIGSTOP)
    with pytest.raises(TryAgain, match=rf"another process \({process.pid}\).* place .*end it if it hangs"):
        async with held(lock, 0.1):
            pass
    with held_if_free(lock) as ours:
        assert not ours
    waiting = asyncio.create_task(_hold(lock))
    process.kill()
    await process.wait()
    await waiting


async def _hold(lock: Path) -> None:
    async with held(lock, 20):
        with held_if_free(lock) as ours:
            assert not ours  # two of one process exclude each other, too


async def test_waiting_leaves_the_loop_to_others(tmp_path: Path) -> None:
    async with held(tmp_path / "lock", 1):
        waiting = asyncio.create_task(_hold(tmp_path / "lock"))
        for _ in range(10):
            await asyncio.sleep(0)
        assert not waiting.done()
    await waiting


async def test_a_lock_that_cannot_be_made_is_tried_again_and_what_the_holder_raises_stays_its_own(
    tmp_path: Path,
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(TryAgain, match="cannot be made"):
        async with held(tmp_path / "file" / "lock", 1):
            pass
    with pytest.raises(PermissionError):
        async with held(tmp_path / "lock", 1):
            raise PermissionError
    with held_if_free(tmp_path / "lock") as ours:
        assert ours
