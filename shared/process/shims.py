"""The shims that this life of the program started, until they are reaped; one of them is started ahead.

Starting an interpreter takes longer than all else that stands between an order and its process. So a
spare one waits, everything imported, to be told its folder through a pipe. The kernel closes that pipe
when we die, however we die, and a shim that was told nothing then ends.
"""

import asyncio
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PROGRAM = Path(__file__).parent / "shim" / "start.py"
START_AHEAD_SECONDS = 0.01  # after a start: the process just begun has the processor first
NO_FOLDER = Path()


class Gate:
    """Our end of the pipe through which a spare shim is told its folder; as good as its lifeline."""

    def __init__(self, fd: int) -> None:
        self._fd = fd

    @property
    def open(self) -> bool:
        """Tell whether a folder can still be told."""
        return self._fd >= 0

    def tell(self, folder: Path) -> bool:
        """Tell it, once; False when there is no longer anybody to hear it."""
        try:
            os.write(self._fd, os.fsencode(folder.absolute()) + b"\0")
        except OSError:
            return False
        finally:
            self.close()
        return True

    def close(self) -> None:
        """Tell nothing more: who has been told nothing ends."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    __del__ = close  # whoever forgets us must not leave a shim waiting


@dataclass(slots=True)
class Shim:
    """A shim that has not been reaped."""

    pid: int
    folder: Path  # NO_FOLDER until it is told
    gate: Gate | None = None  # of one that was started before there was a folder for it
    pidfd: int = -1
    status: int | None = None

    @property
    def spare(self) -> bool:
        """Tell whether it still waits to be told."""
        return self.gate is not None and self.gate.open


class Shims:
    """Starts shims and takes note of their ends."""

    def __init__(self, python: str, env: Mapping[str, str], ended: Callable[[Path], None]) -> None:
        self._python = python
        self._ended = ended  # told whose shim has ended
        self._unreaped: dict[int, Shim] = {}
        self._starting: asyncio.TimerHandle | None = None
        self._env = env  # what the interpreter itself needs to start

    def start(self, folder: Path) -> Shim:
        """Start one for the folder, the spare one if it lives."""
        for shim in list(self._unreaped.values()):
            if shim.spare and shim.gate and shim.gate.tell(folder):
                shim.folder = folder
                return shim
        return self.start_anew(folder)

    def start_anew(self, folder: Path) -> Shim:
        """Start one from nothing."""
        log = (
            os.POSIX_SPAWN_OPEN,
            2,
            str(folder / "shim.log"),
            os.O_WRONLY | os.O_CREAT | os.O_APPEND,
            0o600,
        )
        nothing = (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0)
        return self._watched(Shim(self._spawn([nothing, log], str(folder.absolute())), folder))

    def start_ahead_soon(self) -> None:
        """Have a spare one before long; without room for it there is none."""
        if self._starting is None and not any(shim.spare for shim in self._unreaped.values()):
            loop = asyncio.get_running_loop()
            self._starting = loop.call_later(START_AHEAD_SECONDS, self._start_ahead)

    def look_after_unwatched(self) -> None:
        """Reap those whose end nobody tells us."""
        for shim in list(self._unreaped.values()):
            if shim.pidfd < 0:
                self._reap(shim.pid)

    def close(self) -> None:
        """Let go of all: whatever has a folder goes on."""
        if self._starting:
            self._starting.cancel()
            self._starting = None
        for shim in list(self._unreaped.values()):
            if shim.folder == NO_FOLDER:
                os.kill(shim.pid, signal.SIGKILL)
                os.waitpid(shim.pid, 0)
            self._forget(shim)

    def _start_ahead(self) -> None:
        self._starting = None
        with suppress(OSError):
            waiting, telling = os.pipe()
            gate = Gate(telling)
            try:
                actions = [
                    (os.POSIX_SPAWN_DUP2, waiting, 0),
                    (os.POSIX_SPAWN_OPEN, 2, "/dev/null", os.O_WRONLY, 0),
                ]
                self._watched(Shim(self._spawn(actions), NO_FOLDER, gate))
            finally:
                os.close(waiting)

    def _spawn(self, actions: Sequence[tuple[object, ...]], *words: str) -> int:
        silent = (os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0)
        return os.posix_spawn(
            self._python,
            [self._python, "-I", "-S", str(PROGRAM), *words],
            self._env,
            file_actions=[silent, *actions],
            setsid=True,
            setsigmask=[],
            setsigdef=[signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD],
        )

    def _watched(self, shim: Shim) -> Shim:
        self._unreaped[shim.pid] = shim
        with suppress(AttributeError, OSError):  # not Linux, or no descriptor left: it is polled
            shim.pidfd = os.pidfd_open(shim.pid)
            asyncio.get_running_loop().add_reader(shim.pidfd, self._reap, shim.pid)
        return shim

    def _reap(self, pid: int) -> None:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            shim = self._unreaped[pid]
            shim.status = status
            self._forget(shim)
            self._ended(shim.folder)

    def _forget(self, shim: Shim) -> None:
        del self._unreaped[shim.pid]
        if shim.gate:
            shim.gate.close()
        if shim.pidfd >= 0:
            with suppress(RuntimeError):  # no loop runs any more: its selector is gone, too
                asyncio.get_running_loop().remove_reader(shim.pidfd)
            os.close(shim.pidfd)
