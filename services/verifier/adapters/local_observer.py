"""Looks at releases on this machine: at the folders of their processes, and at what the kernel says.

A release that lies on another machine's disk cannot be seen, and nothing is said of it.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from services.verifier.signals import Process, Signals
from shared.clock import Clock
from shared.events import Diagnostics, LocalPlace, LogLine
from shared.events.evidence import LOG_LINE_CHARACTERS_MAX, LOG_TAIL_LINES_MAX
from shared.process import Absent, Exit, Exited, Lost, Observation, Processes, Running
from shared.process.folder import awaits_restart, restarts
from shared.process.sockets import listening_addresses, takes_connections


@dataclass(frozen=True, slots=True)
class Lives:
    """The processes of a release, the latest last: the folder of each, and the latest one's number."""

    folders: Sequence[Path]
    number: int

    @property
    def latest(self) -> Path | None:
        """Return the folder of the latest process."""
        return self.folders[-1] if self.folders else None

    @property
    def restarts(self) -> int:
        """Return how many processes were started after the first: by their shims, or after them."""
        return max(self.number - 1, 0) + sum(restarts(folder) for folder in self.folders)


@dataclass(frozen=True, slots=True)
class LocalObserver:
    """The observer of a running Windlass."""

    processes: Processes
    clock: Clock

    async def signals(self, place: LocalPlace) -> Signals | None:
        """See `Observer`: a few small files, read at once."""
        with suppress(OSError, ValueError):
            lives = _lives(place)
            if lives is not None:
                return self._signals(lives)
        return None

    async def diagnostics(self, place: LocalPlace) -> Diagnostics | None:
        """See `Observer`."""
        with suppress(OSError, ValueError):
            lives = _lives(place)
            if lives is not None:
                return self._diagnostics(lives)
        return None

    async def takes_connections(self, place: LocalPlace, host: str, port: int) -> bool | None:
        """See `Observer`. In a thread, for a service may have any number of files open."""
        with suppress(OSError, ValueError):
            lives = _lives(place)
            if lives is not None and lives.latest is not None:
                return await asyncio.to_thread(takes_connections, lives.latest, host, port)
        return None

    def _signals(self, lives: Lives) -> Signals:
        latest = lives.latest
        seen = self.processes.observe(latest) if latest else Absent()
        if isinstance(seen, Running) and latest and not awaits_restart(latest):
            return Signals("running", restarts=lives.restarts)
        return Signals(_process(seen), lives.restarts, running=0, message=_how(seen))

    def _diagnostics(self, lives: Lives) -> Diagnostics:
        latest = lives.latest
        seen = self.processes.observe(latest) if latest else Absent()
        end = seen.exit if isinstance(seen, Exited) else None
        return Diagnostics(
            at=self.clock.now(),
            process=_process(seen),
            exit_code=end.code if end else None,
            signal=end.signal if end else "",
            restarts=lives.restarts,
            listening=tuple(listening_addresses(latest)) if latest and isinstance(seen, Running) else (),
            log_tail=self._tail(lives),
        )

    def _tail(self, lives: Lives) -> tuple[LogLine, ...]:
        """Return the last lines of the latest process that said anything."""
        for folder in reversed(lives.folders):
            if lines := self.processes.tail(folder, LOG_TAIL_LINES_MAX):
                return tuple(LogLine(at=line.at, text=line.text[:LOG_LINE_CHARACTERS_MAX]) for line in lines)
        return ()


def _lives(place: LocalPlace) -> Lives | None:
    """Return the processes there are; None where there is no such place on this machine."""
    if not place.lives:
        return None
    try:
        numbers = sorted(int(each.name) for each in Path(place.lives).iterdir() if each.name.isdecimal())
    except (FileNotFoundError, NotADirectoryError):
        return None
    return Lives([Path(place.lives) / str(number) / "process" for number in numbers], max(numbers, default=0))


def _process(seen: Observation) -> Process:
    match seen:
        case Running():
            return "running"
        case Exited():
            return "exited"
        case Lost():
            return "lost"
        case Absent():
            return "absent"


def _how(seen: Observation) -> str:
    match seen:
        case Running():
            return "ended and is about to be started again"
        case Exited(end):
            return _end(end)
        case Lost():
            return "is gone: its host went down or its supervision was killed"
        case Absent():
            return "was never started"


def _end(end: Exit) -> str:
    if end.reason == "not_startable":
        return f"could not be started: {end.message}"
    if end.reason == "stopped":
        return "was stopped"
    return f"was ended by {end.signal}" if end.signal else f"exited with {end.code}"
