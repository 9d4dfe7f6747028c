"""A program and all that comes of it: counted, killed alone, ended whole."""

import os
import time
from pathlib import Path

import pytest

from benchmarks.parties.held import Held
from benchmarks.parties.party import Late, until
from benchmarks.parties.processes import PROC
from benchmarks.suite import Unavailable

ENVIRON = {"PATH": os.environ["PATH"]}
# In a session of its own, its parent gone: nothing but the holder can tell where it came from.
ORPHAN = "setsid sh -c \"sh -c '%s' & echo \\$! > orphan\"; exec sleep 60"
BUSY = "i=0; while [ \\$i -lt 300000 ]; do i=\\$((i+1)); done; touch done"


async def started(folder: Path, script: str) -> Held:
    held = Held(folder, ("sh", "-c", script), ENVIRON)
    await held.start()
    return held


def runs(pid: int) -> bool:
    return (PROC / str(pid)).exists()


def state(pid: int) -> str:
    return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[0]


async def orphan(folder: Path) -> int:
    file = folder / "orphan"
    await until(lambda: file.exists() and file.read_text().endswith("\n"), "the orphan", 50)
    return int(file.read_text())


async def test_an_orphan_outlives_the_program_and_ends_with_the_holding(tmp_path: Path) -> None:
    held = await started(tmp_path, ORPHAN % "sleep 60")
    pid = await orphan(tmp_path)
    held.kill()
    await until(lambda: not held.alive, "the program's end", 50)
    assert runs(pid)
    await held.end()
    assert not runs(pid)


async def test_cpu_time_of_an_orphan_counts_after_its_end(tmp_path: Path) -> None:
    held = await started(tmp_path, ORPHAN % BUSY)
    try:
        pid = await orphan(tmp_path)
        await until(lambda: (tmp_path / "done").exists() and not runs(pid), "the orphan's end", 50)
        assert held.cpu_seconds > 0.05
        assert held.memory.proportional > 0
    finally:
        await held.end()


async def test_what_is_frozen_stands_still_until_it_is_thawed_or_ended(tmp_path: Path) -> None:
    held = await started(tmp_path, "while :; do echo on >> steps; done")
    try:
        steps = tmp_path / "steps"
        await until(steps.exists, "the first step", 50)
        held.freeze()
        await until(lambda: state(held.pid) == "T", "standing still", 50)
        held.thaw()
        await until(lambda: state(held.pid) != "T", "going on", 50)
        held.freeze()
    finally:
        await held.end()
    assert not held.alive


async def test_each_life_is_ended(tmp_path: Path) -> None:
    held = await started(tmp_path, "exec sleep 60")
    first, begun = held.pid, held.begun
    await held.start()
    assert begun < held.begun < time.monotonic()
    await held.end()
    assert not runs(first)
    assert not held.alive


async def test_a_program_that_is_not_there_is_named(tmp_path: Path) -> None:
    held = Held(tmp_path, ("no-such-program",), ENVIRON)
    with pytest.raises(Unavailable, match="no-such-program cannot be started: No such file"):
        await held.start()
    await held.end()


async def test_what_does_not_come_is_waited_for_only_so_long() -> None:
    with pytest.raises(Late, match="the end of the world: not within 0 s"):
        await until(lambda: False, "the end of the world", 0.02)
