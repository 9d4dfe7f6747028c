"""A real `windlass serve`, and ways to its servers that can be closed."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.ports import free_port

WINDLASS = Path(sys.executable).with_name("windlass")
SECONDS_MAX = 60.0


@dataclass
class Served:
    """One process."""

    folder: Path
    environ: Mapping[str, str]
    port: int = field(default_factory=free_port)
    _process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text("utf-8", "replace")

    def start(self, *services: str) -> None:
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [WINDLASS, "serve", *services, "--port", str(self.port)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment(self.folder, self.environ),
            )

    async def get(self, path: str) -> httpx.Response:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.port}", trust_env=False) as client:
            return await client.get(path, timeout=10)

    async def until(self, path: str, holds: Callable[[httpx.Response], bool]) -> httpx.Response:
        """Ask until the answer is as wanted."""
        answer: httpx.Response | None = None

        async def asked() -> bool:
            nonlocal answer
            assert self._process is not None
            assert self._process.poll() is None, f"it ended: {self.log}"
            with suppress(httpx.TransportError):
                answer = await self.get(path)
                return holds(answer)
            return False

        try:
            await until(asked)
        except TimeoutError:
            raise AssertionError(f"{path} at last: {answer and answer.text}\n{self.log}") from None
        assert answer is not None
        return answer

    def tell(self, number: int) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    async def ended(self) -> int:
        """Wait for its end; tell how it was."""
        process = self._process
        assert process is not None

        async def gone() -> bool:
            return process.poll() is not None

        await until(gone)
        assert process.returncode is not None
        return process.returncode

    def kill(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    """Return once it holds; real processes are polled, with a deadline."""
    async with asyncio.timeout(SECONDS_MAX):
        while not await holds():
            await asyncio.sleep(0.1)


def environment(folder: Path, environ: Mapping[str, str]) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": str(folder), **environ}


class Passage:
    """A way to a server, through a port of its own, that is closed until it is opened."""

    def __init__(self, to: str) -> None:
        self.host, _, port = to.rpartition(":")
        self._to = int(port)
        self.port = free_port()
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", self.port)

    async def close(self) -> None:
        """Cut what goes through it, and let nothing in."""
        if self._server is not None:
            self._server.close()
        for writer in list(self._open):
            writer.transport.abort()
        self._server = None

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(self.host, self._to)
        self._open |= {writer, back}
        with suppress(OSError):
            await asyncio.gather(_pour(reader, back), _pour(there, writer))
        for each in (writer, back):
            self._open.discard(each)
            each.transport.abort()


async def _pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65_536):
        writer.write(data)
        await writer.drain()
    writer.write_eof()


@asynccontextmanager
async def passage(to: str) -> AsyncIterator[Passage]:
    made = Passage(to)
    try:
        yield made
    finally:
        await made.close()


def missing(answer: httpx.Response) -> dict[str, Any]:
    """Return what /readyz says is missing."""
    document: dict[str, Any] = answer.json()
    found: dict[str, Any] = document.get("not_ready", {})
    return found
