"""Adding to the histories and keeping the views in step, in one transaction.

Whoever writes here locks the histories by name, one after the other through the whole installation. So
an event that is committed later has the higher sequence, and a reader who has seen one has seen all
before it: sequences are cursors. It also keeps a rebuild from passing over what is added meanwhile, and
two replicas that hear the same partition during a rebalance from waiting for each other.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from services.status import projection, tables
from services.status.projection import Placed
from services.status.store.kept import KeptViews
from services.status.store.rebuilding import rebuilt
from services.status.store.view_rows import documents, write_views
from shared.db import Cause, ServiceDatabase, Transaction, hold
from shared.events import Event, LogAppended, Message
from shared.faults import TryAgain

HISTORIES = "status histories"  # the lock
NOTED = "status"  # what listeners hear after a commit that changed what can be read here
ROUNDS_MAX = 3  # of trying a batch: as new, then without what is known; another replica may write between

History = tables.history.c
Chunks = tables.log_chunks.c

_INSERT_EVENT = sa.insert(tables.history)
_INSERT_CHUNK = sa.insert(tables.log_chunks)
_DELETE_VIEWS = sa.delete(tables.views)


@dataclass(frozen=True, slots=True)
class Projection:
    """Writes what is heard."""

    db: ServiceDatabase
    _kept: KeptViews = field(default_factory=KeptViews, compare=False)

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
            await tx.execute(_DELETE_VIEWS)
            await rebuilt(tx)
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
            await self._fold(tx, messages)
            tx.noted.add(NOTED)

    async def _fold(self, tx: Transaction, messages: Sequence[Message[Event]]) -> None:
        found = await documents(tx, projection.rows_of(messages))
        views = {row: Placed(self._kept.read(row, text), position) for row, text, position in found}
        changed = projection.fold(views, messages)
        await write_views(tx, changed, views, self._kept.written)

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
