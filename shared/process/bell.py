"""A worker's end of a folder's bell."""

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

READ_BYTES = 4096


class Bell:
    """Hears a folder's bell for everybody in this program who waits for it.

    One reader, since a ring is a byte that only one can take.
    """

    def __init__(self, path: Path) -> None:
        self._listeners: set[asyncio.Event] = set()
        self._fd = -1
        self._loop = asyncio.get_running_loop()
        with suppress(FileNotFoundError):  # nothing was prepared there: nobody will ring
            self._fd = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
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
            self._loop.remove_reader(self._fd)
            os.close(self._fd)
            self._fd = -1

    def _heard(self) -> None:
        with suppress(BlockingIOError):
            os.read(self._fd, READ_BYTES)
        self.ring()
