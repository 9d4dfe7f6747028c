"""Windlass's side of the gateway: starting or adopting it, and telling it which routes there are."""

import asyncio
import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import services
from services.deployer.adapters.gateway.control import PROCESS_FILE
from services.deployer.adapters.gateway.route import Route, as_json, encode, flush, read_routes, replace_file
from shared.artifacts.folder import disk_faults
from shared.clock import Clock
from shared.crash import point
from shared.faults import TryAgain

START_SECONDS_MAX = 20.0  # it takes 0.6 s on an idle machine
ANSWER_SECONDS_MAX = 5.0  # for a question that asks for no waiting
LOOK_SECONDS = 0.05  # between looks at a gateway that is just starting or ending elsewhere
LOOKS_MAX = 400  # 20 s: as long as a start or an end may take
ANSWER_BYTES_MAX = 4 * 1024 * 1024
ENVIRONMENT = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "LANG": "C.UTF-8",
    "SSL_CERT_FILE": os.devnull,  # aiohttp would read the machine's certificates: 80 ms, for no use here
}


@dataclass(frozen=True, slots=True)
class RouteState:
    """How one route does."""

    listening: bool
    problem: str = ""  # why it does not listen as its file says
    in_flight: Mapping[str, int] = field(default_factory=dict)  # release -> requests not yet answered


@dataclass(frozen=True, slots=True)
class GatewayState:
    """What the gateway said last."""

    process: int
    routes: Mapping[str, RouteState]


class Gateway(Protocol):
    """Owns the addresses of local stages. Every verb is safe to repeat."""

    async def ensure_running(self) -> None:
        """Adopt the gateway, or start it. Raises `TryAgain` when it does not come up."""
        ...

    def route(self, name: str) -> Route | None:
        """Return a route as it was last set, by this or an earlier life."""
        ...

    def routes(self) -> Mapping[str, Route]:
        """Return all of them by name."""
        ...

    def set_route(self, route: Route) -> None:
        """Write the route down; it is in force after the next `sync`."""
        ...

    def remove_route(self, name: str) -> None:
        """Forget a route; its address is free after the next `sync`."""
        ...

    async def sync(self) -> GatewayState:
        """Put the routes into force, starting the gateway if need be, and tell how they do."""
        ...

    async def drained(self, name: str, release: str, seconds: float) -> bool:
        """Wait until a release has given its last answer under a route; False: it took too long."""
        ...

    async def shut_down(self) -> None:
        """End the gateway; requests in flight are finished, routes are kept."""
        ...


class NotRunning(Exception):  # noqa: N818 - named for what is the case
    """Nobody takes questions."""


class GatewayClient:
    """The gateway of one folder, as a process of its own."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock
        self._starting = asyncio.Lock()

    async def ensure_running(self) -> None:
        """See `Gateway`."""
        async with self._starting:
            try:
                await self._ask({"ask": "sync"})
            except NotRunning:
                await self._start()

    def route(self, name: str) -> Route | None:
        """See `Gateway`."""
        return self.routes().get(name)

    def routes(self) -> Mapping[str, Route]:
        """See `Gateway`."""
        return read_routes(self._routes)[0]

    def set_route(self, route: Route) -> None:
        """See `Gateway`."""
        with disk_faults(f"writing the route {route.name}"):
            self._routes.mkdir(mode=0o700, parents=True, exist_ok=True)
            replace_file(self._file(route.name), encode(route))

    def remove_route(self, name: str) -> None:
        """See `Gateway`."""
        with disk_faults(f"removing the route {name}"):
            if self._file(name).exists():
                self._file(name).unlink(missing_ok=True)
                flush(self._routes)

    async def sync(self) -> GatewayState:
        """See `Gateway`."""
        answer = await self._ask_running({"ask": "sync"})
        states = {name: RouteState(**state) for name, state in answer["routes"].items()}
        return GatewayState(answer["process"], states)

    async def drained(self, name: str, release: str, seconds: float) -> bool:
        """See `Gateway`. One that has just been started owes nothing."""
        question = {"ask": "drained", "route": name, "release": release, "seconds": seconds}
        try:
            return bool((await self._ask(question, seconds))["drained"])
        except NotRunning:
            return True

    async def shut_down(self) -> None:
        """See `Gateway`; returns when it is gone."""
        async with self._starting:
            with suppress(NotRunning):
                await self._ask({"ask": "end"})
                await self._until_gone()

    @property
    def _routes(self) -> Path:
        return self._folder / "routes"

    def _file(self, name: str) -> Path:
        return self._routes / f"{name}.json"

    async def _ask_running(self, question: Mapping[str, Any]) -> Mapping[str, Any]:
        try:
            return await self._ask(question)
        except NotRunning:
            await self.ensure_running()
        try:
            return await self._ask(question)
        except NotRunning as exc:
            raise TryAgain("the gateway ended right after it was started") from exc

    async def _ask(self, question: Mapping[str, Any], patience: float = 0.0) -> Mapping[str, Any]:
        """Have one question answered; `NotRunning` when nobody is there."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS_MAX + patience):
                answer = await self._converse(json.dumps(question).encode() + b"\n")
        except TimeoutError as exc:
            raise TryAgain(f"the gateway (process {self._process()}) does not answer") from exc
        except (OSError, asyncio.IncompleteReadError) as exc:
            raise NotRunning from exc
        document = json.loads(answer)
        assert isinstance(document, dict), "the gateway answers with objects"
        return document

    async def _converse(self, line: bytes) -> bytes:
        socket = str(as_json(self._folder / PROCESS_FILE).get("control", ""))
        if not socket:
            raise FileNotFoundError
        reader, writer = await asyncio.open_unix_connection(socket, limit=ANSWER_BYTES_MAX)
        try:
            writer.write(line)
            await writer.drain()
            return await reader.readuntil(b"\n")
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def _until_gone(self) -> None:
        for _ in range(LOOKS_MAX):
            if not self._is_locked():
                return
            await self._clock.sleep(LOOK_SECONDS)
        raise TryAgain(f"the gateway (process {self._process()}) was told to end and goes on")

    def _is_locked(self) -> bool:
        """Tell whether a gateway lives, answering or not."""
        with (self._folder / "lock").open("ab") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False

    async def _start(self) -> None:
        """Start it and wait until it serves; one that another process just starts is as good."""
        with disk_faults("starting the gateway"):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            word = await self._spawn()
        point("deployer.gateway.started")
        if word == "taken":
            await self._until_answering()
        elif word != "ready":
            raise TryAgain(f"the gateway did not start: {self._last_words()}")

    async def _spawn(self) -> str:
        """Start the program and return the first word it says."""
        ours, theirs = os.pipe()
        try:
            with (self._folder / "log").open("ab") as log:
                starter = subprocess.Popen(  # noqa: ASYNC220 - it is gone in a moment: see __main__.py
                    [sys.executable, "-P", "-m", __package__, str(self._folder.absolute()), str(theirs)],
                    cwd=self._folder,
                    env={**ENVIRONMENT, "PYTHONPATH": str(_source_root())},
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    pass_fds=(theirs,),
                    start_new_session=True,
                )
        finally:
            os.close(theirs)
        try:
            return await _first_word(ours)
        finally:
            starter.kill()  # only the part that was to detach itself, if it has not
            starter.wait()

    async def _until_answering(self) -> None:
        for _ in range(LOOKS_MAX):
            try:
                await self._ask({"ask": "sync"})
            except NotRunning:
                await self._clock.sleep(LOOK_SECONDS)
            else:
                return
        raise TryAgain(f"the gateway (process {self._process()}) holds its lock and takes no questions")

    def _process(self) -> object:
        return as_json(self._folder / PROCESS_FILE).get("process", "?")

    def _last_words(self) -> str:
        with suppress(OSError):
            lines = (self._folder / "log").read_text("utf-8", "replace").splitlines()
            return lines[-1] if lines else "it said nothing"
        return "it left no log"


async def _first_word(descriptor: int) -> str:
    """Read what is said on a pipe until its first pause, and close it; empty: it was closed unsaid."""
    loop = asyncio.get_running_loop()
    spoken = asyncio.Event()
    loop.add_reader(descriptor, spoken.set)
    try:
        async with asyncio.timeout(START_SECONDS_MAX):
            await spoken.wait()
        return os.read(descriptor, 64).decode().strip()
    except TimeoutError as exc:
        raise TryAgain(f"the gateway did not start within {START_SECONDS_MAX:g} s") from exc
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)


def _source_root() -> Path:
    """Return the folder that holds Windlass's packages."""
    return Path(services.__file__ or "").resolve().parents[1]
