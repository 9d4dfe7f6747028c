"""The shim that is started ahead: it saves time and changes nothing else."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from shared.process import Exit, LocalProcesses, ProcessSpec
from shared.process.shims import PROGRAM, START_AHEAD_SECONDS
from tests.integration.process.conftest import PATH, Machine, alive, shim_of, until

RECORD = "echo ran >> effects"
ODD_NAMES = (
    "with a space",
    "with\na line end",
    "quo'te\"d",
    "-rf",
    "ünïcode",
    os.fsdecode(b"not \xff text"),
    "n" * 255,
)


def spare_of(processes: LocalProcesses) -> int:
    """Return the spare shim's process id; 0 while there is none."""
    return next((shim.pid for shim in processes._shims._unreaped.values() if shim.spare), 0)


async def warm(machine: Machine) -> int:
    """Start something, so that there is a spare shim from then on."""
    await machine.ended(await machine.start("true", name="first"))
    await until(lambda: spare_of(machine.processes) > 0)
    return spare_of(machine.processes)


async def test_the_next_process_is_run_by_the_shim_that_was_started_ahead(machine: Machine) -> None:
    spare = await warm(machine)
    folder = await machine.start(RECORD)
    assert shim_of(folder) == spare
    assert (await machine.ended(folder)).succeeded
    assert (machine.root / "effects").read_text() == "ran\n"
    assert (folder / "shim.log").read_bytes() == b""
    await until(lambda: spare_of(machine.processes) not in {0, spare})


async def test_it_is_a_session_of_its_own_like_any_shim(machine: Machine) -> None:
    spare = await warm(machine)
    folder = await machine.start("echo up; exec sleep 60")
    await machine.says(folder, "up")
    child = int((folder / "group").read_text().split()[0])
    assert len({os.getsid(0), os.getsid(spare), os.getsid(child)}) == 3
    assert opened_by(spare)[:3] == ["/dev/null", "/dev/null", str(folder / "shim.log")]


async def test_a_spare_that_died_is_replaced_without_anybody_noticing(machine: Machine) -> None:
    spare = await warm(machine)
    os.kill(spare, signal.SIGKILL)
    await until(lambda: spare_of(machine.processes) == 0)
    folder = await machine.start(RECORD)
    assert (await machine.ended(folder)).succeeded
    await until(lambda: spare_of(machine.processes) not in {0, spare})


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
async def test_a_spare_that_dies_while_it_is_told_is_replaced_too(
    machine: Machine, number: signal.Signals
) -> None:
    spare = await warm(machine)
    os.kill(spare, signal.SIGSTOP)  # told in time, and yet it never reads it
    starting = asyncio.create_task(machine.start(RECORD))
    await until(lambda: spare_of(machine.processes) == 0)
    os.kill(spare, number)
    os.kill(spare, signal.SIGCONT)
    folder = await starting
    assert (await machine.ended(folder)).succeeded
    assert (machine.root / "effects").read_text() == "ran\n"


async def test_starts_at_once_each_get_a_shim(machine: Machine) -> None:
    await warm(machine)
    folders = await asyncio.gather(*(machine.start(RECORD, name=f"n{number}") for number in range(6)))
    assert len({shim_of(folder) for folder in folders}) == 6
    for folder in folders:
        assert (await machine.ended(folder)).succeeded
    assert (machine.root / "effects").read_text() == "ran\n" * 6


@pytest.mark.parametrize("name", ODD_NAMES, ids=ascii)
async def test_a_folder_may_have_any_name(machine: Machine, name: str) -> None:
    spare = await warm(machine)
    folder = await machine.start("echo hello", name=name)
    assert shim_of(folder) == spare
    assert (await machine.ended(folder)).succeeded
    assert await machine.said(folder) == ["hello"]


async def test_a_path_as_long_as_can_be_is_told_whole(machine: Machine) -> None:
    spare = await warm(machine)
    room = 4096 - len(b"/output.123456789.new.1234567") - len(os.fsencode(machine.root))
    deep = machine.root.joinpath(*["d" * 200] * (room // 201))
    folder = await machine.start("echo hello", name=str(deep / "attempt"))
    assert shim_of(folder) == spare
    assert (await machine.ended(folder)).succeeded
    await machine.processes.stop(folder)


async def test_a_relative_folder_is_found_from_wherever_the_spare_is(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    spare = await warm(machine)
    monkeypatch.chdir(machine.root)
    folder = Path("relative")
    await machine.processes.start(folder, ProcessSpec(("sh", "-c", "true"), machine.root, {"PATH": PATH}))
    assert shim_of(folder) == spare
    assert isinstance(await machine.processes.wait(folder), Exit)


async def test_nothing_of_the_starter_stays_open_in_it(machine: Machine) -> None:
    with (machine.root / "secret").open("w") as secret:
        os.set_inheritable(secret.fileno(), True)
        spare = await warm(machine)
        folder = await machine.start("echo up; exec sleep 60")
        await machine.says(folder, "up")
        assert str(machine.root / "secret") not in opened_by(spare)


async def test_letting_go_right_after_a_start_leaves_none(machine: Machine) -> None:
    await machine.start("true")
    machine.processes.close()
    await asyncio.sleep(2 * START_AHEAD_SECONDS)
    assert spare_of(machine.processes) == 0


async def test_letting_go_ends_it(machine: Machine) -> None:
    spare = await warm(machine)
    machine.processes.close()
    assert not alive(spare)


async def test_one_that_is_forgotten_ends(machine: Machine) -> None:
    spare = await warm(machine)
    machine.processes._shims._unreaped[spare].gate = None
    await until(lambda: not alive(spare))


async def test_a_killed_worker_leaves_no_spare_behind(machine: Machine) -> None:
    os.mkfifo(machine.root / "gate")
    folder, marker = machine.root / "attempt", str(machine.root)
    starter = [sys.executable, str(Path(__file__).parent / "starter.py"), str(folder)]
    worker = await asyncio.create_subprocess_exec(
        *starter,
        "process.exit.seen",
        "read word < gate",
        env={"PYTHONPATH": str(Path(__file__).parents[3]), "LD_LIBRARY_PATH": marker},
        start_new_session=True,
    )
    await until(lambda: len(spares_marked(marker)) == 1)
    gate = os.open(machine.root / "gate", os.O_RDWR)
    os.write(gate, b"on\n")
    assert await worker.wait() == -signal.SIGKILL
    await until(lambda: spares_marked(marker) == [])
    os.close(gate)


def test_a_starter_that_dies_while_it_tells_starts_nothing(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-I", "-S", str(PROGRAM)],
        input=os.fsencode(tmp_path),  # without the NUL that ends it
        capture_output=True,
        timeout=20,
        check=False,
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, b"", b"")
    assert list(tmp_path.iterdir()) == []


def opened_by(pid: int) -> list[str]:
    """Return what the process has open, by descriptor."""
    links = Path(f"/proc/{pid}/fd").iterdir()
    return [str(link.readlink()) for link in sorted(links, key=lambda link: int(link.name))]


def spares_marked(marker: str) -> list[int]:
    """Return the spare shims of the starter whose environment has this in it."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            spare = (process / "cmdline").read_bytes().endswith(os.fsencode(PROGRAM) + b"\0")
            if spare and os.fsencode(marker) in (process / "environ").read_bytes():
                found.append(int(process.name))
        except OSError:
            continue  # it is gone, or none of ours
    return found
