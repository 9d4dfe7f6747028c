"""Real processes, none of which outlives its test."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from shared.process import Exit, LocalProcesses, ProcessSpec

PATH = "/usr/bin:/bin"


@dataclass(frozen=True)
class Machine:
    """The machine under us, for one test."""

    processes: LocalProcesses
    root: Path

    async def start(self, script: str, name: str = "attempt", **options: Any) -> Path:
        """Run a shell script and return its folder."""
        folder = self.root / name
        env = {"PATH": PATH, **options.pop("env", {})}
        argv = options.pop("argv", ("sh", "-c", script))
        cwd = options.pop("cwd", self.root)
        await self.processes.start(folder, ProcessSpec(argv, cwd, env, **options))
        return folder

    async def ended(self, folder: Path) -> Exit:
        """Wait for its end."""
        outcome = await self.processes.wait(folder)
        assert isinstance(outcome, Exit)
        return outcome

    async def said(self, folder: Path, first_line: int = 0) -> list[str]:
        """Return all it says, to its end."""
        batches = self.processes.output(folder, first_line)
        return [line.text async for batch in batches for line in batch]

    async def says(self, folder: Path, text: str) -> None:
        """Return as soon as it has said this line."""
        await until(lambda: any(text == line.text for line in self.processes.tail(folder, 1000)))


@pytest.fixture
async def machine(tmp_path: Path) -> AsyncIterator[Machine]:
    processes = LocalProcesses()
    yield Machine(processes, tmp_path)
    for folder in folders_in(tmp_path):
        await processes.stop(folder)
    processes.close()


def folders_in(root: Path) -> list[Path]:
    """Return where processes were started."""
    return [claim.parent for claim in root.glob("*/claimed")]


async def until(condition: Callable[[], bool], seconds: float = 40.0) -> None:
    """Poll what only the kernel knows, and what stays true once it is: nobody may look for long."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come about in time"
        await asyncio.sleep(0.01)


def alive(pid: int) -> bool:
    """Tell whether the process runs; a zombie does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(b")")[2].split()[0] not in {b"Z", b"X"}


def shim_of(folder: Path) -> int:
    """Return the process id of the folder's shim."""
    return int((folder / "pid").read_text().split()[0])


def server_of(processes: LocalProcesses) -> int:
    """Return the process id of the server that shims are forked from."""
    return processes._shims._servers[-1].pid


async def warm(machine: Machine) -> int:
    """Start something, and return the server that there is from then on."""
    await machine.ended(await machine.start("true", name="first"))
    return server_of(machine.processes)


async def spare_of(server: int) -> int:
    """Return the shim that the server has forked ahead, as soon as it and its child wait."""
    spares: list[int] = []

    def waits() -> bool:
        spares[:] = [pid for pid in children_of(server) if is_spare(pid)]
        return bool(spares)

    await until(waits)
    return spares[0]


def is_spare(pid: int) -> bool:
    """Tell whether it waits for its folder, its child beside it."""
    with suppress(OSError):  # it is gone
        return os.readlink(f"/proc/{pid}/fd/0").startswith("pipe:") and children_of(pid) != []  # noqa: PTH115
    return False


def child_of(folder: Path) -> int:
    """Return the process that the folder's shim runs."""
    return int((folder / "group").read_text().split()[0])


def opened_by(pid: int) -> list[str]:
    """Return what the process has open, by descriptor."""
    opened = []
    for link in sorted(Path(f"/proc/{pid}/fd").iterdir(), key=lambda link: int(link.name)):
        with suppress(FileNotFoundError):  # it was closed as we looked
            opened.append(str(link.readlink()))
    return opened


def pipes_of(pid: int) -> set[str]:
    """Return the pipes that the process has open."""
    return {link for link in opened_by(pid) if link.startswith("pipe:")}


def children_of(pid: int) -> list[int]:
    """Return the children of a process, those that nobody has reaped included."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it is gone
            if int(stat.read_bytes().rpartition(b")")[2].split()[1]) == pid:
                found.append(int(stat.parent.name))
    return found


def pid_in(path: Path) -> int:
    """Return the process id that a script wrote."""
    return int(path.read_text())


def written(path: Path) -> bool:
    """Tell whether a script has written its whole line there."""
    return path.exists() and path.read_text().endswith("\n")


def end(pid: int) -> None:
    """End a process that a test lets get away."""
    os.kill(pid, 9)


def refuse_outcome(folder: Path) -> None:
    """Be a disk that takes no outcome, until the folder made here is removed."""
    (folder / "exit.reserved").unlink()
    (folder / "exit.reserved").mkdir()
