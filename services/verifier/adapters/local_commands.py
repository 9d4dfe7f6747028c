"""Runs commands on this machine, each under a shim in a folder of its own: its session is ended with it.

The shim keeps the time limit too, so that a command whose verifier was killed does not go on for ever.
"""

import asyncio
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

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


@dataclass(frozen=True, slots=True)
class LocalCommands:
    """The commands of a running Windlass."""

    processes: Processes
    folder: Path  # for what is needed while a command runs
    search_path: str
    clock: Clock

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
            await self._end(running, process)
            shutil.rmtree(own, ignore_errors=True)

    def _own_folder(self) -> Path:
        """Make what one run needs, and nobody else looks into."""
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            own = Path(tempfile.mkdtemp(prefix="command-", dir=self.folder))
            (own / "home").mkdir()
        except OSError as fault:
            raise TryAgain(
                f"there is no room for a command in {self.folder.name}: {fault.strerror}"
            ) from fault
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

    async def _end(self, running: "asyncio.Task[Exit | Lost]", process: Path) -> None:
        """See to it that nothing of it is left, also when we are cancelled."""
        if not running.done():
            stopping = asyncio.ensure_future(self.processes.stop(process))
            await asyncio.wait({stopping})
            running.cancel()
            await asyncio.wait({running})

    def _outcome(self, command: Command, process: Path, end: Exit | Lost, seconds: float) -> Outcome:
        lines = [line.text for line in self.processes.tail(process, OUTPUT_LINES_TOLD)]
        said = "\n".join(lines)[-OUTPUT_CHARACTERS_TOLD:]
        if isinstance(end, Exit) and end.succeeded:
            return Outcome(seconds, content=True, said=said)
        return Outcome(seconds, content=False, problem=_how(command, end), said=said)


def _how(command: Command, end: Exit | Lost) -> str:
    if isinstance(end, Lost):
        return "was interrupted"
    if end.reason == "not_startable":
        return f"could not be started: {end.message}"
    if end.reason == "limit":
        return f"did not end within {command.timeout_seconds:g} s"
    return f"was ended by {end.signal}" if end.signal else f"exited with {end.code}"
