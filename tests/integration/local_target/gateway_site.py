"""A running gateway with releases behind it, for tests that talk HTTP to it."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from multidict import CIMultiDictProxy
from yarl import URL

from services.deployer.adapters.gateway.client import GatewayClient
from services.deployer.adapters.gateway.route import Route
from shared.clock import SystemClock
from tests.ports import free_port

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


@dataclass
class Site:
    """One stable port, and whatever is put behind it."""

    gateway: GatewayClient
    port: int
    name: str = "shop+staging+web"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def serve_folder(self, root: Path, release: str = "r1") -> None:
        self.gateway.set_route(Route(self.name, self.port, "static", release, 1, "c", root=str(root)))
        await self.gateway.sync()

    async def pass_to(self, upstream: int, release: str = "r1") -> None:
        self.gateway.set_route(Route(self.name, self.port, "server", release, 1, "c", upstream_port=upstream))
        await self.gateway.sync()

    async def in_flight(self) -> dict[str, int]:
        return dict((await self.gateway.sync()).routes[self.name].in_flight)

    async def until_in_flight(self, expected: dict[str, int]) -> None:
        async with asyncio.timeout(45):
            while await self.in_flight() != expected:
                await SystemClock().sleep(0.01)

    async def say(self, *chunks: bytes) -> bytes:
        """Send bytes as they are, and return everything that comes back."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        for chunk in chunks:
            writer.write(chunk)
        async with asyncio.timeout(45):
            answer = await reader.read()
        writer.close()
        return answer


@asynccontextmanager
async def release(handler: Handler) -> AsyncIterator[int]:
    """Run an HTTP server on a free port."""
    runner = web.ServerRunner(
        web.Server(handler, access_log=None, handler_cancellation=True), shutdown_timeout=0.1
    )
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield port
    finally:
        await runner.cleanup()


@asynccontextmanager
async def raw_release(answer: bytes) -> AsyncIterator[int]:
    """Run a server that reads a request's head, says `answer` and hangs up."""

    async def reply(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    port = free_port()
    async with await asyncio.start_server(reply, "127.0.0.1", port):
        yield port


@dataclass(frozen=True)
class Answer:
    """An answer, read to its end."""

    status: int
    reason: str
    headers: CIMultiDictProxy[str]
    body: bytes

    @property
    def document(self) -> Any:
        return json.loads(self.body)

    @property
    def release(self) -> str:
        return self.headers.get("Windlass-Release", "")


async def fetch(http: aiohttp.ClientSession, url: str, method: str = "GET", **how: Any) -> Answer:
    """Ask, byte for byte as written, and read the whole answer."""
    exact = URL(url, encoded=True)
    async with http.request(method, exact, allow_redirects=False, **how) as answer:
        return Answer(answer.status, answer.reason or "", answer.headers, await answer.read())


def client() -> aiohttp.ClientSession:
    """Return a client that shows answers as they come."""
    return aiohttp.ClientSession(auto_decompress=False, timeout=aiohttp.ClientTimeout(total=45))
