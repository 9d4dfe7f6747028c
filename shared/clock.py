"""The only door to time. Nothing else in Windlass reads a clock or sleeps (DESIGN 16)."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import asyncio


class Clock(Protocol):
    """Time as services see it: always aware, always UTC."""

    def now(self) -> datetime:
        """Return the present instant."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Return after `seconds`; may be cancelled."""
        ...

    async def sleep_until(self, at: datetime) -> None:
        """Return at `at`, at once if it has passed; may be cancelled."""
        ...


class SystemClock:
    """The machine's clock, never running backwards as far as this process can tell."""

    def __init__(self) -> None:
        self._latest = datetime.now(UTC)

    def now(self) -> datetime:
        """Return the machine's time, or the latest one handed out if the machine's was set back."""
        self._latest = max(self._latest, datetime.now(UTC))
        return self._latest

    async def sleep(self, seconds: float) -> None:
        """Sleep on the running loop."""
        import asyncio  # noqa: PLC0415 - who only reads the time need not load the loop

        await asyncio.sleep(seconds)

    async def sleep_until(self, at: datetime) -> None:
        """Sleep on the running loop."""
        import asyncio  # noqa: PLC0415

        await asyncio.sleep(max((at - self.now()).total_seconds(), 0.0))


class ManualClock:
    """A clock that moves only when it is told to: for tests, which advance time and never sleep it."""

    def __init__(self, start: datetime) -> None:
        self._now = start
        self._sleepers: list[tuple[datetime, asyncio.Future[None]]] = []

    def now(self) -> datetime:
        """Return the instant last set."""
        return self._now

    async def sleep(self, seconds: float) -> None:
        """Wait until somebody advances the clock by `seconds`."""
        await self.sleep_until(self._now + timedelta(seconds=seconds))

    async def sleep_until(self, at: datetime) -> None:
        """Wait until somebody advances the clock to `at`."""
        import asyncio  # noqa: PLC0415

        if at <= self._now:
            await asyncio.sleep(0)
            return
        woken = asyncio.get_running_loop().create_future()
        self._sleepers.append((at, woken))
        await woken

    def advance(self, seconds: float) -> None:
        """Move time on and wake whoever slept up to then."""
        self._now += timedelta(seconds=seconds)
        due = [sleeper for sleeper in self._sleepers if sleeper[0] <= self._now]
        self._sleepers = [sleeper for sleeper in self._sleepers if sleeper[0] > self._now]
        for _, woken in sorted(due, key=lambda sleeper: sleeper[0]):
            if not woken.done():
                woken.set_result(None)
