"""The bytes that wake whoever follows."""

import os
import time

BELL_SECONDS = 0.05  # at most twenty rings a second for output
FOREVER = float("inf")
FOLDER = "bells"


class Bell:
    """Wakes whoever follows; nobody need be there.

    Each who does has a FIFO of its own, which is there only while its end is open: a byte in a common
    one would wake only the first of several workers to take it.
    """

    def __init__(self) -> None:
        self._next = 0.0
        self._pending = False

    def due_at(self) -> float:
        """Return when `tick` must be called, on the monotonic clock."""
        return self._next if self._pending else FOREVER

    def soon(self) -> None:
        """Ring now, or as soon as that is not too often."""
        self._pending = True

    def tick(self) -> None:
        """Ring if that was asked for and the time has come."""
        now = time.monotonic()
        if self._pending and now >= self._next:
            self._next = now + BELL_SECONDS
            self.ring()

    def ring(self) -> None:
        """Ring at once."""
        self._pending = False
        try:
            names = os.listdir(FOLDER)
        except OSError:
            return  # nobody has ever listened, or somebody removed the folder under us
        for name in names:
            if not name.startswith("."):
                ring_one(f"{FOLDER}/{name}")


def ring_one(path: str) -> None:
    """Wake one listener; one that was killed is forgotten."""
    try:
        fd = os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as problem:
        if problem.errno == 6:  # ENXIO: nobody has it open; `errno` would be one more import
            forget(path)
        return
    try:
        os.write(fd, b"!")
    except OSError:
        pass  # full of rings that nobody has heard yet: one more says nothing new
    finally:
        os.close(fd)


def forget(path: str) -> None:
    """Remove the FIFO of a worker that is gone."""
    try:
        os.unlink(path)
    except OSError:
        pass  # another ring was faster, or the disk is read-only
