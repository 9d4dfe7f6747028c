"""A real `windlass up` for tests: started, killed, ended and cleaned up after, on free ports."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from deploy.demo.ending import end_everything

WINDLASS = Path(sys.executable).with_name("windlass")
READY_SECONDS_MAX = 40.0
END_SECONDS_MAX = 20.0


class NotReady(AssertionError):  # noqa: N818 - named for what is the case
    """The program ended before it was ready."""


@dataclass
class Program:
    """One installation on one data folder, through any number of lives."""

    folder: Path
    port: int
    environ: Mapping[str, str] = field(default_factory=dict)
    _process: subprocess.Popen[bytes] | None = None

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text("utf-8", "replace")

    async def start(self, **environ: str) -> None:
        """Start it and wait until it is ready; raises `NotReady` when it dies before that."""
        self.launch(**environ)
        async with asyncio.timeout(READY_SECONDS_MAX):
            while not await self._answers():
                if self.exit_code is not None:
                    raise NotReady(f"windlass up ended with {self.exit_code}: {self.log[-2000:]}")
                await asyncio.sleep(0.02)

    def launch(self, **environ: str) -> None:
        """Start it without waiting."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [WINDLASS, "up", "--data", str(self.data), "--port", str(self.port)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={"PATH": os.environ["PATH"], "HOME": str(self.folder), **self.environ, **environ},
            )

    @property
    def pid(self) -> int:
        assert self._process is not None, "it was started"
        return self._process.pid

    @property
    def started(self) -> bool:
        return self._process is not None

    @property
    def exit_code(self) -> int | None:
        """Return how it ended, None while it runs."""
        return self._process.poll() if self._process else None

    async def died(self) -> int:
        """Wait until it has ended by itself; return its exit code."""
        async with asyncio.timeout(READY_SECONDS_MAX):
            while (code := self.exit_code) is None:
                await asyncio.sleep(0.01)
        return code

    async def kill(self) -> None:
        """End it as a power cut would."""
        if self._process and self.exit_code is None:
            self._process.send_signal(signal.SIGKILL)
            await self.died()

    async def end(self) -> int:
        """End it as a person would; return its exit code."""
        assert self._process is not None, "it was started"
        with suppress(ProcessLookupError):
            self._process.terminate()
        async with asyncio.timeout(END_SECONDS_MAX):
            return await self.died()

    async def clear(self) -> None:
        """End it and everything that outlives it by design."""
        await self.kill()
        await end_everything(self.data)

    def cli(self, *words: str, timeout: float = 60.0) -> subprocess.CompletedProcess[str]:
        """Run the command line against it."""
        return subprocess.run(
            [WINDLASS, *words, "--data", str(self.data)],
            env={"PATH": os.environ["PATH"], "HOME": str(self.folder)},
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    async def _answers(self) -> bool:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            writer.write(b"GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            answer = await reader.read()
        except OSError:
            return False
        writer.close()
        return b" 200 " in answer.partition(b"\r\n")[0]
