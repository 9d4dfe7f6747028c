"""The one policy for a message that could not be handled: again, or to the dead letters.

Both bus adapters call `deliver`. A message that is tried again holds up its own key only.
"""

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

ATTEMPTS_MAX = 12  # about four minutes of trying with the backoff below
BACKOFF_SECONDS_FIRST = 0.05
BACKOFF_SECONDS_MAX = 60.0

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
    return min(BACKOFF_SECONDS_FIRST * 2.0 ** (attempt - 1), BACKOFF_SECONDS_MAX)


@dataclass(frozen=True, slots=True)
class Delivery:
    """Hands messages to one consumer group's handlers."""

    db: ServiceDatabase

    async def deliver(self, handler: Handler, message: Message[Any]) -> None:
        """Return when the message is handled or buried; never raises but on cancellation."""
        attempt = 0
        while True:
            attempt += 1
            try:
                await handler(message)
            except TryAgain as fault:
                reason = f"not possible after {attempt} attempts: {fault}"
                final = attempt >= ATTEMPTS_MAX
            except (Refused, Poison) as fault:
                reason, final = f"{type(fault).__name__.lower()}: {fault}", True
            except Exception as error:  # noqa: BLE001 - the outermost loop: a bug must not stop the others
                reason, final = "".join(traceback.format_exception(error)), True
            else:
                return
            if final and await self._bury(message, attempt, reason):
                return
            await self.db.clock.sleep(backoff_seconds(attempt))

    async def _bury(self, message: Message[Any], attempts: int, reason: str) -> bool:
        """Put the message aside for a person; False when even that was not possible now."""
        cause = Cause(message.id, message.correlation, message.traceparent, message=True)
        try:
            async with self.db.transaction(cause, "message.died") as tx:
                row = {"consumer_group": self.db.service, "event": message.id, "heard_at": tx.now}
                await tx.insert_or_ignore(tables.inbox, row)
                died = MessageDied(
                    message=message.id,
                    message_type=message.body.type,
                    message_key=message.key,
                    consumer_group=self.db.service,
                    attempts=attempts,
                    reason=reason,
                )
                tx.emit(died, self.db.service)
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
