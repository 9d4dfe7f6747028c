"""The embedded bus: the outbox table is the log, read in order and handed to every group.

Woken by the commit; nothing polls. What a group has handled stands in its inbox; its cursor, saved
now and then, only spares the next start from asking about old positions.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
import structlog
from pydantic import ValidationError

from shared.bus import retention
from shared.bus.lanes import Lanes
from shared.bus.port import Subscription
from shared.db import Database, Noted, Reading, tables
from shared.dead_letters.redelivery import Redelivery
from shared.delivery import TYPES, Delivery, Handler, refusing
from shared.events.envelope import Event, Message
from shared.faults import TryAgain

READ_ROWS_MAX = 200  # outbox rows read at once
AHEAD_MAX = 5_000  # messages in memory before the reader waits
AHEAD_CHARACTERS_MAX = 8 * 1024 * 1024  # of their bodies; parsed, output takes five times as much
CURSOR_SAVED_EVERY_SECONDS = 5.0
AGAIN_SECONDS = 1.0  # until a database that was away is asked again

log = structlog.get_logger()

_CURSORS = sa.select(tables.bus_cursors)
_NEWEST = sa.select(sa.func.max(tables.outbox.c.position))
_OUTBOX_AFTER = (
    sa.select(tables.outbox)
    .where(tables.outbox.c.position > sa.bindparam("start"))
    .order_by(tables.outbox.c.position)
    .limit(sa.bindparam("rows_max"))
)
_HEARD = sa.select(tables.inbox.c.consumer_group, tables.inbox.c.event).where(
    tables.inbox.c.event.in_(sa.bindparam("events", expanding=True))
)


@dataclass(slots=True)
class Group:
    """A consumer group's place in the log."""

    subscription: Subscription
    drained: Callable[[], None]
    cursor: int = 0  # all up to here is done
    read_to: int = 0
    undone: dict[int, int] = field(default_factory=dict)  # positions in hand, in order; how long each is
    characters: int = 0  # of the bodies in hand
    lanes: Lanes = field(init=False)

    def __post_init__(self) -> None:
        self.start_at(0)

    def start_at(self, cursor: int) -> None:
        """Begin behind a position, with nothing in hand."""
        self.cursor = self.read_to = cursor
        self.undone.clear()
        self.characters = 0
        self.lanes = Lanes(self.subscription, Delivery(self.subscription.db), self._done)

    def _done(self, message: Message[Any]) -> None:
        self.characters -= self.undone.pop(message.position)
        self.drained()

    def take(self, position: int, characters: int) -> None:
        """Note that a message is in hand."""
        self.undone[position] = characters
        self.characters += characters

    def done_to(self) -> int:
        """Return the position up to which nothing is left undone."""
        return next(iter(self.undone), self.read_to + 1) - 1


class EmbeddedBus:
    """Delivers committed events inside one process."""

    def __init__(self, database: Database, subscriptions: Sequence[Subscription]) -> None:
        self._database = database
        self._committed = asyncio.Event()
        self._drained = asyncio.Event()
        self._groups = [Group(each, self._drained.set) for each in subscriptions]
        self._tasks: asyncio.TaskGroup | None = None
        self._begun_at = 0  # what was said after this position nobody can have handled in an earlier life
        self._redelivery = Redelivery(subscriptions, database)
        database.on_commit(self._wake)

    async def run(self) -> None:
        """Deliver until cancelled."""
        await self._insist(self._recall)
        self._committed.set()
        async with asyncio.TaskGroup() as self._tasks:
            self._tasks.create_task(self._save_cursors())
            self._tasks.create_task(self._redelivery.run())
            while True:
                await self._committed.wait()
                await asyncio.sleep(0)  # whoever committed goes on first: it may have a caller to answer
                self._committed.clear()
                await self._insist(self._read_on)

    async def _insist(self, act: Callable[[], Awaitable[None]]) -> None:
        """Do it until the database lets us; what was handed out meanwhile goes on."""
        while True:
            try:
                await act()
            except TryAgain as fault:
                log.warning("bus.read_failed", reason=str(fault))
                await self._database.clock.sleep(AGAIN_SECONDS)
            else:
                return

    def _wake(self, noted: Noted) -> None:
        if "outbox" in noted:
            self._committed.set()

    async def _recall(self) -> None:
        """Find each group's place, and deliver what an earlier life left behind it undone."""
        async with self._database.reading() as reading:
            rows = await reading.execute(_CURSORS)
            cursors = {row.consumer_group: row.position for row in rows}
            self._begun_at = (await reading.execute(_NEWEST)).scalar() or 0
        for group in self._groups:
            group.start_at(cursors.get(group.subscription.group, 0))

    async def _read_on(self) -> None:
        while True:
            start = min(group.read_to for group in self._groups)
            async with self._database.reading() as reading:
                rows = await _outbox_after(reading, start)
                heard = await _heard(reading, [row for row in rows if row.position <= self._begun_at])
            for row in rows:
                await self._has_room()
                self._hand_out(row, heard)
            if len(rows) < READ_ROWS_MAX:
                return

    async def _has_room(self) -> None:
        while self._is_full():
            self._drained.clear()
            await self._drained.wait()

    def _is_full(self) -> bool:
        messages = sum(len(group.undone) for group in self._groups)
        return messages > AHEAD_MAX or sum(group.characters for group in self._groups) > AHEAD_CHARACTERS_MAX

    def _hand_out(self, row: sa.Row[Any], heard: set[tuple[str, Any]]) -> None:
        new_to = [group for group in self._groups if row.position > group.read_to]
        for group in new_to:
            group.read_to = row.position
        body_type = TYPES.get(row.type)
        if body_type is None:  # a newer release said it, so nobody here can have it in their table
            log.warning("event.passed_over", type=row.type, key=row.key, position=row.position)
            return
        wanted = [g for g in new_to if body_type in g.subscription.handlers]
        takers = [g for g in wanted if (g.subscription.group, row.id) not in heard]
        if not takers:
            return
        message, unreadable = _message(row, body_type)
        for group in takers:
            group.take(row.position, len(row.body))
            self._enqueue(group, unreadable or group.subscription.handlers[body_type], message)

    def _enqueue(self, group: Group, handler: Handler, message: Message[Any]) -> None:
        assert self._tasks is not None
        group.lanes.enqueue(self._tasks, (message.body.topic, message.key), handler, message)

    async def _save_cursors(self) -> None:
        while True:
            await self._database.clock.sleep(CURSOR_SAVED_EVERY_SECONDS)
            moved = {g.subscription.group: g.done_to() for g in self._groups if g.done_to() > g.cursor}
            if moved:
                try:
                    await self._save(moved)
                except TryAgain as fault:
                    log.warning("bus.cursors_unsaved", reason=str(fault))

    async def _save(self, moved: dict[str, int]) -> None:
        done = min(moved.get(g.subscription.group, g.cursor) for g in self._groups)
        async with self._database.begin() as (connection, _):
            await retention.save_cursors(connection, moved)
            await retention.prune(connection, done, self._database.clock.now())
        for group in self._groups:
            group.cursor = moved.get(group.subscription.group, group.cursor)


async def _outbox_after(reading: Reading, position: int) -> Sequence[sa.Row[Any]]:
    return (await reading.execute(_OUTBOX_AFTER, {"start": position, "rows_max": READ_ROWS_MAX})).all()


async def _heard(reading: Reading, rows: Sequence[sa.Row[Any]]) -> set[tuple[str, Any]]:
    """Return which groups have handled which of these already."""
    if not rows:
        return set()
    found = await reading.execute(_HEARD, {"events": [row.id for row in rows]})
    return {(row.consumer_group, row.event) for row in found}


def _message(row: sa.Row[Any], body_type: type[Event]) -> tuple[Message[Any], Handler | None]:
    """Return the message, and who takes it instead of its handler when its body does not parse."""
    unreadable = None
    try:
        body = body_type.model_validate_json(row.body)
    except ValidationError as error:
        body = body_type.model_construct()  # carries type and topic, which is all that is asked of it
        unreadable = refusing(f"the body does not parse: {error}")
    message = Message(
        id=row.id,
        time=row.time,
        source=row.source,
        subject=row.subject,
        key=row.key,
        correlation=row.correlation,
        causation=row.causation,
        traceparent=row.traceparent,
        body=body,
        position=row.position,
        origin=f"outbox@{row.position}",
        raw=row.body if unreadable else None,  # what parses can be written again
    )
    return message, unreadable
