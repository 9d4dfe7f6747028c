"""Runs commands on this machine, each under a shim in a folder of its own: its session is ended with it.

The shim keeps the time limit too, so that a command whose verifier was killed does not go on for ever;
the verifier's next life ends it as it starts. What a command leaves in a session of its own, as daemons
do, is not found and goes on.
"""

import asyncio
import shutil
from collections.abc import Coroutine, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from services.verifier.failure import RUN_ELSEWHERE
from services.verifier.probe import Command, Outcome
from shared.clock import Clock
from shared.faults import Refused, TryAgain
from shared.process import Exit, Lost, Processes, ProcessSpec

OUTPUT_BYTES_MAX = 64 * 1024  # kept of one run
OUTPUT_LINES_TOLD = 20
OUTPUT_CHARACTERS_TOLD = 4_000
FILE_BYTES_MAX = 64 * 1024 * 1024  # of any file it writes
GRACE_SECONDS = 1.0  # from SIGTERM to SIGKILL
LANG = "C.UTF-8"
OWN_FOLDERS = "command-"  # and a number


@dataclass(frozen=True, slots=True)
class LocalCommands:
    """The commands of a running Windlass."""

    processes: Processes
    folder: Path  # for what is needed while a command runs; no other replica's
    search_path: str
    clock: Clock
    numbers: Iterator[int] = field(default_factory=lambda: count(1))  # of the runs

    async def run(self, command: Command) -> Outcome:
        """See `Commands`."""
        if not command.folder.is_dir():
            return Outcome(0.0, content=False, unable=RUN_ELSEWHERE)
        began = self.clock.now()
        own = self._own_folder()
        process = own / "process"
        running = asyncio.ensure_future(self._carry_out(command, own, process))
        try:
            end = await asyncio.shield(running)
            return self._outcome(command, process, end, (self.clock.now() - began).total_seconds())
        except Refused as fault:
            return Outcome(0.0, content=False, problem=str(fault))
        finally:
            await _to_its_end(self._clean_up(running, own))

    async def end_leftovers(self) -> None:
        """See `Commands`. What cannot be ended or removed keeps nobody from starting; it has its limit."""
        with suppress(OSError):
            left = [each for each in self.folder.iterdir() if each.name.startswith(OWN_FOLDERS)]
            await asyncio.gather(*(self._remove(own) for own in left))

    def _own_folder(self) -> Path:
        """Make what one run needs, and nobody else looks into."""
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            own = self._free_folder()
            (own / "home").mkdir(mode=0o700)
        except OSError as fault:
            raise TryAgain(
                f"there is no room for a command in {self.folder.name}: {fault.strerror}"
            ) from fault
        return own

    def _free_folder(self) -> Path:
        """Make the next folder; one that an earlier life left, and nobody could remove, is passed over."""
        while True:
            own = self.folder / f"{OWN_FOLDERS}{next(self.numbers)}"
            with suppress(FileExistsError):
                own.mkdir(mode=0o700)
                return own

    async def _carry_out(self, command: Command, own: Path, process: Path) -> Exit | Lost:
        spec = ProcessSpec(
            argv=command.argv,
            cwd=command.folder,
            env={"PATH": self.search_path, "LANG": LANG, "HOME": str(own / "home"), **command.env},
            output_bytes_max=OUTPUT_BYTES_MAX,
            grace_seconds=GRACE_SECONDS,
            limit_seconds=command.timeout_seconds,
            file_bytes_max=FILE_BYTES_MAX,
        )
        await self.processes.start(process, spec)
        return await self.processes.wait(process)

    async def _clean_up(self, running: "asyncio.Task[Exit | Lost]", own: Path) -> None:
        """See to it that nothing of it is left."""
        if running.done():
            shutil.rmtree(own, ignore_errors=True)
            return
        await self._remove(own)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    async def _remove(self, own: Path) -> None:
        """End what runs there, and remove it also where that fails: its shim has a limit."""
        with suppress(TryAgain, OSError, ValueError):
            await self.processes.stop(own / "process")
        shutil.rmtree(own, ignore_errors=True)

    def _outcome(self, command: Command, process: Path, end: Exit | Lost, seconds: float) -> Outcome:
        lines = [line.text for line in self.processes.tail(process, OUTPUT_LINES_TOLD)]
        said = "\n".join(lines)[-OUTPUT_CHARACTERS_TOLD:]
        if isinstance(end, Exit) and end.succeeded:
            return Outcome(seconds, content=True, said=said)
        return Outcome(seconds, content=False, problem=_how(command, end), said=said)


async def _to_its_end(doing: Coroutine[Any, Any, None]) -> None:
    """Wait until it is done, however often we are cancelled meanwhile."""
    task = asyncio.ensure_future(doing)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError as cancel:
            cancelled = cancel
    if cancelled:
        raise cancelled


def _how(command: Command, end: Exit | Lost) -> str:
    if isinstance(end, Lost):
        return "was interrupted"
    if end.reason == "not_startable":
        return f"could not be started: {end.message}"
    if end.reason == "limit":
        return f"did not end within {command.timeout_seconds:g} s"
    return f"was ended by {end.signal}" if end.signal else f"exited with {end.code}"
