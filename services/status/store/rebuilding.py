"""All views made anew from the histories, in one transaction.

A view changes a dozen times within a few pages of the history and then never again. So views stay in
memory while they change, and are written when others need their place.
"""

import gc
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import sqlalchemy as sa
import structlog
from pydantic import ValidationError

from services.status import projection, tables
from services.status.projection import VIEW_TYPES, Placed, Row
from services.status.store.view_rows import documents, write_views
from services.status.views import View
from shared.db import Reading
from shared.delivery import TYPES
from shared.events import Event, LogAppended, Message

REPLAYED_ROWS_MAX = 1_000  # history rows in memory at once
HELD_MAX = 2_000  # views in memory before those not changed for longest are let go

log = structlog.get_logger()

_OF_EVENTS = ("sequence", "time", "position", "type", "body")  # what folds look at, and the place
_OF_CHUNKS = tuple(name for name in _OF_EVENTS if name != "type")


def _page_of(table: sa.Table, names: Sequence[str]) -> sa.Select[Any]:
    columns = [table.c[name] for name in names]
    after = table.c.sequence > sa.bindparam("after")
    return sa.select(*columns).where(after).order_by(table.c.sequence).limit(sa.bindparam("rows_max"))


_EVENTS = _page_of(tables.history, _OF_EVENTS)
_CHUNKS = _page_of(tables.log_chunks, _OF_CHUNKS)


async def rebuilt(tx: Reading) -> None:
    """Fold the histories into a table of views that is empty."""
    views = _Held(tx)
    with _without_collections():
        async for rows in _pages(tx, _EVENTS):
            await views.fold(_read(map(tuple, rows)))
        async for rows in _pages(tx, _CHUNKS):
            await views.fold(_read((*row[:3], LogAppended.type, row[3]) for row in map(tuple, rows)))
        await views.write()


@contextmanager
def _without_collections() -> Iterator[None]:
    """Keep Python from looking for cycles, a quarter of the time: neither events nor views make any."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


class _Held:
    """The views in memory."""

    def __init__(self, tx: Reading) -> None:
        self._tx = tx
        self._views: dict[Row, Placed] = {}  # what was changed last comes last
        self._unwritten: set[Row] = set()
        self._in_table: set[Row] = set()  # of those in memory
        self._let_go = False  # whether any was

    async def fold(self, messages: Sequence[Message[Event]]) -> None:
        """Fold messages into them."""
        if self._let_go:
            await self._bring_back(row for row in projection.rows_of(messages) if row not in self._views)
        changed = projection.fold(self._views, messages)
        for row, placed in changed.items():
            self._views.pop(row, None)
            self._views[row] = placed
        self._unwritten.update(changed)
        if len(self._views) > HELD_MAX:
            await self.write()
            for row in list(self._views)[: len(self._views) - HELD_MAX // 2]:
                del self._views[row]
                self._in_table.discard(row)
            self._let_go = True

    async def write(self) -> None:
        """Write those that are not in the table as they are here."""
        changed = {row: self._views[row] for row in self._views if row in self._unwritten}
        await write_views(self._tx, changed, self._in_table, _document)
        self._in_table |= self._unwritten
        self._unwritten.clear()

    async def _bring_back(self, rows: Iterable[Row]) -> None:
        for row, document, position in await documents(self._tx, rows):
            self._views[row] = Placed(VIEW_TYPES[row[0]].model.model_validate_json(document), position)
            self._in_table.add(row)


def _document(row: Row, view: View) -> str:
    del row
    return view.model_dump_json()


async def _pages(reading: Reading, page: sa.Select[Any]) -> AsyncIterator[Sequence[sa.Row[Any]]]:
    after = 0
    while rows := (await reading.execute(page, {"after": after, "rows_max": REPLAYED_ROWS_MAX})).all():
        yield rows
        after = rows[-1].sequence


def _read(rows: Iterable[Sequence[Any]]) -> list[Message[Event]]:
    """Return what was said, but for what only a later release can read, before a way back to this one."""
    messages = []
    for sequence, time, position, type_, body in rows:
        try:
            messages.append(_message(time, position, TYPES[type_].model_validate_json(body)))
        except (KeyError, ValidationError):
            log.warning("event.passed_over", type=type_, sequence=sequence)
    return messages


def _message(time: datetime, position: int, body: Event) -> Message[Event]:
    """Return the message as far as folds look at it: what happened, when, and where in the story.

    It has nothing else: to set all that a message has takes a third as long as to read it.
    """
    message = Message.__new__(Message)
    put = object.__setattr__  # past the freezing
    put(message, "time", time)
    put(message, "body", body)
    put(message, "position", position)
    return message
