"""PostgreSQL as processes of this machine, by the binaries that the system's packages bring.

It runs with fsync=off: what was committed is with the operating system, so that not even kill -9 of the
server loses it; only a crash of the machine could, and that ends the tests too.
"""

import os
import pwd
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.ports import free_port
from tests.servers.run import NoServer, begin, hold, note_process

VERSION_MIN = 15
PACKAGES = Path("/usr/lib/postgresql")
START_SECONDS_MAX = 20.0
STOP_SECONDS_MAX = 10.0
LOOK_SECONDS = 0.01
SUPERUSER = "windlass"
RUNS_AS = ("postgres", "nobody")  # when we are root, which PostgreSQL refuses to be
INITDB = (
    "--no-sync", "--no-instructions", "--auth=trust", f"--username={SUPERUSER}",
    "--encoding=UTF8", "--locale=C",
)  # fmt: skip
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "fsync": "off",
    "full_page_writes": "off",
    "log_min_messages": "warning",
}


def binaries() -> Path:
    """Return the folder of the newest usable installation."""
    found = [(version, folder) for folder in _folders() if (version := _version(folder)) >= VERSION_MIN]
    if not found:
        raise NoServer(f"no PostgreSQL {VERSION_MIN} or newer in {PACKAGES}, by pg_config or on PATH")
    return max(found, key=lambda each: each[0])[1]


def _folders() -> Iterator[Path]:
    yield from PACKAGES.glob("*/bin")
    if config := shutil.which("pg_config"):
        asked = subprocess.run([config, "--bindir"], capture_output=True, text=True, check=False)
        yield Path(asked.stdout.strip())
    if initdb := shutil.which("initdb"):
        yield Path(initdb).resolve().parent


def _version(folder: Path) -> int:
    """Return the server's major version; 0 where there are clients only."""
    if not (folder / "initdb").exists() or not (folder / "postgres").exists():
        return 0
    asked = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=False)
    number = re.search(r"\d+", asked.stdout)
    return int(number[0]) if number else 0


class OwnPostgres:
    """A server that only the caller uses: stopped, killed, started again on its port and data.

    Every verb blocks until it is done, and is safe to repeat. It ends with the run at the latest.
    """

    def __init__(self, own: Mapping[str, str] | None = None) -> None:
        self._settings = {**SETTINGS, **(own or {})}
        self.port = free_port()
        self._bin = binaries()
        self._user = _user()
        self._folder = Path(tempfile.mkdtemp(prefix="postgres-", dir=begin()))
        self._data = self._folder / "data"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Its administrator's way in."""
        return f"postgresql://{SUPERUSER}@127.0.0.1:{self.port}/postgres"

    @property
    def pid(self) -> int | None:
        """The server's process id, while it runs."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def start(self) -> None:
        """Return when it accepts connections."""
        if not self._data.exists():
            self._lay_out()
        deadline = time.monotonic() + START_SECONDS_MAX
        while self.pid is None or not self._accepts():
            if self.pid is None:
                self._launch()
            if time.monotonic() > deadline:
                raise NoServer(f"PostgreSQL does not start:\n{self._output.read_text()[-4000:]}")
            time.sleep(LOOK_SECONDS)

    def stop(self) -> None:
        """End it in good order, its clients' connections with it."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """End it as the kernel would when memory runs out."""
        self._end(signal.SIGKILL)

    def __enter__(self) -> Self:
        """Start it."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop it."""
        self.stop()

    @property
    def _output(self) -> Path:
        return self._folder / "output.log"

    def _lay_out(self) -> None:
        if self._user:
            shutil.chown(self._folder, self._user)
        command = [str(self._bin / "initdb"), *INITDB, f"--pgdata={self._data}"]
        ended = subprocess.run(
            command, cwd="/", capture_output=True, text=True, check=False, user=self._user, group=self._group,
            extra_groups=[] if self._user else None,
        )  # fmt: skip
        if ended.returncode != 0:
            raise NoServer(f"initdb failed:\n{ended.stdout}{ended.stderr}")

    def _launch(self) -> None:
        settings = [part for name, value in self._settings.items() for part in ("-c", f"{name}={value}")]
        with self._output.open("ab") as output:
            self._process = subprocess.Popen(
                [self._bin / "postgres", "-D", self._data, "-p", str(self.port), *settings],
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                user=self._user,
                group=self._group,
                extra_groups=[] if self._user else None,
            )
        hold(self._process)
        note_process(self._process.pid, signal.SIGINT)  # SIGTERM would wait for its clients to go

    def _accepts(self) -> bool:
        """Read what the server itself notes, as pg_ctl does: line 1 its id, line 8 how far it is."""
        with suppress(OSError, IndexError):
            noted = (self._data / "postmaster.pid").read_text().splitlines()
            return noted[0] == str(self.pid) and noted[7].strip() == "ready"
        return False

    def _end(self, number: signal.Signals) -> None:
        if self._process is None:
            return
        self._process.send_signal(number)
        try:
            self._process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(STOP_SECONDS_MAX)

    @property
    def _group(self) -> int | None:
        return pwd.getpwnam(self._user).pw_gid if self._user else None


def _user() -> str | None:
    """Return whom the server runs as, where it cannot be us."""
    if os.geteuid() != 0:
        return None
    known = {each.pw_name for each in pwd.getpwall()}
    for name in RUNS_AS:
        if name in known:
            return name
    raise NoServer(f"PostgreSQL refuses to run as root, and none of {', '.join(RUNS_AS)} exists")
