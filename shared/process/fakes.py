"""Processes that exist only in memory, for tests and for simulated time.

What lives in a `FakeProcesses` is the host: it is kept when the service under test is killed and
built anew, as real processes are.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from datetime import datetime
from pathlib import Path

from shared.clock import Clock
from shared.events import LogLine
from shared.process.attempt import (
    Absent,
    Exit,
    Exited,
    ExitReason,
    Lost,
    Observation,
    ProcessSpec,
    Running,
    encode,
)
from shared.process.output import BATCH_LINES_MAX, Batch


class FakeProcess:
    """One process, and the strings a test pulls."""

    def __init__(self, spec: ProcessSpec, clock: Clock) -> None:
        self.spec = spec
        self.lines: list[LogLine] = []
        self.observation: Observation = Running()
        self.promoted = False
        self.restarts = 0
        self.changed = asyncio.Event()  # a new one after every change
        self._clock = clock
        self._started_at: datetime = clock.now()

    def say(self, *texts: str) -> None:
        """Put lines out."""
        self.lines += [LogLine(at=self._clock.now(), text=text) for text in texts]
        self._change()

    def exit(self, code: int = 0) -> None:
        """End by itself; a promoted service is running again at once."""
        if self.spec.keep_alive and self.promoted:
            self.restarts += 1
            self.say(f"windlass: the service exited with {code}; it is started again in 0 s")
        else:
            self.end(code, "", "exited")

    def crash(self, signal: str) -> None:
        """Be ended by a signal that Windlass did not send."""
        self.end(None, signal, "exited")

    def lose(self) -> None:
        """Be gone without a trace, as after a power cut."""
        self._finish(Lost())

    def end(self, code: int | None, signal: str, reason: ExitReason, message: str = "") -> None:
        """End in any way there is."""
        times = (self._started_at, self._clock.now())
        self._finish(Exited(Exit(code, signal, reason, *times, message)))

    def _finish(self, observation: Observation) -> None:
        if isinstance(self.observation, Running):
            self.observation = observation
            self._change()

    def _change(self) -> None:
        self.changed.set()
        self.changed = asyncio.Event()


Program = Callable[[FakeProcess], None]  # what a process does as soon as it is started


def succeed(process: FakeProcess) -> None:
    """Exit with 0 at once."""
    process.exit(0)


def run_on(process: FakeProcess) -> None:
    """Do nothing until a test pulls a string or it is stopped."""


class FakeProcesses:
    """Keeps what `Processes` promises, without a process."""

    def __init__(self, clock: Clock, program: Program = succeed) -> None:
        self.program = program
        self.processes: dict[Path, FakeProcess] = {}  # by folder, in the order of their start
        self._clock = clock
        self._stopped: set[Path] = set()
        self._promoted: set[Path] = set()

    async def start(self, folder: Path, spec: ProcessSpec) -> None:
        """See `Processes`."""
        encode(spec)
        if folder in self.processes:
            return
        process = self.processes[folder] = FakeProcess(spec, self._clock)
        process.promoted = folder in self._promoted
        if folder in self._stopped:
            process.end(None, "", "stopped", "stopped before it started")
        else:
            self.program(process)

    def observe(self, folder: Path) -> Observation:
        """See `Processes`."""
        process = self.processes.get(folder)
        return process.observation if process else Absent()

    async def wait(self, folder: Path) -> Exit | Lost:
        """See `Processes`."""
        process = self.processes.get(folder)
        if process is None:
            raise LookupError(f"nothing was started in {folder.name}")
        while isinstance(process.observation, Running):
            await process.changed.wait()
        seen = process.observation
        return seen.exit if isinstance(seen, Exited) else Lost()

    async def output(self, folder: Path, first_line: int) -> AsyncGenerator[Batch, None]:
        """See `Processes`."""
        process = self.processes.get(folder)
        while process:
            changed = process.changed
            while lines := tuple(process.lines[first_line : first_line + BATCH_LINES_MAX]):
                yield Batch(first_line, lines)
                first_line += len(lines)
            if not isinstance(process.observation, Running):
                return
            await changed.wait()

    def tail(self, folder: Path, lines: int) -> tuple[LogLine, ...]:
        """See `Processes`."""
        process = self.processes.get(folder)
        return tuple(process.lines[-lines:]) if process and lines > 0 else ()

    async def stop(self, folder: Path) -> None:
        """See `Processes`; a fake never needs its grace."""
        self._stopped.add(folder)
        if process := self.processes.get(folder):
            process.end(None, "SIGTERM", "stopped", "stopped; ended by signal 15")

    def promote(self, folder: Path) -> None:
        """See `Processes`."""
        self._promoted.add(folder)
        if process := self.processes.get(folder):
            process.promoted = True
