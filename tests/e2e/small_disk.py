"""A disk that can be filled and emptied: a small one of its own, or the nearest that an ordinary user has."""

import os
import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from tests.e2e.program import Program

SIZE = "48m"


@dataclass
class SmallDisk:
    """Where a program keeps everything, its log too."""

    folder: Path
    holds_the_log: ClassVar[bool] = True  # which can be full, too

    def fill(self, program: Program, but: int = 0) -> None:
        """Leave no room for one more byte, or for so many of them."""
        with (self.folder / "ballast").open("ab", buffering=0) as ballast:
            for size in (1024 * 1024, 4096, 1):
                _write_until_full(ballast.fileno(), b"\0" * size)
            ballast.truncate(ballast.tell() - but)

    def clear(self) -> None:
        """Make room again."""
        (self.folder / "ballast").unlink(missing_ok=True)


@dataclass
class SmallFiles(SmallDisk):
    """Files that may not grow, for where nobody may mount a disk; a program not yet running inherits that."""

    holds_the_log: ClassVar[bool] = False
    limited: int = 0

    def fill(self, program: Program, but: int = 0) -> None:
        """Have every write fail that goes beyond the files of now, or beyond them by so much."""
        running = program.exit_code is None and program.started
        self.limited = program.pid if running else os.getpid()
        log = program.data / "windlass.db-wal"
        size = log.stat().st_size if log.exists() else 0
        self._limit(size + but)

    def clear(self) -> None:
        """Let them grow again."""
        with suppress(ProcessLookupError):
            self._limit(resource.RLIM_INFINITY)

    def _limit(self, size: int) -> None:
        _, most = resource.prlimit(self.limited, resource.RLIMIT_FSIZE)
        resource.prlimit(self.limited, resource.RLIMIT_FSIZE, (size, most))


@contextmanager
def small_disk(folder: Path) -> Iterator[SmallDisk]:
    """Give a disk that is mounted there, and taken away at the end."""
    if not _mounted(folder):
        yield SmallFiles(folder)
        return
    try:
        yield SmallDisk(folder)
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def _mounted(folder: Path) -> bool:
    command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=700", "tmpfs", str(folder)]
    with suppress(FileNotFoundError):
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    return False


def _write_until_full(descriptor: int, chunk: bytes) -> None:
    while True:
        try:
            os.write(descriptor, chunk)
        except OSError:
            return
