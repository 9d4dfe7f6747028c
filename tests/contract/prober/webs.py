"""One web, served twice: by a real server on a free port, and by the fake.

The same pages and the same probes go to both, so whatever a test says holds for both.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol

from services.verifier.adapters.fakes import FakeProber, Page
from services.verifier.adapters.http_prober import HttpProber, resolve_host
from services.verifier.adapters.prober import Prober
from services.verifier.probe import Connection, Probe

MADE_UP = {"metadata.example": ["169.254.169.254"], "inside.example": ["127.0.0.1"]}
AMPLE = 30.0  # for whatever answers, however slow the machine
FOR_EVER = 60.0  # longer than any probe of these tests waits


@dataclass(slots=True)
class RawServer:
    """An HTTP server that can also be wrong: it writes bytes, and keeps what it was sent."""

    pages: dict[str, Page | bytes] = field(default_factory=dict)  # bytes are sent as they stand
    pause_seconds: float = 0.0  # after each byte
    requests: list[str] = field(default_factory=list)
    port: int = 0
    released: asyncio.Event = field(default_factory=asyncio.Event)  # ends every answer that hangs
    sent: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            self.requests.append(head)
            page = self.pages.get(head.split(" ")[1].partition("?")[0], Page(404))
            if isinstance(page, Page) and page.after_seconds:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self.released.wait(), page.after_seconds)
        except (ConnectionError, asyncio.IncompleteReadError):
            writer.close()
            return
        await self._write(writer, page)

    async def _write(self, writer: asyncio.StreamWriter, page: Page | bytes) -> None:
        data = _rendered(page) if isinstance(page, Page) else page
        piece = 1 if self.pause_seconds else 65_536
        try:
            for start in range(0, len(data), piece):
                writer.write(data[start : start + piece])
                await writer.drain()
                self.sent += piece
                if self.pause_seconds:
                    with suppress(TimeoutError):
                        await asyncio.wait_for(self.released.wait(), self.pause_seconds)
        except ConnectionError:
            pass
        finally:
            writer.close()


def _rendered(page: Page) -> bytes:
    body = page.body.encode()
    head = [f"HTTP/1.1 {page.status} Said", f"Content-Length: {len(body)}", "Set-Cookie: seen=yes"]
    head += [f"Windlass-Release: {page.release}"] if page.release else []
    head += [f"Location: {page.location}"] if page.location else []
    head += [f"{name}: {value}" for name, value in page.headers.items()]
    return "\r\n".join([*head, "", ""]).encode() + body


class Web(Protocol):
    """Where the pages of a test are."""

    @property
    def prober(self) -> Prober: ...

    @property
    def base(self) -> str: ...

    def put(self, path: str, page: Page) -> None: ...

    def asked(self) -> Sequence[str]:
        """Return what was connected to: a path, or the URL where it lies elsewhere."""
        ...


@dataclass(slots=True)
class RealWeb:
    prober: HttpProber
    server: RawServer
    base: str

    def put(self, path: str, page: Page) -> None:
        self.server.pages[path] = page

    def asked(self) -> Sequence[str]:
        return [head.split(" ")[1] for head in self.server.requests]


@dataclass(slots=True)
class FakeWeb:
    prober: FakeProber
    base: str

    def put(self, path: str, page: Page) -> None:
        self.prober.pages[f"{self.base}{path}"] = page
        self.prober.pages[f"{self.base.replace('127.0.0.1', 'inside.example')}{path}"] = page

    def asked(self) -> Sequence[str]:
        return [url.removeprefix(self.base) for url in self.prober.asked]


async def names(host: str, port: int) -> Sequence[str]:
    """Resolve the names of the tests, and the machine's own."""
    return MADE_UP.get(host) or await resolve_host(host, port)


def probe(url: str, *, seconds: float = AMPLE, private: bool = True, follow: bool = False) -> Probe:
    """Return a probe as a local stage would ask for it."""
    return Probe(url, seconds, private_addresses=private, follow_redirects=follow)


def connection(host: str, port: int, *, seconds: float = AMPLE, private: bool = True) -> Connection:
    """Return a connection as a local stage would ask for it."""
    return Connection(host, port, seconds, private_addresses=private)
