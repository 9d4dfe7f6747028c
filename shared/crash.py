"""Named points at which a test may kill this process, as a power cut would.

`WINDLASS_CRASH_AT=name` kills at the first passing of that point, `name#3` at the third.
`WINDLASS_CRASH_TRACE=file` appends each point's name at its first passing, which is how the crash
tests know what there is to crash. Without either, a point costs one comparison.
"""

import os
import signal
from pathlib import Path


class CrashPoints:
    """What the environment asks for, read once at start."""

    def __init__(self, crash_at: str, trace: str) -> None:
        name, _, count = crash_at.partition("#")
        self._name = name
        self._left = int(count or 1)
        self._trace = Path(trace) if trace else None
        self._seen: set[str] = set()
        self._armed = bool(name or trace)

    def passing(self, name: str) -> None:
        """Die here if asked to; else go on."""
        if not self._armed:
            return
        if self._trace and name not in self._seen:
            self._seen.add(name)
            with self._trace.open("a", encoding="utf-8") as trace:
                trace.write(f"{name}\n")
        if name == self._name:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)


_POINTS = CrashPoints("", "")


def arm(crash_at: str, trace: str) -> None:
    """Set the process's crash points; called once, by the program that starts."""
    global _POINTS  # noqa: PLW0603 - a crash is a property of the process
    _POINTS = CrashPoints(crash_at, trace)


def point(name: str) -> None:
    """Mark a place where dying must do no harm; `name` reads service.thing.moment."""
    _POINTS.passing(name)
