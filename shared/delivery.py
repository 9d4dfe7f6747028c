"""The one policy for a message that could not be handled: again, to the dead letters, or wait for help.

Both bus adapters call `deliver`. A message that is tried again holds up its own key only.
"""

import asyncio
import traceback
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, ClassVar, cast
from uuid import UUID

import structlog

from shared import metrics
from shared.db import Cause, ServiceDatabase, tables
from shared.dead_letters import burial
from shared.dead_letters.letter import FOREIGN, storable
from shared.events import EVENT_TYPES
from shared.events.envelope import Event, Message
from shared.events.topics import Topic
from shared.faults import Poison, Refused, TryAgain

Handler = Callable[[Message[Any]], Awaitable[None]]

ATTEMPTS_MAX = 12  # 102 seconds of trying with the backoff below
ATTEMPTS_ANEW = 5  # counted from here again once the database could not even take the letter
KEY_CHARACTERS_MAX = 1_000  # of a dead message's, in its event: anybody may have written it
BACKOFF_SECONDS_FIRST = 0.05
BACKOFF_SECONDS_MAX = 60.0
DEATHS_IN_A_ROW = "messages died in a row"  # in what a stopped group says of itself
DEATHS_IN_A_ROW_MAX = 20  # messages of a group buried with none handled in between
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
    origin: str = ""  # where the message lay: topic/partition@offset, or outbox@position
    deaths: int = 1  # times it has died in this group; more than one: it was replayed in between

    @property
    def key(self) -> str:
        """Return the original key."""
        return self.message_key


# All that can be heard.
TYPES: dict[str, type[Event]] = {**EVENT_TYPES, MessageDied.type: MessageDied}


class Foreign(Event):
    """What stands for the body of something on a topic of ours that is no event."""

    type: ClassVar[str] = FOREIGN


class Unread(Event):
    """What stands for the body of something that may be an event, but our reading of it broke."""

    type: ClassVar[str] = "unread"


def foreign_body(topic: Topic) -> Event:
    """Return what a message carries that was no event of ours; it only says where it lay."""
    return cast("type[Foreign]", type("Foreign", (Foreign,), {"topic": topic})).model_construct()


def unread_body(topic: Topic) -> Event:
    """Return what a message carries whose reading broke: that is our defect, and counts as one."""
    return cast("type[Unread]", type("Unread", (Unread,), {"topic": topic})).model_construct()


def refusing(reason: str) -> Handler:
    """Return who takes a message that cannot be handed to its handler."""

    async def refuse(_message: Message[Any]) -> None:
        raise Poison(reason)

    return refuse


def backoff_seconds(attempt: int) -> float:
    """Return how long to wait after the `attempt`th failure, from 1: doubling, capped."""
    doublings = min(attempt - 1, DOUBLINGS_MAX)
    return min(BACKOFF_SECONDS_FIRST * 2.0**doublings, BACKOFF_SECONDS_MAX)


def reason_of(text: str) -> str:
    """Return `text` as an event can carry it: bounded, and without halves of characters."""
    if len(text) > 2 * REASON_CHARACTERS_MAX:
        text = f"{text[:REASON_CHARACTERS_MAX]} […] {text[-REASON_CHARACTERS_MAX:]}"
    return storable(text)


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


@dataclass(slots=True)
class Delivery:
    """Hands messages to one consumer group's handlers: one for each group of a process.

    When too many die in a row, the fault is more likely ours than theirs: then none is buried any more,
    and those at hand are tried again until one is handled. A bad release must not bury a whole queue.
    """

    db: ServiceDatabase
    deaths_in_a_row_max: int = DEATHS_IN_A_ROW_MAX
    stopped: str = ""  # why nothing is buried any more; empty: it is
    _deaths_in_a_row: int = 0

    async def deliver(self, handler: Handler, message: Message[Any]) -> bool:
        """Return when the message is handled (True) or buried (False); never raises but on cancellation."""
        attempt = 0
        while True:
            attempt += 1
            error = await self._failure(handler, message)
            if error is None:
                self.note_handled()
                return True
            final = attempt >= ATTEMPTS_MAX or not isinstance(error, TryAgain)
            try:
                if final and await self._may_bury(message, attempt, reason_of(_told(error, attempt))):
                    return False
            except TryAgain:
                attempt = min(attempt, ATTEMPTS_ANEW)  # so the tries made meanwhile say nothing of it
            metrics.MESSAGES.add(self.db.service, message.body.type, "retried")
            await self.db.clock.sleep(backoff_seconds(attempt))

    def note_handled(self) -> None:
        """Hear that the group can handle messages: those that die are themselves at fault."""
        self._deaths_in_a_row = 0
        if self.stopped:
            self.stopped = ""
            log.info("consumer.resumed", group=self.db.service)

    async def _failure(self, handler: Handler, message: Message[Any]) -> BaseException | None:
        began = self.db.clock.now()
        error = await failure_of(handler(message))
        seconds = (self.db.clock.now() - began).total_seconds()
        metrics.message_tried(self.db.service, message.body.type, handled=error is None, seconds=seconds)
        return error

    async def _may_bury(self, message: Message[Any], attempts: int, reason: str) -> bool:
        """Put the message aside for a person; False when that is not to be, or not possible now."""
        if message.body.type == FOREIGN:  # says nothing of the service: anybody may have written it
            await self._bury(message, attempts, reason)
            return True
        if self._deaths_in_a_row >= self.deaths_in_a_row_max:
            self._stop(reason)
            return False
        self._deaths_in_a_row += 1  # before it is sure, for others die meanwhile
        try:
            died = await self._bury(message, attempts, reason)
        except TryAgain:  # the database is away, which is not the message's fault
            self._forget_death()
            raise
        if not died:
            self._forget_death()
        return True

    def _forget_death(self) -> None:
        self._deaths_in_a_row = max(self._deaths_in_a_row - 1, 0)

    def _stop(self, reason: str) -> None:
        if self.stopped:
            return
        self.stopped = (
            f"{self._deaths_in_a_row} {DEATHS_IN_A_ROW}, so the next are kept and tried again until "
            f"one is handled: {reason.splitlines()[-1] if reason else 'no reason is known'}"
        )
        log.error("consumer.stopped", group=self.db.service, reason=self.stopped)

    async def _bury(self, message: Message[Any], attempts: int, reason: str) -> bool:
        """Write the letter; False when the message was handled or buried before."""
        group = self.db.service
        cause = Cause(message.id, storable(message.correlation), storable(message.traceparent), message=True)
        async with self.db.transaction(cause, "message.died") as tx:
            await burial.hold_letter(tx, message.id)
            row = {"consumer_group": group, "event": message.id, "heard_at": tx.now}
            new = await tx.insert_or_ignore(tables.inbox, row)
            # A letter that dies gets none: its reader would fail on that one too, and so for ever. The
            # log has both.
            if new and message.body.topic is not Topic.DEAD_LETTERS:
                deaths = await burial.write_letter(tx, message, attempts, reason)
                if deaths:
                    tx.emit(_letter(group, message, attempts, reason, deaths), burial.role(group, deaths))
        if new:
            metrics.MESSAGES.add(group, message.body.type, "dead")
        log.error(
            "message.died",
            group=group,
            type=message.body.type,
            key=message.key,
            origin=message.origin,
            attempts=attempts,
            reason=reason,
        )
        return new


def _letter(group: str, message: Message[Any], attempts: int, reason: str, deaths: int) -> MessageDied:
    return MessageDied(
        message=message.id,
        message_type=message.body.type,
        message_key=storable(message.key[:KEY_CHARACTERS_MAX]),
        consumer_group=group,
        attempts=attempts,
        reason=reason,
        origin=storable(message.origin),
        deaths=deaths,
    )
