"""The one policy for a message that could not be handled: again, or to the dead letters.

Both bus adapters call `deliver`. A message that is tried again holds up its own key only.
"""

import asyncio
import traceback
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

import structlog

from shared.db import Cause, ServiceDatabase, tables
from shared.events.envelope import Event, Message
from shared.events.topics import Topic
from shared.faults import Poison, Refused, TryAgain

Handler = Callable[[Message[Any]], Awaitable[None]]

ATTEMPTS_MAX = 12  # 102 seconds of trying with the backoff below
BACKOFF_SECONDS_FIRST = 0.05
BACKOFF_SECONDS_MAX = 60.0
DOUBLINGS_MAX = 16  # past the cap; a database may be away for more doublings than a float can hold
REASON_CHARACTERS_MAX = 8_000  # of each end; what is between them is left out

log = structlog.get_logger()


class MessageDied(Event):
    """A message that its group could not take."""

    type: ClassVar[str] = "windlass.message.died.v1"
    topic: ClassVar[Topic] = Topic.DEAD_LETTERS

    message: UUID
    message_type: str
    message_key: str
    consumer_group: str
    attempts: int
    reason: str

    @property
    def key(self) -> str:
        """Return the original key."""
        return self.message_key


def backoff_seconds(attempt: int) -> float:
    """Return how long to wait after the `attempt`th failure, from 1: doubling, capped."""
    doublings = min(attempt - 1, DOUBLINGS_MAX)
    return min(BACKOFF_SECONDS_FIRST * 2.0**doublings, BACKOFF_SECONDS_MAX)


def reason_of(text: str) -> str:
    """Return `text` as an event can carry it: bounded, and without halves of characters."""
    if len(text) > 2 * REASON_CHARACTERS_MAX:
        text = f"{text[:REASON_CHARACTERS_MAX]} […] {text[-REASON_CHARACTERS_MAX:]}"
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


async def failure_of(act: Awaitable[None]) -> BaseException | None:
    """Return what `act` raised: one thing's bug, also a cancelled part of it, must not stop the others.

    Only a cancellation of the task in hand is raised.
    """
    try:
        await act
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        return error
    except Exception as error:  # noqa: BLE001 - the outermost loop
        return error
    return None


def _told(error: BaseException, attempts: int) -> str:
    match error:
        case TryAgain():
            return f"not possible after {attempts} attempts: {error}"
        case Refused() | Poison():
            return f"{type(error).__name__.lower()}: {error}"
    return "".join(traceback.format_exception(error))


@dataclass(frozen=True, slots=True)
class Delivery:
    """Hands messages to one consumer group's handlers."""

    db: ServiceDatabase

    async def deliver(self, handler: Handler, message: Message[Any]) -> None:
        """Return when the message is handled or buried; never raises but on cancellation."""
        attempt = 0
        while True:
            attempt += 1
            error = await failure_of(handler(message))
            if error is None:
                return
            final = attempt >= ATTEMPTS_MAX or not isinstance(error, TryAgain)
            if final and await self._bury(message, attempt, reason_of(_told(error, attempt))):
                return
            await self.db.clock.sleep(backoff_seconds(attempt))

    async def _bury(self, message: Message[Any], attempts: int, reason: str) -> bool:
        """Put the message aside for a person; False when even that was not possible now."""
        cause = Cause(message.id, message.correlation, message.traceparent, message=True)
        letter = MessageDied(
            message=message.id,
            message_type=message.body.type,
            message_key=message.key,
            consumer_group=self.db.service,
            attempts=attempts,
            reason=reason,
        )
        try:
            async with self.db.transaction(cause, "message.died") as tx:
                row = {"consumer_group": self.db.service, "event": message.id, "heard_at": tx.now}
                new = await tx.insert_or_ignore(tables.inbox, row)
                # Handled or buried before: no second letter. A letter that dies gets none: its
                # reader would fail on that one too, and so for ever. The log has both.
                if new and not isinstance(message.body, MessageDied):
                    tx.emit(letter, self.db.service)
        except TryAgain:
            return False
        log.error(
            "message.died",
            group=self.db.service,
            type=message.body.type,
            key=message.key,
            attempts=attempts,
            reason=reason,
        )
        return True
