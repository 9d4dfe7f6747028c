"""The byte that wakes whoever follows."""

import os
import time

BELL_SECONDS = 0.05  # at most twenty rings a second for output
FOREVER = float("inf")


class Bell:
    """Wakes whoever follows; nobody need be there."""

    def __init__(self) -> None:
        try:
            os.mkfifo("bell", 0o600)
        except FileExistsError:
            pass
        # Both ends, so that opening never waits and a ring is kept until somebody listens.
        self._fd = os.open("bell", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
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
            os.write(self._fd, b"!")
        except OSError:
            pass  # full of rings that nobody has heard yet: one more says nothing new
