"""A real `windlass up` on a data folder of the demo's, and the real command line beside it."""

import asyncio
import fcntl
import json
import os
import re
import signal
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deploy.demo.ending import end_everything
from deploy.demo.windlass import NotWorking, command, environment, program

READY = re.compile(r"Windlass is ready at (http://\S+)")
START_SECONDS_MAX = 60.0
END_SECONDS_MAX = 30.0
LOOK_SECONDS = 0.02
LOG_LINES_SHOWN = 25


@dataclass(slots=True)
class Installation:
    """One Windlass."""

    folder: Path  # everything of the demo lies in it
    url: str = ""
    token: str = field(default="", repr=False)
    _process: subprocess.Popen[bytes] | None = None

    @property
    def data(self) -> Path:
        """Return the data folder."""
        return self.folder / "data"

    @property
    def log(self) -> Path:
        """Return where the server's log goes."""
        return self.folder / "windlass.log"

    @property
    def came_by(self) -> str:
        """Return what was typed to have it."""
        return "windlass up --port 0"

    async def start(self) -> None:
        """Start `windlass up` and wait until it is ready."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: ASYNC220 - not asyncio's: it may outlive the demo
                [*program(), "up", "--data", str(self.data), "--port", "0"],
                cwd=self.folder,
                env=environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            async with asyncio.timeout(START_SECONDS_MAX):
                self.url = await self._readiness(self._process)
        except TimeoutError:
            raise NotWorking(f"`windlass up` was not ready within {START_SECONDS_MAX:g} s") from None
        self.token = json.loads((self.data / "client.json").read_bytes())["token"]

    async def command(self, *words: str) -> Any:
        """Run a `windlass` command and return the JSON it prints."""
        return await command(self.folder, {}, *words, "--data", str(self.data))

    async def end(self) -> None:
        """End `windlass up`, then what outlives it."""
        if self._process is not None:
            await _end(self._process)
        await end_everything(self.data)

    def obituary(self) -> str:
        """Say that the server has ended before it was told to; empty if it has not."""
        code = self._process.poll() if self._process else None
        return "" if code is None else f"`windlass up` has ended with {code}"

    def last_words(self) -> Sequence[str]:
        """Return the end of the server's log."""
        with suppress(OSError):
            return self.log.read_text("utf-8", "replace").splitlines()[-LOG_LINES_SHOWN:]
        return []

    async def _readiness(self, process: subprocess.Popen[bytes]) -> str:
        while True:
            if found := READY.search(self.log.read_text("utf-8", "replace")):
                return found[1]
            if process.poll() is not None:
                raise NotWorking(f"`windlass up` ended with {process.returncode}")
            await asyncio.sleep(LOOK_SECONDS)


async def stop(folder: Path) -> int:
    """End what an earlier demo left running in its folder; return how many processes that was."""
    data = folder / "data"
    process = _holder(data / "lock")
    if process is not None:
        os.kill(process, signal.SIGTERM)
        with suppress(TimeoutError):
            async with asyncio.timeout(END_SECONDS_MAX):
                while _lives(process):  # noqa: ASYNC110 - another process's doing
                    await asyncio.sleep(LOOK_SECONDS)
    return int(process is not None) + await end_everything(data)


def _holder(lock: Path) -> int | None:
    """Return the process that holds a data folder."""
    with lock.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return int(file.read())
    return None


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


async def _end(process: subprocess.Popen[bytes]) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is None:
            process.send_signal(number)
        with suppress(TimeoutError):
            async with asyncio.timeout(END_SECONDS_MAX):
                while process.poll() is None:  # noqa: ASYNC110 - another process's doing
                    await asyncio.sleep(LOOK_SECONDS)
                return
