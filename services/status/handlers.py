"""What status hears: everything, written down in batches.

Events that arrive while one commit is on its way share the next one: under load one flush to the disk
serves many, and the services that decide things wait less for the writer's turn.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Any, Protocol

import structlog

from shared.events import Event, Message
from shared.faults import TryAgain

BATCH_MAX = 200  # messages in one transaction

log = structlog.get_logger()

Waiting = tuple[Message[Event], "asyncio.Future[None]"]


class Appender(Protocol):
    """Writes messages down: all of the batch or none."""

    async def append(self, messages: Sequence[Message[Event]]) -> None:
        """Return when they are durable; safe to repeat."""
        ...


class Projector:
    """Hears events and has them written."""

    def __init__(self, appender: Appender) -> None:
        self._appender = appender
        self._waiting: deque[Waiting] = deque()
        self._arrived = asyncio.Event()

    async def hear(self, message: Message[Any]) -> None:
        """Return when the message is in the history and in the views."""
        await self._noted(message)

    async def hear_together(self, messages: Sequence[Message[Any]]) -> None:
        """Return when all of them are; raise what stood in the way of one."""
        await asyncio.gather(*[self._noted(message) for message in messages])

    def _noted(self, message: Message[Any]) -> "asyncio.Future[None]":
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((message, written))
        self._arrived.set()
        return written

    async def run(self) -> None:
        """Write until cancelled."""
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            while self._waiting:
                count = min(len(self._waiting), BATCH_MAX)
                await self._write([self._waiting.popleft() for _ in range(count)])

    async def _write(self, batch: Sequence[Waiting]) -> None:
        # Each key's lane hands over all it has at once. In the log they stand as they were said, so that
        # the history does not tell of a stage's end before what was said elsewhere at its beginning.
        in_order = sorted(batch, key=lambda each: each[0].position)
        open_ = [(message, written) for message, written in in_order if not written.done()]
        fault = await self._append([message for message, _ in open_])
        alone = fault is not None and not isinstance(fault, TryAgain) and len(open_) > 1
        for message, written in open_:
            # One of them cannot be folded: it alone must fail. None is written after one that can be
            # written later, for views pass over what is older than they are.
            if alone and not isinstance(fault, TryAgain):
                fault = await self._append([message])
            _answer(written, fault)

    async def _append(self, messages: Sequence[Message[Event]]) -> Exception | None:
        try:
            await self._appender.append(messages)
        except Exception as error:  # noqa: BLE001 - handed to the policy of shared/delivery.py
            return error
        return None


def _answer(written: "asyncio.Future[None]", fault: Exception | None) -> None:
    if written.done():
        return
    if fault is None:
        written.set_result(None)
    else:
        written.set_exception(fault)
