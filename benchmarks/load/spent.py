"""What given processes and folders use up: processor time, memory, files."""

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks.parties.processes import PROC, parsed, rollup

BYTES_A_BLOCK = 512  # as lstat counts


@dataclass(frozen=True, slots=True)
class Cpu:
    """Seconds of processors."""

    own: float
    others: float  # of what came of it: steps, git

    def since(self, before: "Cpu") -> "Cpu":
        """Return what came after `before`."""
        return Cpu(self.own - before.own, self.others - before.others)

    @property
    def total(self) -> float:
        """Return both."""
        return self.own + self.others


def own_cpu(pid: int) -> float:
    """Return the processor time of a process without its children's; none of one that is gone."""
    with suppress(FileNotFoundError, ProcessLookupError):
        return parsed((PROC / str(pid) / "stat").read_text("utf-8", "replace")).own_seconds
    return 0.0


def memory(*pids: int) -> float:
    """Return the memory of processes together in MB, a page that several share counted once in all."""
    return sum(rollup(pid)["Pss"] for pid in pids)


def open_files(pid: int) -> int:
    """Return how many files a process has open."""
    return sum(1 for _ in (PROC / str(pid) / "fd").iterdir())


@dataclass(frozen=True, slots=True)
class OnDisk:
    """What a folder takes up."""

    files: int  # folders too: each has an inode
    bytes: int  # of the blocks they have, not of their content


def on_disk(folder: Path) -> OnDisk:
    """Count a folder's content; what goes away meanwhile is not counted."""
    files = size = 0
    for path, folders, names in os.walk(folder):
        for name in (*folders, *names):
            with suppress(FileNotFoundError):
                status = os.lstat(f"{path}/{name}")
                files, size = files + 1, size + status.st_blocks * BYTES_A_BLOCK
    return OnDisk(files, size)
