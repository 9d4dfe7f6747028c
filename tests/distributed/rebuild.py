"""The read model against one made anew from the history (L3), in a transaction that is undone."""

import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from services.status import tables
from services.status.store.writing import Projection
from shared.clock import Clock, SystemClock
from shared.db import Database, Noted, Reading, ServiceDatabase
from shared.db.postgres import PostgresDatabase
from tests.distributed.trial import Trial

COMPARED_MAX = 3  # times, before a difference counts as one

Views = Mapping[str, tuple[Any, ...]]


class _Undone(Exception):  # noqa: N818 - named for what is the case
    """Rolls back, and is nobody's trouble."""


@dataclass
class Undoing:
    """A database on which nothing lasts; it keeps the views as they were before each end."""

    inner: Database
    clock: Clock = field(default_factory=SystemClock)
    seen: Views = field(default_factory=dict)

    @asynccontextmanager
    async def begin(self, *, reserved: bool = False) -> AsyncIterator[tuple[Reading, set[str]]]:
        try:
            async with self.inner.begin(reserved=reserved) as (connection, noted):
                yield connection, noted
                self.seen = await _views(connection)
                raise _Undone
        except _Undone:
            return

    def reading(self) -> AbstractAsyncContextManager[Reading]:
        return self.inner.reading()

    def on_commit(self, listener: Callable[[Noted], None]) -> None:
        self.inner.on_commit(listener)

    async def close(self) -> None:
        await self.inner.close()


async def views_of(trial: Trial) -> Views:
    """Return the read model as it is."""
    database = PostgresDatabase(trial.ground.database, SystemClock())
    try:
        async with database.reading() as reading:
            return await _views(reading)
    finally:
        await database.close()


async def rebuilt_differently(trial: Trial) -> list[str]:
    """Return which views are not what the history makes of them.

    What is live is looked at meanwhile: a view may be one event older than its rebuild, but not each time.
    """
    database = PostgresDatabase(trial.ground.database, SystemClock())
    try:
        found = await _compared(trial, database)
        for _ in range(COMPARED_MAX - 1):
            found = found and await _compared(trial, database)
    finally:
        await database.close()
    return found


async def _compared(trial: Trial, database: Database) -> list[str]:
    async with database.reading() as reading:
        before = await _views(reading)
    undoing = Undoing(database)
    await Projection(ServiceDatabase(undoing, "status")).rebuild()
    trial.counts["views"] = len(before)
    return differences(before, undoing.seen)


def differences(kept: Views, rebuilt: Views) -> list[str]:
    """Return what differs, view by view."""
    found = [f"view {name} is not in a rebuild" for name in sorted(kept.keys() - rebuilt.keys())]
    found += [f"view {name} is only in a rebuild" for name in sorted(rebuilt.keys() - kept.keys())]
    for name in sorted(kept.keys() & rebuilt.keys()):
        if kept[name] != rebuilt[name]:
            found.append(f"view {name} is {kept[name]}, rebuilt {rebuilt[name]}")
    return found


async def _views(reading: Reading) -> Views:
    rows = await reading.execute(sa.select(tables.views))
    return {row.id: (row.kind, row.scope, row.about, row.number, row.position, json.loads(row.document))
            for row in rows}  # fmt: skip
