"""How far the attempts in hand have come, for those who follow their output beside `run`."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager

from shared.events import LogLine

REMEMBERED_MAX = 1_000  # attempts; one is forgotten long after its output was read
LAST_WORDS_SECONDS = 0.05  # for lines under way when a service that goes on has its answer

Lines = Sequence[LogLine]


class Attempt:
    """What `run` has come to."""

    def __init__(self) -> None:
        self.lives = 0  # processes begun
        self.answered = False
        self._moved = asyncio.Event()

    def begin(self, life: int) -> None:
        """Hear that the process of that number exists."""
        self.lives = max(self.lives, life)
        self._move()

    def answer(self) -> None:
        """Hear that `run` has its answer."""
        self.answered = True
        self._move()

    async def reaches(self, life: int) -> bool:
        """Wait for the process of that number; False: the answer came without it."""
        while self.lives < life and not self.answered:
            await self._moved.wait()
        return self.lives >= life

    async def is_answered(self) -> None:
        """Wait for the answer."""
        while not self.answered:
            await self._moved.wait()

    def _move(self) -> None:
        self._moved.set()
        self._moved = asyncio.Event()


class Attempts:
    """The attempts in hand, by their log."""

    def __init__(self) -> None:
        self._attempts: OrderedDict[str, Attempt] = OrderedDict()

    def of(self, log: str) -> Attempt:
        """Return the attempt, whether `run` or `output` asks for it first."""
        attempt = self._attempts.setdefault(log, Attempt())
        if len(self._attempts) > REMEMBERED_MAX:
            self._attempts.popitem(last=False)
        return attempt

    @contextmanager
    def answering(self, log: str) -> Iterator[Attempt]:
        """Follow one `run`; however it ends, whoever follows the output hears of it."""
        attempt = self.of(log)
        attempt.answered = False  # carried out again in the same life: handed back, claimed once more
        try:
            yield attempt
        finally:
            attempt.answer()


async def until_answered(
    lines: AsyncIterator[Lines], attempt: Attempt, goes_on: Callable[[], bool]
) -> AsyncIterator[Lines]:
    """Pass lines on until the answer is there; of what does not go on, to the very last."""
    answered = asyncio.ensure_future(attempt.is_answered())
    reading: asyncio.Future[Lines | None] | None = None
    try:
        while True:
            reading = asyncio.ensure_future(_next(lines))
            await asyncio.wait({reading, answered}, return_when=asyncio.FIRST_COMPLETED)
            if not reading.done():
                await asyncio.wait({reading}, timeout=LAST_WORDS_SECONDS if goes_on() else None)
            if not reading.done() or (batch := reading.result()) is None:
                return
            yield batch
    finally:
        pending = [task for task in (answered, reading) if task and not task.done()]
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)
        if isinstance(lines, AsyncGenerator):
            await lines.aclose()


async def _next(lines: AsyncIterator[Lines]) -> Lines | None:
    return await anext(lines, None)
