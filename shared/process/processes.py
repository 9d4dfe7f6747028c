"""Processes that outlive the worker which started them (DESIGN 4).

Everything known of one lies in its folder, so that any later life of this program can go on where
an earlier one was killed. What runs meanwhile is the shim (`shim/`); this is its other side.
Whoever supervises Windlass must leave the shims alone when it ends Windlass (systemd: KillMode=process).
"""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

from shared.crash import point
from shared.events import LogLine
from shared.faults import TryAgain
from shared.process import folder as shim_folder
from shared.process.attempt import Absent, Exit, Exited, Lost, Observation, ProcessSpec, Running, encode
from shared.process.bell import Bell
from shared.process.output import Batch, OutputReader, tail
from shared.process.shims import Shim, Shims

CLAIM_SECONDS = 7.0  # from an order to a shim's claim: 3 ms on an idle machine, and 15 more for a new server
STARTS_MAX = 3  # shims asked for in vain until the host is called unable
STOP_MARGIN_SECONDS = 10.0  # past the grace, before a shim that does not end its child is killed
LOADER_VARIABLES = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")  # what the interpreter may need to start
BELL_KEPT_SECONDS = 1.0  # from a start until somebody waits: to make it anew costs half a millisecond
FALLBACK_SECONDS = 1.0  # between looks at a lock that nobody rings for


class Processes(Protocol):
    """Processes, each known by its folder. Every verb is safe to repeat."""

    async def start(self, folder: Path, spec: ProcessSpec) -> None:
        """See to it that it was started; in one folder at most one process ever is.

        Raises `Refused` for what no program can be given, `TryAgain` when the host has no room.
        A program that cannot be run is no fault: it exits as `not_startable`.
        """
        ...

    def observe(self, folder: Path) -> Observation:
        """Say what is the case now."""
        ...

    async def wait(self, folder: Path) -> Exit | Lost:
        """Return how it ended, at once if it has; `LookupError` if it was never started."""
        ...

    def output(self, folder: Path, first_line: int) -> AsyncGenerator[Batch, None]:
        """Give its lines from `first_line` on as they come; end when it is over and all was given."""
        ...

    def tail(self, folder: Path, lines: int) -> tuple[LogLine, ...]:
        """Return the last lines there are now."""
        ...

    async def stop(self, folder: Path) -> None:
        """End it, all of its group, and return when that is done; if not started, it never will be."""
        ...

    def promote(self, folder: Path) -> None:
        """From now on, start a kept service again whenever it ends by itself."""
        ...


class LocalProcesses:
    """Processes on this machine."""

    def __init__(self, python: str = sys.executable) -> None:
        self._bells: dict[Path, Bell] = {}
        env = {name: os.environ[name] for name in LOADER_VARIABLES if name in os.environ}
        self._shims = Shims(python, env, self._shim_ended)

    async def start(self, folder: Path, spec: ProcessSpec) -> None:
        """See `Processes`; returns when the shim has taken the folder."""
        content = encode(spec)
        if shim_folder.claimed(folder):
            return
        try:
            shim_folder.prepare(folder, content)
            point("process.spec.written")
            with self._listening(folder, BELL_KEPT_SECONDS) as rung:
                await self._started(folder, rung)
        except OSError as problem:
            raise TryAgain(f"a process could not be started in {folder.name}") from problem
        point("process.shim.claimed")

    def observe(self, folder: Path) -> Observation:
        """See `Processes`. What a killed shim left running counts as running: `wait` ends it."""
        return shim_folder.observe(folder)

    async def wait(self, folder: Path) -> Exit | Lost:
        """See `Processes`."""
        with self._listening(folder) as rung:
            while True:
                rung.clear()
                match self._settled(folder):
                    case Exited(outcome):
                        point("process.exit.seen")
                        return outcome
                    case Lost() as lost:
                        point("process.loss.seen")
                        return lost
                    case Absent():
                        raise LookupError(f"nothing was started in {folder.name}")
                await self._rung(rung)

    async def output(self, folder: Path, first_line: int) -> AsyncGenerator[Batch, None]:
        """See `Processes`. A service's oldest lines may be gone: then a batch begins further on."""
        reader = OutputReader(folder, first_line)
        try:
            with self._listening(folder) as rung:
                over = False
                while not over:
                    rung.clear()
                    over = not isinstance(self._settled(folder), Running)
                    while batch := reader.read():
                        yield batch
                    if not over:
                        await self._rung(rung)
        finally:
            reader.close()

    def tail(self, folder: Path, lines: int) -> tuple[LogLine, ...]:
        """See `Processes`."""
        return tail(folder, lines)

    async def stop(self, folder: Path) -> None:
        """See `Processes`."""
        try:
            shim_folder.mark(folder, "stop")
        except OSError as problem:
            if not isinstance(self.observe(folder), Running):
                raise TryAgain(f"{folder.name} could not be marked as stopped") from problem
        point("process.stop.marked")
        with self._listening(folder) as rung:
            if not isinstance(self._settled(folder), Running):
                return
            shim_folder.signal_shim(folder, signal.SIGTERM)
            shim_folder.signal_shim(folder, signal.SIGCONT)  # its child may have suspended it
            point("process.stop.signalled")
            with suppress(TimeoutError):
                async with asyncio.timeout(shim_folder.grace_seconds(folder) + STOP_MARGIN_SECONDS):
                    await self._until_over(folder, rung)
                    return
            shim_folder.signal_shim(folder, signal.SIGKILL)
            await self._until_over(folder, rung)

    def promote(self, folder: Path) -> None:
        """See `Processes`."""
        try:
            shim_folder.mark(folder, "promoted")
        except OSError as problem:
            raise TryAgain(f"{folder.name} could not be marked as promoted") from problem
        point("process.promoted")

    def close(self) -> None:
        """Let go of what was started; it goes on."""
        self._shims.close()
        for folder, bell in list(self._bells.items()):
            self._close_if_idle(folder, bell)

    async def _started(self, folder: Path, rung: asyncio.Event) -> None:
        """Have shims started until one has claimed the folder."""
        for _ in range(STARTS_MAX):
            shim = self._shims.start(folder)
            point("process.shim.started")
            try:
                async with asyncio.timeout(CLAIM_SECONDS):
                    await self._until_settled(shim, rung)
            except TimeoutError:
                self._shims.distrust()  # it may be frozen; should a shim of it come late, it finds a claim
            if shim_folder.claimed(folder):
                return
            if shim.failed and not shim.may_be_repeated:
                break
        complaint = (folder / "shim.log").read_text("utf-8", "replace")[-500:]
        raise OSError(f"no shim took the folder: {complaint}")

    async def _until_settled(self, shim: Shim, rung: asyncio.Event) -> None:
        while not shim_folder.claimed(shim.folder) and not shim.failed:
            await self._rung(rung)
            rung.clear()

    async def _until_over(self, folder: Path, rung: asyncio.Event) -> None:
        while isinstance(self._settled(folder), Running):
            await self._rung(rung)
            rung.clear()

    def _settled(self, folder: Path) -> Observation:
        """Observe, and end what a killed shim left running: nobody looks after it."""
        seen = self.observe(folder)
        if isinstance(seen, Running) and not shim_folder.locked(folder):
            shim_folder.end_leftovers(folder)
        return seen

    async def _rung(self, rung: asyncio.Event) -> None:
        """Wait for the bell, but not for ever: a shim that was killed does not ring."""
        with suppress(TimeoutError):
            async with asyncio.timeout(FALLBACK_SECONDS):
                await rung.wait()

    @contextmanager
    def _listening(self, folder: Path, kept_seconds: float = 0) -> Iterator[asyncio.Event]:
        """Hear the folder's bell, and keep it for whoever will listen within `kept_seconds`."""
        bell = self._bells.get(folder)
        if bell is None:
            bell = self._bells[folder] = Bell(folder)
        try:
            with bell.listener() as rung:
                yield rung
        finally:
            if kept_seconds:
                loop = asyncio.get_running_loop()
                loop.call_later(kept_seconds, self._close_if_idle, folder, bell)
            else:
                self._close_if_idle(folder, bell)

    def _close_if_idle(self, folder: Path, bell: Bell) -> None:
        if bell.idle and self._bells.get(folder) is bell:
            bell.close()
            del self._bells[folder]

    def _shim_ended(self, folder: Path) -> None:
        if bell := self._bells.get(folder):
            bell.ring()
