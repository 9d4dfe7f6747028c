"""The one HTTP server of the process: the address it takes, and how it ends."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

from shared.web.counting import Counted
from shared.web.faults import CannotStart
from shared.web.last_answers import LastAnswers

HOST_CHARACTERS_MAX = 100  # of a wrong one, repeated in the complaint
BACKLOG = 2_048  # connections the kernel keeps waiting
GRACE_SECONDS = 1  # for requests in hand, streams among them, when the program is told to end
KEEP_ALIVE_SECONDS = 75


def bind(host: str, port: int) -> socket.socket:
    """Take the address before anything else is begun; nobody is answered until the server runs."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
    except (OSError, UnicodeError) as error:  # the latter: it is not even like a name
        raise CannotStart(f"{host[:HOST_CHARACTERS_MAX]!a} is not an address of this machine.") from error
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
    except OSError as error:
        listener.close()
        raise CannotStart(
            f"Cannot listen on {host} port {port}: {error.strerror}. Name another with --port; 0 takes any "
            "that is free."
        ) from error
    return listener


def url_of(listener: socket.socket) -> str:
    """Return how this machine reaches the server."""
    host, port = listener.getsockname()[:2]
    if host in {"0.0.0.0", "::"}:  # noqa: S104 - every address, so loopback too
        host = "127.0.0.1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


Listener = socket.socket


class WebServer(uvicorn.Server):
    """A uvicorn that leaves the process's signals to the program around it."""

    def __init__(self, app: ASGIApp) -> None:
        super().__init__(
            uvicorn.Config(
                LastAnswers(Counted(app)),
                http="httptools",
                ws="none",
                loop="none",
                lifespan="off",
                access_log=False,
                log_config=None,
                server_header=False,
                backlog=BACKLOG,
                timeout_keep_alive=KEEP_ALIVE_SECONDS,
                timeout_graceful_shutdown=GRACE_SECONDS,
            )
        )
        self.listening = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, and say so."""
        await super().startup(sockets)
        self.listening.set()

    def end(self) -> None:
        """Take no more requests; those in hand have a moment to end."""
        self.should_exit = True
