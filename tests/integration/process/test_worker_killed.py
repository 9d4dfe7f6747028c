"""The worker is killed with its whole process group, at every point; the process does not notice."""

import asyncio
import os
import subprocess
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest

from shared.process import Absent, Exit, Running
from shared.process.shims import PROGRAM
from tests.integration.process.conftest import Machine, alive, shim_of, until, written

STARTER = Path(__file__).parent / "starter.py"
RECORD = 'echo ran >> effects; echo one; read word < gate; echo "$word"'
STOPPED = "echo ran >> effects; echo stop me; exec sleep 60"


def worker(folder: Path, crash_at: str, script: str) -> int:
    """Run a worker in its own process group until it dies, and return its status."""
    command = [sys.executable, str(STARTER), str(folder), crash_at, script]
    root = str(Path(__file__).parents[3])
    return subprocess.run(
        command, env={"PYTHONPATH": root}, start_new_session=True, check=False, timeout=50
    ).returncode


@pytest.mark.parametrize(
    ("crash_at", "script"),
    [
        ("process.spec.written", "echo ran >> effects"),
        ("process.shim.started", "echo ran >> effects"),
        ("process.shim.claimed", "echo ran >> effects"),
        ("process.exit.seen", "echo ran >> effects"),
        ("process.stop.marked", STOPPED),
        ("process.stop.signalled", STOPPED),
    ],
)
async def test_a_worker_killed_anywhere_leaves_one_effect_and_one_outcome(
    machine: Machine, crash_at: str, script: str
) -> None:
    folder = machine.root / "attempt"
    assert await asyncio.to_thread(worker, folder, crash_at, script) == -9
    await machine.start(script)  # the next life does what the one before did
    if script == STOPPED:
        await machine.processes.stop(folder)
    outcome = await machine.ended(folder)
    assert outcome.reason == ("stopped" if script == STOPPED else "exited")
    assert (machine.root / "effects").read_text() == "ran\n"


async def test_a_process_goes_on_without_its_worker_and_is_taken_up_again(machine: Machine) -> None:
    os.mkfifo(machine.root / "gate")
    folder = machine.root / "attempt"
    await asyncio.to_thread(worker, folder, "process.shim.claimed", RECORD)
    await machine.says(folder, "one")
    assert machine.processes.observe(folder) == Running()
    waiting = asyncio.create_task(machine.processes.wait(folder))
    following = asyncio.create_task(machine.said(folder, 1))
    gate = os.open(machine.root / "gate", os.O_RDWR)
    os.write(gate, b"two\n")
    assert await following == ["two"]
    assert isinstance(await waiting, Exit)
    os.close(gate)


async def test_a_group_signal_to_the_worker_does_not_reach_the_process(machine: Machine) -> None:
    folder = await machine.start("echo up; exec sleep 60")
    await machine.says(folder, "up")
    shim, child = shim_of(folder), int((folder / "group").read_text().split()[0])
    assert len({os.getsid(0), os.getsid(shim), os.getsid(child)}) == 3
    assert os.getpgid(child) == child


async def test_of_shims_that_race_for_a_folder_one_runs_the_process(machine: Machine) -> None:
    folder = machine.root / "attempt"
    await asyncio.to_thread(worker, folder, "process.spec.written", "echo ran >> effects")
    assert machine.processes.observe(folder) == Absent()
    racers = [
        await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-S", str(PROGRAM)), stdin=PIPE, stdout=PIPE
        )
        for _ in range(8)
    ]
    said = await asyncio.gather(*(racer.communicate(os.fsencode(folder) + b"\0") for racer in racers))
    assert {out for out, _ in said} <= {b"0 0\n", b""}  # nothing of a shim that outlives its server
    assert (await machine.ended(folder)).succeeded
    assert (machine.root / "effects").read_text() == "ran\n"
    assert not (folder / "spec").exists()


async def test_no_zombie_is_left_of_what_a_living_worker_started(machine: Machine) -> None:
    folders = [await machine.start("true", name=str(number)) for number in range(5)]
    shims = [shim_of(folder) for folder in folders]
    for folder in folders:
        await machine.ended(folder)
    await until(lambda: not any(Path(f"/proc/{shim}").exists() for shim in shims))


async def test_a_worker_that_lets_go_ends_nothing(machine: Machine) -> None:
    folder = await machine.start("echo up > here; exec sleep 60")
    await until(lambda: written(machine.root / "here"))
    machine.processes.close()
    assert alive(shim_of(folder))
    assert machine.processes.observe(folder) == Running()
