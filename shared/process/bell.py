"""A worker's end of a folder's bells: a FIFO of its own in `bells/`, which the shim finds there."""

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

from shared.process.shim.bell import FOLDER

READ_BYTES = 4096


class Bell:
    """Hears a folder's shim for everybody in this program who waits for it; other programs have theirs."""

    def __init__(self, folder: Path) -> None:
        self._listeners: set[asyncio.Event] = set()
        self._fd = -1
        self._path = folder / FOLDER
        self._loop = asyncio.get_running_loop()
        with suppress(OSError):  # nothing was prepared there, or there is no room: it is looked at instead
            self._open(folder / FOLDER)
            self._loop.add_reader(self._fd, self._heard)

    @property
    def idle(self) -> bool:
        """Tell whether nobody listens any more."""
        return not self._listeners

    @contextmanager
    def listener(self) -> Iterator[asyncio.Event]:
        """Give an event that is set by every ring."""
        rung = asyncio.Event()
        self._listeners.add(rung)
        try:
            yield rung
        finally:
            self._listeners.discard(rung)

    def ring(self) -> None:
        """Wake everybody who listens."""
        for rung in self._listeners:
            rung.set()

    def close(self) -> None:
        """Stop hearing."""
        if self._fd >= 0:
            with suppress(RuntimeError):  # the loop is closed, and knows it no more
                self._loop.remove_reader(self._fd)
            with suppress(OSError):
                self._path.unlink()  # before the end is closed: one without a reader is a dead one's
            os.close(self._fd)
            self._fd = -1

    def _open(self, bells: Path) -> None:
        """Make a FIFO of our own, seen by the shim only once we have it open."""
        bells.mkdir(mode=0o700, exist_ok=True)
        making = _made(bells)
        try:
            # Both ends, so that opening never waits and the shim's end may come and go.
            self._fd = os.open(making, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
            self._path = bells / str(os.fstat(self._fd).st_ino)  # no other bell here has this number
            making.rename(self._path)
        except OSError:
            making.unlink(missing_ok=True)
            raise

    def _heard(self) -> None:
        with suppress(BlockingIOError):
            os.read(self._fd, READ_BYTES)
        self.ring()


def _made(bells: Path) -> Path:
    """Make a FIFO under a name that no shim rings; workers in other containers may have our process id."""
    for number in count():
        path = bells / f".{os.getpid()}-{number}"
        with suppress(FileExistsError):
            os.mkfifo(path, 0o600)
            return path
    raise AssertionError
