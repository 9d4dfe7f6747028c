"""The machine's clock, which a test can put on: for real processes, whose own time cannot be advanced."""

import asyncio
from datetime import datetime, timedelta

from shared.clock import SystemClock


class HurriedClock(SystemClock):
    """Runs as the machine's does, ahead of it by what it was put on."""

    def __init__(self) -> None:
        super().__init__()
        self._ahead = timedelta()
        self._put_on = asyncio.Event()

    def now(self) -> datetime:
        return super().now() + self._ahead

    async def sleep(self, seconds: float) -> None:
        await self.sleep_until(self.now() + timedelta(seconds=seconds))

    async def sleep_until(self, at: datetime) -> None:
        while (left := (at - self.now()).total_seconds()) > 0:
            put_on = self._put_on
            try:
                await asyncio.wait_for(put_on.wait(), left)
            except TimeoutError:
                return

    def put_on(self, seconds: float) -> None:
        """Let this time pass at once for whoever sleeps."""
        self._ahead += timedelta(seconds=seconds)
        self._put_on.set()
        self._put_on = asyncio.Event()
