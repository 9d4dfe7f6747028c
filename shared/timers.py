"""What wakes a service when nothing happens: its deadlines, which stand in its rows.

There is no timer to lose: `resume` looks at the rows, does what is due through the same code as the
event path, and says when the next is due. A restart asks again.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import structlog

from shared.clock import Clock
from shared.faults import TryAgain

SWEEP_SECONDS = 30.0  # also without a deadline: finds what a crash left undone

log = structlog.get_logger()


class Ticker:
    """Calls a service's `resume` at start, at its deadlines, and every sweep."""

    def __init__(self, clock: Clock, resume: Callable[[], Awaitable[datetime | None]]) -> None:
        self._clock = clock
        self._resume = resume
        self._nearer = asyncio.Event()
        self._next: datetime | None = None

    def due(self, at: datetime | None) -> None:
        """Hear of a deadline that was just written; only a nearer one changes anything."""
        if at is not None and (self._next is None or at < self._next):
            self._next = at
            self._nearer.set()

    async def run(self) -> None:
        """Tick until cancelled."""
        while True:
            try:
                self._next = await self._resume()
            except TryAgain as fault:
                log.warning("resume.failed", reason=str(fault))
                self._next = None
            await self._wait()

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
