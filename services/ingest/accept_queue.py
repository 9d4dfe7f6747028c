"""Group commit: deliveries that arrive while one commit is on its way share the next one.

A delivery alone is committed at once; under load one flush to the disk serves many. After a group of several
the next one may grow to its size for a few turns of the loop, no longer: whoever keeps sending has to hear
the answer first. Each caller is answered after the commit that has its delivery, never before (S6). When one
of a group cannot be written, it alone is told so.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Protocol

import structlog

from services.ingest.acceptance import Answer, Delivery
from shared.faults import TryAgain

GROUP_MAX = 100  # deliveries in one transaction
TURNS_GATHERED_MAX = 8  # of the loop; on an idle one they take no time to speak of
QUEUE_MAX = 2_000  # deliveries waiting; more are told to come again
ANSWER_SECONDS_MAX = 8.0  # GitHub gives up after ten

log = structlog.get_logger()

Waiting = tuple[Delivery, "asyncio.Future[Answer]"]


class Acceptor(Protocol):
    """Makes deliveries durable: all of the group or none."""

    async def accept(self, group: Sequence[Delivery]) -> list[Answer]:
        """Return one answer a delivery; raises `TryAgain` when nothing could be written."""
        ...


class AcceptQueue:
    """Collects deliveries and commits them in groups."""

    def __init__(self, acceptor: Acceptor) -> None:
        self._acceptor = acceptor
        self._waiting: deque[Waiting] = deque()
        self._arrived = asyncio.Event()

    async def accept(self, delivery: Delivery) -> Answer:
        """Return the answer once it is durable; raises `TryAgain` when that is not possible now."""
        if len(self._waiting) >= QUEUE_MAX:
            raise TryAgain("too many deliveries are waiting to be written")
        answered: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((delivery, answered))
        self._arrived.set()
        try:
            async with asyncio.timeout(ANSWER_SECONDS_MAX):
                return await answered
        except TimeoutError:
            raise TryAgain("the disk or the database is too slow") from None

    async def run(self) -> None:
        """Commit until cancelled; whoever waits then is told to come again."""
        try:
            while True:
                await self._arrived.wait()
                self._arrived.clear()
                while self._waiting:
                    group = self._next_group()
                    await self._commit(group)
                    if len(group) > 1:
                        await self._gather(len(group))
        finally:
            _refuse(list(self._waiting), TryAgain("Windlass is stopping"))
            self._waiting.clear()

    async def _gather(self, size: int) -> None:
        for _ in range(TURNS_GATHERED_MAX):
            if len(self._waiting) >= size:
                return
            await asyncio.sleep(0)

    def _next_group(self) -> list[Waiting]:
        group: list[Waiting] = []
        while self._waiting and len(group) < GROUP_MAX:
            delivery, answered = self._waiting.popleft()
            if not answered.done():  # its caller has not given up
                group.append((delivery, answered))
        return group

    async def _commit(self, group: list[Waiting]) -> None:
        """Answer everybody of the group."""
        try:
            fault = await self._accept(group)
            alone = fault is not None and not isinstance(fault, TryAgain) and len(group) > 1
            for waiting in group:
                if alone and not isinstance(fault, TryAgain):
                    fault = await self._accept([waiting])
                if fault is not None:
                    _refuse([waiting], fault)
        except asyncio.CancelledError:
            _refuse(group, TryAgain("Windlass is stopping"))
            raise

    async def _accept(self, group: list[Waiting]) -> Exception | None:
        """Commit the group and answer; return why that was not possible."""
        try:
            answers = await self._acceptor.accept([delivery for delivery, _ in group])
        except Exception as error:
            passing = isinstance(error, TryAgain)
            log.warning("deliveries.not_accepted", count=len(group), reason=str(error), exc_info=not passing)
            return error
        for (_, answered), answer in zip(group, answers, strict=True):
            if not answered.done():
                answered.set_result(answer)
        return None


def _refuse(group: Sequence[Waiting], error: Exception) -> None:
    for _, answered in group:
        if not answered.done():
            answered.set_exception(error)
