"""A party's program and all that comes of it, held so that it can be measured, killed and ended whole."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.parties import processes
from benchmarks.parties.processes import Memory
from benchmarks.suite import Unavailable

PROJECT = Path(__file__).resolve().parents[2]
SAID_OF_LOG = 2000  # characters of its end, where something is wrong


@dataclass
class Held:
    """One program in one folder, through any number of lives."""

    folder: Path
    words: Sequence[str]
    environ: Mapping[str, str]
    log_name: str = "bench.log"
    pid: int = 0  # of the program itself, in its present life
    begun: float = 0.0  # when that began, by `time.monotonic`
    _holders: list[Process] = field(default_factory=list)  # one a life: orphans stay with theirs

    async def start(self) -> None:
        """Start the program, without waiting until it is of any use."""
        if not sys.platform.startswith("linux"):
            raise Unavailable("the processes of a party are only seen whole on Linux: measure there")
        self.folder.mkdir(parents=True, exist_ok=True)
        holding = (sys.executable, "-m", "benchmarks.parties.holder", str(self.folder), str(self.log_file))
        with self.log_file.open("ab") as log:
            holder = await asyncio.create_subprocess_exec(
                *(*holding, *self.words),
                cwd=PROJECT,
                env=self.environ,
                stdin=DEVNULL,
                stdout=PIPE,
                stderr=log,
                start_new_session=True,  # a Ctrl-C is not for it: it would leave what it holds
            )
        self._holders.append(holder)
        assert holder.stdout is not None, "it is a pipe"
        said = await holder.stdout.readline()
        if not said:
            raise Unavailable(f"{self.words[0]} cannot be started: {self.log}")
        pid, begun = said.split()
        self.pid, self.begun = int(pid), float(begun)

    @property
    def log_file(self) -> Path:
        """Return the file that the program's output goes to."""
        return self.folder / self.log_name

    @property
    def log(self) -> str:
        """Return the end of what the program said."""
        if not self.log_file.exists():
            return "it said nothing"
        return self.log_file.read_text("utf-8", "replace")[-SAID_OF_LOG:]

    @property
    def alive(self) -> bool:
        """Tell whether the program itself runs."""
        return (processes.PROC / str(self.pid)).exists()  # its holder buries it at once

    @property
    def cpu_seconds(self) -> float:
        """Return the CPU time of this life and its processes so far, of ended ones too."""
        return processes.cpu_seconds(self._holders[-1].pid)

    @property
    def memory(self) -> Memory:
        """Return what all processes of this life occupy now."""
        return processes.memory(self._holders[-1].pid)

    def kill(self) -> None:
        """End the program as a power cut would, and only it."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)

    def freeze(self) -> None:
        """Hold everything of this life where it stands, so that it costs nothing."""
        self._signal_all(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let everything of this life go on."""
        self._signal_all(signal.SIGCONT)

    async def end(self) -> None:
        """End everything of every life."""
        for holder in self._holders:
            with suppress(ProcessLookupError):
                holder.terminate()
        for holder in self._holders:
            await holder.wait()
        self._holders.clear()

    def _signal_all(self, number: signal.Signals) -> None:
        for each in processes.descendants(self._holders[-1].pid, processes.all_seen()):
            with suppress(ProcessLookupError):
                os.kill(each.pid, number)
