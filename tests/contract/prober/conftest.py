"""The prober's two webs as fixtures."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Iterator

import pytest

from services.verifier.adapters.fakes import FakeProber
from services.verifier.adapters.http_prober import HttpProber
from shared.clock import SystemClock
from tests.contract.prober.webs import MADE_UP, FakeWeb, RawServer, RealWeb, Web, names


@pytest.fixture
async def server() -> AsyncIterator[RawServer]:
    raw = RawServer()
    listening = await asyncio.start_server(raw.serve, "127.0.0.1", 0)
    raw.port = listening.sockets[0].getsockname()[1]
    yield raw
    raw.released.set()
    listening.close()
    await listening.wait_closed()


@pytest.fixture
def silent_port() -> Iterator[int]:
    """Give a port on which nobody listens, and nobody can: it is ours."""
    with socket.socket() as ours:
        ours.bind(("127.0.0.1", 0))
        yield ours.getsockname()[1]


@pytest.fixture(scope="session")
def trusted() -> ssl.SSLContext:
    """Read the machine's certificates once: it takes longer than a test."""
    return ssl.create_default_context()


@pytest.fixture
async def http_prober(trusted: ssl.SSLContext) -> AsyncIterator[HttpProber]:
    prober = HttpProber(SystemClock(), names, trusted)
    yield prober
    await prober.close()


@pytest.fixture(params=["http", "fake"])
def web(request: pytest.FixtureRequest, server: RawServer, http_prober: HttpProber) -> Web:
    base = f"http://127.0.0.1:{server.port}"
    if request.param == "http":
        return RealWeb(http_prober, server, base)
    return FakeWeb(FakeProber(names=MADE_UP), base)
