"""The command line against a real server, in this process: the server in a thread with a loop of its own."""

import asyncio
import sys
import threading
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from services.cli.app import main
from shared.events import Event
from shared.web import server as web
from tests.integration.ingest.conftest import ingest
from tests.integration.status.conftest import Town, status
from tests.integration.web import TOKEN, Build, serve
from tests.ports import free_port
from tests.unit.language.sample import SHOP

if TYPE_CHECKING:
    from tests.integration.cli.working_copies import Copy

T = TypeVar("T")


@dataclass(frozen=True)
class Ended:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str


@dataclass
class Office:
    """A running Windlass and its command line."""

    loop: asyncio.AbstractEventLoop
    town: Town
    url: str
    capsys: pytest.CaptureFixture[str]
    monkeypatch: pytest.MonkeyPatch

    def say(self, *events: Event) -> None:
        """Publish events; return once they are all in the read model."""
        self.do(self.town.say(*events))

    def do(self, act: Coroutine[Any, Any, T]) -> T:
        """Have the server's loop do something."""
        return asyncio.run_coroutine_threadsafe(act, self.loop).result(45)

    def windlass(self, *words: str) -> Ended:
        """Run a command as the operator."""
        self.monkeypatch.setattr(sys, "argv", ["windlass", *words])
        self.capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            main()
        printed = self.capsys.readouterr()
        return Ended(int(end.value.code or 0), printed.out, printed.err)


class Server(threading.Thread):
    """Services, usually ingest and status, behind a real HTTP server."""

    def __init__(self, folder: Path, *builds: Build) -> None:
        super().__init__(daemon=True)
        self.folder = folder
        self.builds = builds or (ingest, status)
        self.ready = threading.Event()
        self.end: Callable[[], object] = lambda: None
        self.listener = web.bind("127.0.0.1", free_port())
        self.town: Town
        self.loop: asyncio.AbstractEventLoop

    def run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self.loop = asyncio.get_running_loop()
        over = asyncio.Event()
        async with serve(self.folder, *self.builds) as served:
            server = web.WebServer(served.app)
            serving = asyncio.create_task(server.serve([self.listener]))
            await server.listening.wait()
            self.town = Town(served)
            self.end = lambda: self.loop.call_soon_threadsafe(over.set)
            self.ready.set()
            await over.wait()
            server.end()
            await serving


@pytest.fixture
def office(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Office]:
    """A fresh installation."""
    yield from _open(Server(tmp_path), tmp_path, capsys, monkeypatch)


@pytest.fixture
def status_office(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Office]:
    """One whose ingest is another process, of which the command line does not know."""
    yield from _open(Server(tmp_path, status), tmp_path, capsys, monkeypatch)


def _open(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Office]:
    server.start()
    assert server.ready.wait(45)
    url = web.url_of(server.listener)
    monkeypatch.setenv("WINDLASS_URL", url)
    monkeypatch.setenv("WINDLASS_TOKEN", TOKEN)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    yield Office(server.loop, server.town, url, capsys, monkeypatch)
    server.end()
    server.join(45)
    assert not server.is_alive()
    server.listener.close()


@pytest.fixture
def windlass(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[..., Ended]:
    """The command line of somebody whose home is empty."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("WINDLASS_URL", raising=False)

    def run(*words: str) -> Ended:
        monkeypatch.setattr(sys, "argv", ["windlass", "plan", *words])
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            main()
        printed = capsys.readouterr()
        return Ended(int(end.value.code or 0), printed.out, printed.err)

    return run


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "Copy":
    """A copy with one commit, which is the current folder."""
    from tests.integration.cli.working_copies import FILE, new_copy  # noqa: PLC0415 - it needs us

    copy = new_copy(tmp_path / "shop")
    copy.commit({FILE: SHOP, "app/index": "hello", "README": "a shop"})
    monkeypatch.chdir(copy.folder)
    return copy
