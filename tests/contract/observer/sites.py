"""One release's processes, twice: as a shim runs them, and as the fake observer is told of them."""

import os
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from services.verifier.adapters.fakes import FakeObserver
from services.verifier.adapters.local_observer import LocalObserver
from services.verifier.adapters.observer import Observer
from services.verifier.signals import Signals
from shared.clock import SystemClock
from shared.events import Diagnostics, LocalPlace, LogLine
from shared.process import LocalProcesses, ProcessSpec
from tests.integration.process.conftest import until

PATH = "/usr/bin:/bin"
TOLD_OF = LocalPlace(lives="/lives", files="/files")
TALKS = 'echo ready; read word < "$GATE"; echo "$word" >&2; exit 3'


class Site(Protocol):
    """Where a release runs."""

    @property
    def observer(self) -> Observer: ...

    @property
    def place(self) -> LocalPlace: ...

    async def start(self) -> None:
        """Start a process of the release, the next one, and have it say that it is ready."""
        ...

    async def end(self) -> None:
        """Have it say "done" and exit with 3."""
        ...


@dataclass(slots=True)
class LocalSite:
    """A site on this machine."""

    folder: Path
    processes: LocalProcesses = field(default_factory=LocalProcesses)
    lives: int = 0

    @property
    def observer(self) -> LocalObserver:
        return LocalObserver(self.processes, SystemClock())

    @property
    def place(self) -> LocalPlace:
        return LocalPlace(lives=str(self.folder / "lives"), files=str(self.folder))

    @property
    def process(self) -> Path:
        """Return the folder of the latest process."""
        return self.folder / "lives" / str(self.lives) / "process"

    @property
    def _gate(self) -> Path:
        return self.folder / "gate"

    async def start(self) -> None:
        await self.run("sh", "-c", TALKS)
        await self.until_said("ready")

    async def run(self, *argv: str) -> None:
        """Start a process of the release, whatever it does."""
        with suppress(FileExistsError):
            os.mkfifo(self._gate)
        self.lives += 1
        env = {"PATH": PATH, "GATE": str(self._gate)}
        await self.processes.start(self.process, ProcessSpec(argv, self.folder, env, keep_alive=True))

    async def end(self) -> None:
        await self.say("done")
        await self.processes.wait(self.process)

    async def say(self, word: str) -> None:
        """Let it read a word."""
        gate = os.open(self._gate, os.O_RDWR)
        os.write(gate, f"{word}\n".encode())
        await self.until_said(word)
        os.close(gate)

    async def until_said(self, text: str, times: int = 1) -> None:
        """Wait until it has said so, that often."""
        await until(lambda: self.said.count(text) >= times)

    @property
    def said(self) -> list[str]:
        """Return the lines of the latest process."""
        return [line.text for line in self.processes.tail(self.process, 1000)]

    async def close(self) -> None:
        for number in range(1, self.lives + 1):
            await self.processes.stop(self.folder / "lives" / str(number) / "process")
        self.processes.close()


@dataclass(slots=True)
class FakeSite:
    """A site that is only told of."""

    observer: FakeObserver = field(default_factory=FakeObserver)
    place: LocalPlace = TOLD_OF
    lives: int = 0

    async def start(self) -> None:
        self.lives += 1
        self.observer.seen["/lives"] = Signals("running", restarts=self.lives - 1)
        self._find(Diagnostics(at=SystemClock().now(), process="running", restarts=self.lives - 1), "ready")

    async def end(self) -> None:
        self.observer.seen["/lives"] = Signals("exited", self.lives - 1, running=0, message="exited with 3")
        ended = Diagnostics(at=SystemClock().now(), process="exited", exit_code=3, restarts=self.lives - 1)
        self._find(ended, "ready", "done")

    def _find(self, found: Diagnostics, *said: str) -> None:
        tail = tuple(LogLine(at=found.at, text=text) for text in said)
        self.observer.found["/lives"] = found.model_copy(update={"log_tail": tail})
