"""The containers' own programs: the health check, the password, and waiting for servers."""

import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from deploy.images import password, ready
from deploy.images.setup import until_answered
from shared.faults import Refused, TryAgain

NOT_READY = b'{"title": "Not ready", "detail": "bus: the brokers do not answer"}'


class Health(BaseHTTPRequestHandler):
    """Answers /readyz with what the server was told to."""

    answer = (200, b'{"status": "ready"}')

    def do_GET(self) -> None:
        status, body = self.answer if self.path == "/readyz" else (404, b"")
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name above
        """Say nothing."""


@pytest.fixture
def process() -> Iterator[type[Health]]:
    """Give a process whose answer can be chosen; `port` is where it is."""
    handler = type("Chosen", (Health,), {})
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        handler.port = server.server_port  # type: ignore[attr-defined]
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield handler
        server.shutdown()
        thread.join()


def _why_not(process: type[Health], status: int, body: bytes) -> str:
    process.answer = (status, body)
    return ready.why_not(process.port)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        pytest.param(200, b'{"status": "ready"}', "", id="ready"),
        pytest.param(503, NOT_READY, "503: bus: the brokers do not answer", id="the reason is told"),
        pytest.param(503, b"<html>", "503: no reason given", id="no problem document"),
        pytest.param(503, b"[1]", "503: no reason given", id="no object"),
        pytest.param(404, b"", "404: no reason given", id="another program"),
    ],
)
def test_a_process_is_healthy_when_it_says_so(
    process: type[Health], status: int, body: bytes, reason: str
) -> None:
    assert _why_not(process, status, body) == reason


def test_a_process_that_speaks_something_else_is_not_healthy() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        thread = Thread(target=_greet, args=(listener,))
        thread.start()
        assert ready.why_not(port) == f"no HTTP on port {port}"
        thread.join()


def _greet(listener: socket.socket) -> None:
    connection, _ = listener.accept()
    with connection:
        connection.recv(1024)
        connection.sendall(b"220 mail.example ESMTP\r\n")


def test_a_process_that_does_not_answer_is_not_healthy(
    process: type[Health], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as gone:
        port = gone.server_port
    monkeypatch.setattr("sys.argv", ["ready", str(port)])
    assert ready.main() == 1
    assert f"no answer on port {port}" in capsys.readouterr().out


def test_the_first_start_makes_a_password_for_both_sides(tmp_path: Path) -> None:
    assert password.ensure(tmp_path)
    made = (tmp_path / password.PASSWORD_FILE).read_text()
    assert len(made) >= 40
    assert (tmp_path / password.PGPASS_FILE).read_text() == f"*:*:windlass:windlass:{made}\n"
    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    assert modes == {password.PASSWORD_FILE: 0o440, password.PGPASS_FILE: 0o600}


def test_two_installations_have_passwords_of_their_own(tmp_path: Path) -> None:
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        password.ensure(tmp_path / name)
    texts = [(tmp_path / name / password.PASSWORD_FILE).read_text() for name in ("one", "other")]
    assert texts[0] != texts[1]


def test_a_password_that_is_there_stays(tmp_path: Path) -> None:
    password.ensure(tmp_path)
    before = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert not password.ensure(tmp_path)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == before


def test_what_a_killed_start_left_out_is_made_good(tmp_path: Path) -> None:
    password.ensure(tmp_path)
    whole = (tmp_path / password.PGPASS_FILE).read_text()
    (tmp_path / password.PGPASS_FILE).unlink()
    (tmp_path / f".{password.PGPASS_FILE}.part").write_text("half")
    assert not password.ensure(tmp_path)
    assert (tmp_path / password.PGPASS_FILE).read_text() == whole
    assert {path.name for path in tmp_path.iterdir()} == {password.PASSWORD_FILE, password.PGPASS_FILE}


def test_a_file_that_is_no_password_is_not_replaced_in_silence(tmp_path: Path) -> None:
    (tmp_path / password.PASSWORD_FILE).write_text("short")
    with pytest.raises(SystemExit, match="no password that was made here"):
        password.ensure(tmp_path)
    assert (tmp_path / password.PASSWORD_FILE).read_text() == "short"


class PassingClock:
    """A clock on which only sleeping takes time."""

    def __init__(self) -> None:
        self.at = datetime(2026, 1, 1, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)

    async def sleep_until(self, at: datetime) -> None:
        self.at = max(self.at, at)


async def test_servers_that_are_not_there_yet_are_waited_for() -> None:
    faults = [TryAgain("not yet"), TryAgain("not yet")]

    async def ask() -> str:
        if faults:
            raise faults.pop()
        return "there"

    assert await until_answered(ask, clock=PassingClock(), seconds=5) == "there"


async def test_servers_are_not_waited_for_for_ever() -> None:
    clock = PassingClock()

    async def ask() -> str:
        raise TryAgain("the brokers are away")

    with pytest.raises(TryAgain, match="the brokers are away"):
        await until_answered(ask, clock=clock, seconds=5)
    assert clock.at == datetime(2026, 1, 1, 0, 0, 5, tzinfo=UTC)


async def test_what_cannot_be_mended_by_waiting_is_told_at_once() -> None:
    clock = PassingClock()

    async def ask() -> str:
        raise Refused("the password is wrong")

    with pytest.raises(Refused, match="the password is wrong"):
        await until_answered(ask, clock=clock, seconds=5)
    assert clock.at == datetime(2026, 1, 1, tzinfo=UTC)
