"""Adding to the histories and keeping the views in step, in one transaction.

Whoever writes here locks the histories by name, one after the other through the whole installation. So
an event that is committed later has the higher sequence, and a reader who has seen one has seen all
before it: sequences are cursors. It also keeps a rebuild from passing over what is added meanwhile, and
two replicas that hear the same partition during a rebalance from waiting for each other.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
import structlog
from pydantic import ValidationError

from services.status import projection, tables
from services.status.projection import VIEW_TYPES, Kind, Placed, Row
from shared.db import Cause, Reading, ServiceDatabase, Transaction, hold
from shared.delivery import MessageDied
from shared.events import EVENT_TYPES, Event, LogAppended, Message
from shared.faults import TryAgain

HISTORIES = "status histories"  # the lock
NOTED = "status"  # what listeners hear after a commit that changed what can be read here
ROUNDS_MAX = 3  # of trying a batch: as new, then without what is known; another replica may write between
REPLAYED_ROWS_MAX = 500  # history rows in memory at once

log = structlog.get_logger()

TYPES: dict[str, type[Event]] = {**EVENT_TYPES, MessageDied.type: MessageDied}

History = tables.history.c
Chunks = tables.log_chunks.c
Views = tables.views.c

_VIEWS = sa.select(Views.id, Views.position, Views.document).where(
    Views.id.in_(sa.bindparam("ids", expanding=True))
)
_INSERT_EVENT = sa.insert(tables.history)
_INSERT_CHUNK = sa.insert(tables.log_chunks)
_INSERT_VIEW = sa.insert(tables.views)
_UPDATE_VIEW = (
    sa.update(tables.views)
    .where(Views.id == sa.bindparam("row"))
    .values(position=sa.bindparam("to_position"), document=sa.bindparam("to_document"))
)


@dataclass(frozen=True, slots=True)
class Projection:
    """Writes what is heard."""

    db: ServiceDatabase

    async def append(self, messages: Sequence[Message[Event]]) -> None:
        """Add messages to the history and fold them into the views; those known already do nothing.

        They are taken for new, as nearly all are; the database's keys tell when one is not.
        """
        fresh = messages
        for _ in range(ROUNDS_MAX):
            try:
                await self._append(fresh)
            except sa.exc.IntegrityError:
                fresh = await self._unknown(messages)
            else:
                return
        raise TryAgain("other replicas keep writing the same events")

    async def rebuild(self) -> None:
        """Make all views anew from the histories, as one step for whoever reads them."""
        async with self.db.transaction(Cause(UUID(int=0)), "views.rebuilt") as tx:
            await hold(tx, HISTORIES)
            await tx.execute(sa.delete(tables.views))
            for table, message_of in ((tables.history, _event_message), (tables.log_chunks, _chunk_message)):
                async for rows in _pages(tx, table):
                    read = [message_of(row) for row in rows]
                    await _fold(tx, [message for message in read if message is not None])
            tx.noted.add(NOTED)

    async def _append(self, messages: Sequence[Message[Event]]) -> None:
        if not messages:
            return
        async with self.db.transaction(Cause(messages[0].id), "history.appended") as tx:
            await hold(tx, HISTORIES)
            events = [_event_row(each) for each in messages if not isinstance(each.body, LogAppended)]
            chunks = [_chunk_row(each) for each in messages if isinstance(each.body, LogAppended)]
            if events:
                await tx.execute(_INSERT_EVENT, events)
            if chunks:
                await tx.execute(_INSERT_CHUNK, chunks)
            await _fold(tx, messages)
            tx.noted.add(NOTED)

    async def _unknown(self, messages: Sequence[Message[Event]]) -> list[Message[Event]]:
        """Return those not in the histories yet, each once."""
        ids = [message.id for message in messages]
        known: set[UUID] = set()
        async with self.db.reading() as reading:
            for column in (History.id, Chunks.id):
                known |= set((await reading.execute(sa.select(column).where(column.in_(ids)))).scalars())
        fresh: dict[UUID, Message[Event]] = {}
        for message in messages:
            if message.id not in known:
                fresh.setdefault(message.id, message)  # the first time counts, also for its position
        return list(fresh.values())


async def _fold(tx: Transaction, messages: Sequence[Message[Event]]) -> None:
    rows = {row for message in messages for row, _ in projection.touched(message.body)}
    views = await _load(tx, rows)
    changed = projection.fold(views, messages)
    new = [_view_row(row, placed) for row, placed in changed.items() if row not in views]
    old = [_view_change(row, placed) for row, placed in changed.items() if row in views]
    if new:
        await tx.execute(_INSERT_VIEW, new)
    if old:
        await tx.execute(_UPDATE_VIEW, old)


async def _load(reading: Reading, rows: set[Row]) -> dict[Row, Placed]:
    ids = {row_id(*row): row for row in rows}
    found = await reading.execute(_VIEWS, {"ids": list(ids)})
    return {
        ids[row.id]: Placed(VIEW_TYPES[ids[row.id][0]].model.model_validate_json(row.document), row.position)
        for row in found
    }


def row_id(kind: Kind, key: str) -> str:
    """Return a view's id in the table."""
    return f"{kind.value} {key}"


def _view_row(row: Row, placed: Placed) -> dict[str, Any]:
    kind, key = row
    listing = VIEW_TYPES[kind].listing(placed.view)
    return {
        "id": row_id(kind, key),
        "kind": kind.value,
        "scope": listing.scope,
        "about": listing.about,
        "number": listing.number,
        "position": placed.position,
        "document": placed.view.model_dump_json(),
    }


def _view_change(row: Row, placed: Placed) -> dict[str, Any]:
    document = placed.view.model_dump_json()
    return {"row": row_id(*row), "to_position": placed.position, "to_document": document}


async def _pages(reading: Reading, table: sa.Table) -> AsyncIterator[Sequence[sa.Row[Any]]]:
    after = 0
    while True:
        query = sa.select(table).where(table.c.sequence > after).order_by(table.c.sequence)
        rows = (await reading.execute(query.limit(REPLAYED_ROWS_MAX))).all()
        if not rows:
            return
        yield rows
        after = rows[-1].sequence


def _event_row(message: Message[Event]) -> dict[str, Any]:
    return {
        "id": message.id,
        "type": message.body.type,
        "topic": message.body.topic.value,
        "key": message.key,
        "position": message.position,
        "pipeline": getattr(message.body, "pipeline", None) or "",
        "subject": message.subject,
        "source": message.source,
        "time": message.time,
        "correlation": message.correlation,
        "causation": message.causation,
        "traceparent": message.traceparent,
        "body": message.body.model_dump_json(),
    }


def _chunk_row(message: Message[Event]) -> dict[str, Any]:
    body = message.body
    assert isinstance(body, LogAppended)
    return {
        "id": message.id,
        "log": body.log,
        "position": message.position,
        "time": message.time,
        "correlation": message.correlation,
        "stage": body.stage,
        "body": body.model_dump_json(),
    }


def _event_message(row: sa.Row[Any]) -> Message[Event] | None:
    """Return the event; None for one that only a later release can read, before a way back to this one."""
    try:
        body = TYPES[row.type].model_validate_json(row.body)
    except (KeyError, ValidationError):
        log.warning("event.passed_over", id=str(row.id), type=row.type)
        return None
    return Message(
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
    )


def _chunk_message(row: sa.Row[Any]) -> Message[Event]:
    return Message(
        id=row.id,
        time=row.time,
        source="",
        subject=row.log,
        key=row.log,
        correlation=row.correlation,
        causation=None,
        traceparent="",
        body=LogAppended.model_validate_json(row.body),
        position=row.position,
    )
