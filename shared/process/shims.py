"""The shims that this life of the program started, and the server that they are forked from.

Starting an interpreter takes longer than all else that stands between an order and its process. So one is
kept, everything imported, and forks a shim for each folder that it is told through a pipe. The kernel
closes that pipe when we die, however we die, and the server ends; its shims go on.

Whatever becomes of a server, a folder can safely be told to another one: only one shim ever claims it.
"""

import asyncio
import os
import signal
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PROGRAM = Path(__file__).parent / "shim" / "start.py"
UNKNOWN = -1  # no wait status: there was no room for a process, or its server is gone
READ_BYTES = 4096


@dataclass(slots=True)
class Shim:
    """A shim that was asked for."""

    folder: Path
    status: int | None = None  # once it has ended, as far as is known

    @property
    def may_be_repeated(self) -> bool:
        """Tell whether it ended by no fault of the folder's, as far as is known."""
        return self.status is not None and (self.status == UNKNOWN or os.WIFSIGNALED(self.status))

    @property
    def failed(self) -> bool:
        """Tell whether it will not take its folder; one that ended well left it to another one."""
        return self.status is not None and self.status != 0


class ForkServer:
    """A server and the shims it forked, until it is gone."""

    def __init__(self, command: tuple[str, ...], env: Mapping[str, str], log: Path) -> None:
        self.shims: dict[int, Shim] = {}  # that have not ended
        self._told = 0
        self._half_heard = b""
        self._telling = self.hearing = -1
        orders, self._telling = os.pipe()
        try:
            self.hearing, reports = os.pipe()
        except OSError:
            os.close(orders)
            self._close()
            raise
        appending = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        try:
            self.pid = os.posix_spawn(
                command[0],
                command,
                env,
                file_actions=[
                    (os.POSIX_SPAWN_DUP2, orders, 0),
                    (os.POSIX_SPAWN_DUP2, reports, 1),
                    (os.POSIX_SPAWN_OPEN, 2, str(log), appending, 0o600),  # should it be unable to start
                ],
                setsid=True,
                setsigmask=[],
                setsigdef=[signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD],
            )
        except OSError:
            self._close()
            raise
        finally:
            os.close(orders)
            os.close(reports)
        os.set_blocking(self._telling, False)  # a server that hears nothing must not hold us up

    def tell(self, folder: Path) -> Shim:
        """Have a shim forked for the folder; raises `OSError` when there is nobody to hear it."""
        os.write(self._telling, os.fsencode(folder.absolute()) + b"\0")  # whole or not at all: PIPE_BUF
        shim = self.shims[self._told] = Shim(folder)
        self._told += 1
        return shim

    def tell_no_more(self) -> None:
        """Have it end as soon as it has done what it was told."""
        if self._telling >= 0:
            os.close(self._telling)
            self._telling = -1

    def hear(self) -> list[Shim]:
        """Return the shims of which it says that they have ended; raises `EOFError` when it has."""
        heard = os.read(self.hearing, READ_BYTES)
        if not heard:
            raise EOFError
        *lines, self._half_heard = (self._half_heard + heard).split(b"\n")
        ended = []
        for number, status in (line.split() for line in lines):
            shim = self.shims.pop(int(number))
            shim.status = int(status)
            ended.append(shim)
        return ended

    def end(self) -> list[Shim]:
        """See to it that it is gone, and return the shims whose end nobody will hear of."""
        with suppress(ProcessLookupError, ChildProcessError):  # whoever started us may have it reaped for us
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        self._close()
        left = list(self.shims.values())
        self.shims.clear()
        for shim in left:
            shim.status = UNKNOWN
        return left

    def _close(self) -> None:
        self.tell_no_more()
        if self.hearing >= 0:
            os.close(self.hearing)
            self.hearing = -1

    __del__ = _close  # whoever forgets us must not leave a server waiting


class Shims:
    """Has shims started, and takes note of their ends."""

    def __init__(self, python: str, env: Mapping[str, str], ended: Callable[[Path], None]) -> None:
        self._command = (python, "-I", "-S", str(PROGRAM))
        self._ended = ended  # told whose shim has ended
        self._env = env  # what the interpreter itself needs to start
        self._servers: list[ForkServer] = []  # the last one is told; those before it only end

    def start(self, folder: Path) -> Shim:
        """Have one started for the folder."""
        with suppress(OSError, IndexError):  # there is none, or it died, or hears nothing
            return self._servers[-1].tell(folder)
        self.distrust()
        server = ForkServer(self._command, self._env, folder / "shim.log")
        self._servers.append(server)
        asyncio.get_running_loop().add_reader(server.hearing, self._hear, server)
        with suppress(OSError):  # it has ended already, and said why
            return server.tell(folder)
        return Shim(folder, UNKNOWN)

    def distrust(self) -> None:
        """Have the next shims come from another server."""
        for server in self._servers:
            server.tell_no_more()

    def close(self) -> None:
        """Let go of all: whatever has a folder goes on."""
        for server in list(self._servers):
            self._end(server)

    def _hear(self, server: ForkServer) -> None:
        try:
            ended = server.hear()
        except EOFError:
            ended = self._end(server)
        for shim in ended:
            self._ended(shim.folder)

    def _end(self, server: ForkServer) -> list[Shim]:
        self._servers.remove(server)
        with suppress(RuntimeError):  # no loop runs any more: its selector is gone, too
            asyncio.get_running_loop().remove_reader(server.hearing)
        return server.end()
