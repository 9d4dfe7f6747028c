"""The server that shims are forked from: it saves time and changes nothing else, whatever becomes of it."""

import asyncio
import errno
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from shared.faults import TryAgain
from shared.process import Exit, LocalProcesses, Lost, ProcessSpec
from shared.process.processes import STARTS_MAX
from shared.process.shim import fork_server
from shared.process.shims import PROGRAM, ForkServer
from tests.integration.process.conftest import (
    PATH,
    Machine,
    alive,
    child_of,
    children_of,
    opened_by,
    pipes_of,
    server_of,
    shim_of,
    spare_of,
    until,
    warm,
    written,
)

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
FAILING = """#!%s -IS
import os
os.write(2, b"begun\\n")
def report(status):
    number = 0
    while os.read(0, 4096):
        os.write(2, b"told\\n")
        os.write(1, b"%%d %%d\\n" %% (number, status))
        number += 1
%s
"""


@pytest.fixture
async def frozen(machine: Machine) -> AsyncIterator[int]:
    """A server that hears nothing."""
    server = await warm(machine)
    os.kill(server, signal.SIGSTOP)
    yield server
    if alive(server):
        os.kill(server, signal.SIGCONT)


async def test_all_shims_are_forked_from_one_interpreter(machine: Machine) -> None:
    server = await warm(machine)
    folder = await machine.start(f"{RECORD}; exec sleep 60")
    assert shim_of(folder) in children_of(server)
    assert server_of(machine.processes) == server
    assert (folder / "shim.log").read_bytes() == b""
    assert (machine.root / "first" / "shim.log").read_bytes() == b""


async def test_a_forked_shim_is_like_one_that_was_started(machine: Machine) -> None:
    server = await warm(machine)
    folder = await machine.start("echo up; exec sleep 60")
    await machine.says(folder, "up")
    shim, child = shim_of(folder), child_of(folder)
    assert len({os.getsid(each) for each in (0, server, shim, child)}) == 4
    assert os.getpgid(shim) == shim
    assert opened_by(shim)[:3] == ["/dev/null", "/dev/null", str(folder / "shim.log")]
    assert os.readlink(f"/proc/{shim}/cwd") == str(folder)  # noqa: PTH115


async def test_nobody_but_the_server_has_its_pipes(machine: Machine) -> None:
    server = await warm(machine)
    await spare_of(server)
    pipes = pipes_of(server)
    folder = await machine.start("echo up; exec sleep 60")
    await machine.says(folder, "up")
    assert len(pipes) == 4  # orders, reports, what wakes it, and what the spare hears
    assert not pipes & {*opened_by(shim_of(folder)), *opened_by(child_of(folder))}


async def test_nothing_of_the_starter_stays_open_in_it(machine: Machine) -> None:
    with (machine.root / "secret").open("w") as secret:
        os.set_inheritable(secret.fileno(), True)
        server = await warm(machine)
        folder = await machine.start("echo up; exec sleep 60")
        await machine.says(folder, "up")
        everybody = (server, shim_of(folder), child_of(folder))
        assert not any(str(machine.root / "secret") in opened_by(each) for each in everybody)


async def test_one_that_was_killed_is_replaced_without_anybody_noticing(machine: Machine) -> None:
    server = await warm(machine)
    os.kill(server, signal.SIGKILL)
    folder = await machine.start(RECORD)  # whether we have heard of its end by now or not
    assert (await machine.ended(folder)).succeeded
    assert server_of(machine.processes) != server
    assert (machine.root / "effects").read_text() == "ran\n"
    await until(lambda: not Path(f"/proc/{server}").exists())


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
async def test_one_that_dies_while_it_is_told_is_replaced_too(
    machine: Machine, frozen: int, number: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.process.processes.CLAIM_SECONDS", 50.0)  # nobody waits for that
    starting = asyncio.create_task(machine.start(RECORD))
    await until((machine.root / "attempt" / "spec").exists)
    await asyncio.sleep(0)  # told in time, and yet it never reads it
    os.kill(frozen, number)
    os.kill(frozen, signal.SIGCONT)
    async with asyncio.timeout(40):
        assert (await machine.ended(await starting)).succeeded
    assert (machine.root / "effects").read_text() == "ran\n"


async def test_one_that_is_frozen_is_replaced_and_comes_too_late(
    machine: Machine, frozen: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.process.processes.CLAIM_SECONDS", 0.5)
    monkeypatch.setattr("shared.process.processes.STARTS_MAX", 40)  # the machine may be busy
    os.mkfifo(machine.root / "gate")
    folder = await machine.start(f"{RECORD}; read word < gate")
    assert shim_of(folder) not in children_of(frozen)
    os.kill(frozen, signal.SIGCONT)
    await until(lambda: not alive(frozen))
    (machine.root / "gate").write_text("on\n")
    assert (await machine.ended(folder)).succeeded
    assert (machine.root / "effects").read_text() == "ran\n"


async def test_what_runs_goes_on_when_its_server_dies_and_its_end_is_heard(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.process.processes.FALLBACK_SECONDS", 50.0)
    os.mkfifo(machine.root / "gate")
    folder = await machine.start("read word < gate; exit 3")
    waiting = asyncio.create_task(machine.ended(folder))
    server = server_of(machine.processes)
    os.kill(server, signal.SIGKILL)
    await until(lambda: not Path(f"/proc/{server}").exists())
    (machine.root / "gate").write_text("on\n")
    assert (await waiting).code == 3


async def test_a_shim_that_is_killed_after_its_server_is_missed_all_the_same(machine: Machine) -> None:
    folder = await machine.start("echo $$ > leader; exec sleep 60")
    await until(lambda: written(machine.root / "leader"))
    os.kill(server_of(machine.processes), signal.SIGKILL)
    os.kill(shim_of(folder), signal.SIGKILL)
    assert await machine.processes.wait(folder) == Lost()


async def test_starts_at_once_each_get_a_shim(machine: Machine) -> None:
    folders = await asyncio.gather(*(machine.start(RECORD, name=f"n{number}") for number in range(6)))
    assert len({shim_of(folder) for folder in folders}) == 6
    for folder in folders:
        assert (await machine.ended(folder)).succeeded
    assert (machine.root / "effects").read_text() == "ran\n" * 6


@pytest.mark.parametrize("name", ODD_NAMES, ids=ascii)
async def test_a_folder_may_have_any_name(machine: Machine, name: str) -> None:
    folder = await machine.start("echo hello", name=name)
    assert (await machine.ended(folder)).succeeded
    assert await machine.said(folder) == ["hello"]


async def test_a_path_as_long_as_can_be_is_told_whole(machine: Machine) -> None:
    room = 4096 - len(b"/output.123456789.new.1234567") - len(os.fsencode(machine.root))
    deep = machine.root.joinpath(*["d" * 200] * (room // 201))
    folder = await machine.start("echo hello", name=str(deep / "attempt"))
    assert (await machine.ended(folder)).succeeded
    await machine.processes.stop(folder)


async def test_a_relative_folder_is_found_from_wherever_the_server_is(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    await warm(machine)
    monkeypatch.chdir(machine.root)
    folder = Path("relative")
    await machine.processes.start(folder, ProcessSpec(("sh", "-c", "true"), machine.root, {"PATH": PATH}))
    assert isinstance(await machine.processes.wait(folder), Exit)


async def test_letting_go_ends_it(machine: Machine) -> None:
    server = await warm(machine)
    machine.processes.close()
    assert not alive(server)


async def test_one_that_is_forgotten_ends(machine: Machine) -> None:
    server = await warm(machine)
    asyncio.get_running_loop().remove_reader(machine.processes._shims._servers[0].hearing)
    machine.processes._shims._servers.clear()
    await until(lambda: not alive(server))


async def test_a_killed_worker_leaves_none_behind(machine: Machine) -> None:
    os.mkfifo(machine.root / "gate")
    folder, marker = machine.root / "attempt", str(machine.root)
    starter = [sys.executable, str(Path(__file__).parent / "starter.py"), str(folder)]
    worker = await asyncio.create_subprocess_exec(
        *starter,
        "process.exit.seen",
        "echo up; read word < gate",
        env={"PYTHONPATH": str(Path(__file__).parents[3]), "LD_LIBRARY_PATH": marker},
        start_new_session=True,
    )
    await machine.says(folder, "up")
    await until(lambda: len(marked(marker)) == 4)  # and the shim, and the spare with its child
    (machine.root / "gate").write_text("on\n")
    assert await worker.wait() == -signal.SIGKILL
    await until(lambda: marked(marker) == [])


def test_a_starter_that_dies_while_it_tells_starts_nothing(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-I", "-S", str(PROGRAM)],
        input=os.fsencode(tmp_path),  # without the NUL that ends it
        capture_output=True,
        timeout=50,
        check=False,
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, b"", b"")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("lacking", ["fork", "pipe"])
def test_a_shim_for_which_there_is_no_room_is_reported(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], lacking: str
) -> None:
    def no_room() -> int:
        raise BlockingIOError

    monkeypatch.setattr(os, lacking, no_room)
    before = descriptors()
    shims = fork_server.ForkedShims()
    assert shims.start(b"one")
    assert shims.start(b"two")
    assert shims.fork()
    assert capfd.readouterr().out == "0 -1\n1 -1\n"
    assert descriptors() == before


def test_no_descriptor_is_left_where_there_is_no_room_for_its_pipes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[tuple[int, int]] = []

    def room_for_one() -> tuple[int, int]:
        if made:
            raise OSError(errno.EMFILE, "Too many open files")
        made.append(real())
        return made[0]

    real = os.pipe
    before = descriptors()
    monkeypatch.setattr(os, "pipe", room_for_one)
    with pytest.raises(OSError, match="Too many open files") as refused:
        ForkServer((sys.executable,), {}, tmp_path / "shim.log")
    assert descriptors() == before, refused  # it is kept alive: nothing was left to its end


@pytest.mark.parametrize(
    ("interpreter", "log"),
    [
        pytest.param("os._exit(3)", "begun\n" * STARTS_MAX, id="cannot start at all"),
        pytest.param("report(-1)", "begun\n" + "told\n" * STARTS_MAX, id="has no room for any shim"),
        pytest.param("report(256)", "begun\ntold\n", id="its shim has failed"),
    ],
)
async def test_a_host_that_cannot_start_any_says_so_soon(tmp_path: Path, interpreter: str, log: str) -> None:
    program = tmp_path / "python"
    program.write_text(FAILING % (sys.executable, interpreter))
    program.chmod(0o700)
    processes = LocalProcesses(str(program))
    folder = tmp_path / "attempt"
    with pytest.raises(TryAgain) as told:
        await processes.start(folder, ProcessSpec(("true",), tmp_path, {"PATH": PATH}))
    processes.close()
    assert "begun" in str(told.value.__cause__)
    assert (folder / "shim.log").read_text() == log


async def test_a_server_that_ends_before_it_is_told_is_replaced_like_any_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "python"
    program.write_text(FAILING % (sys.executable, "os._exit(3)"))
    program.chmod(0o700)
    spawn = os.posix_spawn

    def spawn_and_see_it_end(*words: Any, **how: Any) -> int:
        pid = spawn(*words, **how)
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        return pid

    monkeypatch.setattr(os, "posix_spawn", spawn_and_see_it_end)
    processes = LocalProcesses(str(program))
    with pytest.raises(TryAgain) as told:
        await processes.start(tmp_path / "attempt", ProcessSpec(("true",), tmp_path, {"PATH": PATH}))
    processes.close()
    assert str(told.value.__cause__).count("begun") == STARTS_MAX


def descriptors() -> list[str]:
    """Return what this process has open."""
    return os.listdir("/proc/self/fd")  # noqa: PTH208 - and one for this look


def marked(marker: str) -> list[int]:
    """Return the server and the shims of the starter whose environment has this in it."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            ours = (process / "cmdline").read_bytes().endswith(os.fsencode(PROGRAM) + b"\0")
            if ours and os.fsencode(marker) in (process / "environ").read_bytes():
                found.append(int(process.name))
        except OSError:
            continue  # it is gone, or none of ours
    return found
