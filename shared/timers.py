"""What wakes a service when nothing happens: its deadlines, which stand in its rows.

There is no timer to lose: `resume` looks at the rows, does what is due through the same code as the
event path, and says when the next is due. A restart asks again.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import structlog

from shared.clock import Clock
from shared.delivery import failure_of
from shared.faults import TryAgain
from shared.outage import Outage

SWEEP_SECONDS = 30.0  # also without a deadline: finds what a crash, or a bug in `resume`, left undone
AGAIN_SECONDS = 1.0  # after a `resume` that was not possible
PAUSE_SECONDS_MIN = 0.05  # a deadline that stays in the past must not keep a processor busy

log = structlog.get_logger()


class Ticker:
    """Calls a service's `resume` at start, at its deadlines, and every sweep."""

    def __init__(self, clock: Clock, resume: Callable[[], Awaitable[datetime | None]]) -> None:
        self._clock = clock
        self._resume = resume
        self._nearer = asyncio.Event()
        self._next: datetime | None = None
        self._outage = Outage(clock, "resume.failed", "resume.possible_again")

    def due(self, at: datetime | None) -> None:
        """Hear of a deadline that was just written; only a nearer one changes anything."""
        if at is not None and (self._next is None or at < self._next):
            self._next = at
            self._nearer.set()

    async def run(self) -> None:
        """Tick until cancelled."""
        while True:
            self._next = None  # what `due` says from here on may be newer than what `resume` looks at
            error = await failure_of(self._tick())
            if isinstance(error, TryAgain):
                self._outage.failed(str(error))
                self.due(self._clock.now() + timedelta(seconds=AGAIN_SECONDS))
            elif error is not None:
                log.error("resume.broke", exc_info=error)
            else:
                self._outage.over()
            await self._wait()

    async def _tick(self) -> None:
        deadline = await self._resume()
        if deadline is not None:
            self.due(max(deadline, self._clock.now() + timedelta(seconds=PAUSE_SECONDS_MIN)))

    async def _wait(self) -> None:
        while True:
            self._nearer.clear()
            sweep = self._clock.now() + timedelta(seconds=SWEEP_SECONDS)
            if not await self._told_of_nearer(min(self._next or sweep, sweep)):
                return

    async def _told_of_nearer(self, wake_at: datetime) -> bool:
        """Sleep; True when a nearer deadline came in meanwhile."""
        sleeping = asyncio.ensure_future(self._clock.sleep_until(wake_at))
        hearing = asyncio.ensure_future(self._nearer.wait())
        try:
            await asyncio.wait({sleeping, hearing}, return_when=asyncio.FIRST_COMPLETED)
            return not sleeping.done()
        finally:
            for task in (sleeping, hearing):
                task.cancel()
