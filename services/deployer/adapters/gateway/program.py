"""The gateway's program: its listeners follow the route files whenever it is told to look at them."""

import asyncio
import fcntl
import logging
import os
import resource
import signal
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from services.deployer.adapters.gateway import control, proxy, static_files, tunnel
from services.deployer.adapters.gateway.board import Board, settle
from services.deployer.adapters.gateway.problem import problem
from services.deployer.adapters.gateway.route import Address, Route, read_routes

BACKLOG = 1_024
KEEPALIVE_SECONDS = 75.0  # an idle client connection
ENDING_SECONDS_MAX = 10.0  # for requests in flight when it is told to end
ORPHAN_LOOK_SECONDS = 30.0  # between looks whether the folder still exists
LOG_BYTES_MAX = 1024 * 1024  # of each of two files

log = logging.getLogger("windlass.gateway")


class Gateway:
    """Listeners, and the releases behind them."""

    def __init__(self, folder: Path, session: aiohttp.ClientSession) -> None:
        self._routes = folder / "routes"
        self._session = session
        self._board = Board()
        self._listeners: dict[Address, asyncio.Server] = {}
        self._syncing = asyncio.Lock()
        self._server = web.Server(
            self._answer, handler_cancellation=True, keepalive_timeout=KEEPALIVE_SECONDS, access_log=None
        )

    async def sync(self) -> dict[str, Any]:
        """Make the listeners what the route files say and tell how that went, route by route."""
        async with self._syncing:
            wanted, problems = read_routes(self._routes)
            # A file that cannot be read does not take away what it said before.
            kept = {r.name: r for r in self._board.routes.values() if r.name in problems}
            table = settle({**wanted, **kept}, self._board.routes)
            refused = await self._open(set(table.routes) - set(self._listeners))
            self._board.routes = {a: r for a, r in table.routes.items() if a not in refused}
            self._close(set(self._listeners) - set(self._board.routes))
        unheard = {table.routes[address].name: why for address, why in refused.items()}
        return self._state({**unheard, **table.problems, **problems}, {*wanted, *problems})

    async def drained(self, name: str, release: str, seconds: float) -> bool:
        """Wait until a release owes nothing under a route."""
        return await self._board.drained(name, release, seconds)

    async def end(self) -> None:
        """Take no more requests and finish those in flight."""
        self._close(set(self._listeners))
        self._server.pre_shutdown()
        owed = [
            self._board.drained(route.name, release, ENDING_SECONDS_MAX)
            for route in self._board.routes.values()
            for release in self._board.in_flight(route.name)
        ]
        await asyncio.gather(*owed)
        await self._server.shutdown(0)

    async def _open(self, addresses: set[Address]) -> dict[Address, str]:
        refused: dict[Address, str] = {}
        for host, port in sorted(addresses):
            try:
                listener = await asyncio.get_running_loop().create_server(
                    self._server, host, port, backlog=BACKLOG, reuse_address=True
                )
            except OSError as exc:
                refused[host, port] = os.strerror(exc.errno) if exc.errno else "it is no address of ours"
                log.warning("cannot listen on %s port %d: %s", host, port, refused[host, port])
            else:
                self._listeners[host, port] = listener
                log.info("listens on %s port %d", host, port)
        return refused

    def _close(self, addresses: set[Address]) -> None:
        for address in addresses:
            self._listeners.pop(address).close()
            log.info("listens no more on %s port %d", *address)

    def _state(self, problems: dict[str, str], names: set[str]) -> dict[str, Any]:
        listening = {route.name for route in self._board.routes.values()}
        return {
            name: {
                "listening": name in listening,
                "problem": problems.get(name, ""),
                "in_flight": self._board.in_flight(name),
            }
            for name in sorted(names | listening)
        }

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        transport = request.transport
        if transport is None:  # gone before its turn came
            return web.Response()
        host, port = transport.get_extra_info("sockname")[:2]
        with self._board.serving(self._listener(host, port)) as route:
            if route is None:
                nothing = problem(HTTPStatus.NOT_FOUND, "Nothing is deployed here any more.")
                nothing.force_close()
                return nothing
            return await self._serve(route, request)

    def _listener(self, host: str, port: int) -> Address:
        """Return the address under which a connection was taken: a route may listen on all of them."""
        every = {"0.0.0.0", "::"}  # noqa: S104 - compared, not bound
        candidates = ((host, port), *((each, port) for each in every))
        return next((each for each in candidates if each in self._board.routes), (host, port))

    async def _serve(self, route: Route, request: web.BaseRequest) -> web.StreamResponse:
        if request.method == "CONNECT":
            return problem(HTTPStatus.METHOD_NOT_ALLOWED, "This is no proxy to elsewhere.", route)
        if route.kind == "static":
            return await static_files.serve(route, request)
        if tunnel.is_websocket(request):
            return await tunnel.join(self._session, route, request)
        return await proxy.pass_on(self._session, route, request)


def run(folder: Path, say: Callable[[str], None]) -> None:
    """Be the gateway of a folder, unless there is one; says `ready` or `taken`."""
    lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        say("taken")
        return
    _prepare(folder)
    asyncio.run(_serve_until_told(folder, say))


def _prepare(folder: Path) -> None:
    """Set up the log, and room for as many connections as the machine allows."""
    handler = RotatingFileHandler(folder / "log", maxBytes=LOG_BYTES_MAX, backupCount=1)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    logging.raiseExceptions = False  # a full disk ends the log, not the gateway
    logging.getLogger("aiohttp").setLevel(logging.CRITICAL)  # a line for every malformed request
    (folder / "routes").mkdir(mode=0o700, exist_ok=True)
    with suppress(OSError, ValueError):
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


async def _serve_until_told(folder: Path, say: Callable[[str], None]) -> None:
    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    async with proxy.open_session() as session:
        gateway = Gateway(folder, session)
        await gateway.sync()
        async with control.listening(folder, gateway, told):
            log.info("process %d serves", os.getpid())
            say("ready")
            await _told_or_orphaned(told, folder / "lock")
            await gateway.end()
    log.info("process %d ended", os.getpid())


async def _told_or_orphaned(told: asyncio.Event, lock: Path) -> None:
    """Wait until it is to end; whose folder was deleted can never be told."""
    while lock.exists():  # noqa: ASYNC240 - one look every half minute
        with suppress(TimeoutError):
            async with asyncio.timeout(ORPHAN_LOOK_SECONDS):
                await told.wait()
                return
    log.warning("the folder is gone, and with it the reason to serve")
