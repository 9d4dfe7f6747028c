"""A process of ours that serves HTTP: started, killed, frozen, ended, through any number of lives."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

WINDLASS = Path(sys.executable).with_name("windlass")
READY_SECONDS_MAX = 40.0
END_SECONDS_MAX = 20.0
LOOK_SECONDS = 0.02


class NotReady(AssertionError):  # noqa: N818 - named for what is the case
    """The program ended before it was ready."""


@dataclass
class ServerProcess:
    """A `windlass` command that answers `/readyz`."""

    words: Sequence[str]  # after `windlass`
    folder: Path  # its home, and where its log goes
    port: int
    environ: Mapping[str, str] = field(default_factory=dict)
    name: str = "log"  # of its log file
    _process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        return (self.folder / self.name).read_text("utf-8", "replace")

    @property
    def pid(self) -> int:
        assert self._process is not None, "it was started"
        return self._process.pid

    @property
    def started(self) -> bool:
        return self._process is not None

    @property
    def running(self) -> bool:
        return self.started and self.exit_code is None

    @property
    def exit_code(self) -> int | None:
        """Return how it ended, None while it runs."""
        return self._process.poll() if self._process else None

    async def start(self, *, seconds_max: float = READY_SECONDS_MAX, **environ: str) -> None:
        """Start it and wait until it is ready; raises `NotReady` when it dies before that."""
        self.launch(**environ)
        await self.ready(seconds_max)

    def launch(self, **environ: str) -> None:
        """Start it without waiting."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / self.name).open("ab") as log:
            self._process = subprocess.Popen(
                [WINDLASS, *self.words],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={"PATH": os.environ["PATH"], "HOME": str(self.folder), **self.environ, **environ},
            )

    async def ready(self, seconds_max: float = READY_SECONDS_MAX) -> None:
        """Wait until it is ready; raises `NotReady` when it dies before that."""
        answer = ""
        try:
            async with asyncio.timeout(seconds_max):
                while not (answer := await self.answer("/readyz")).startswith("200"):
                    if self.exit_code is not None:
                        raise NotReady(f"{self._called} ended with {self.exit_code}: {self.log[-2000:]}")
                    await asyncio.sleep(LOOK_SECONDS)
        except TimeoutError:
            raise NotReady(f"{self._called} is not ready: {answer or 'no answer'}") from None

    async def died(self, seconds_max: float = READY_SECONDS_MAX) -> int:
        """Wait until it has ended by itself; return its exit code."""
        async with asyncio.timeout(seconds_max):
            while (code := self.exit_code) is None:
                await asyncio.sleep(LOOK_SECONDS / 2)
        return code

    async def kill(self) -> None:
        """End it as a power cut would."""
        if self._process and self.exit_code is None:
            self.signal(signal.SIGKILL)
            await self.died()

    async def end(self, seconds_max: float = END_SECONDS_MAX) -> int:
        """End it as a person would; return its exit code."""
        self.signal(signal.SIGTERM)
        return await self.died(seconds_max)

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal, if it is still there."""
        assert self._process is not None, "it was started"
        with suppress(ProcessLookupError):
            self._process.send_signal(number)

    async def answer(self, path: str) -> str:
        """Return the status and body of its answer, the empty string where there is none."""
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            writer.write(b"GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" % path.encode())
            answer = await reader.read()
        except OSError:
            return ""
        writer.close()
        head, _, body = answer.decode("utf-8", "replace").partition("\r\n\r\n")
        return f"{head.partition(' ')[2].partition(' ')[0]} {body}" if head else ""

    @property
    def _called(self) -> str:
        return f"windlass {' '.join(self.words)}"
