"""What waits in the kernel's tables, in the whole installation: for readiness and for figures."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from shared.db import tables
from shared.db.columns import INSTANT
from shared.db.database import Database

READY = frozenset({"ready"})  # a state that nobody but time and a free slot releases
ROWS_COUNTED_MAX = 10_000  # of the outbox; more is said as this many, for counting takes its time

# What every group has passed is only kept for a while on the embedded bus; on Kafka it is removed, and
# there are no cursors.
_PASSED = sa.select(sa.func.coalesce(sa.func.min(tables.bus_cursors.c.position), 0)).scalar_subquery()
_WAITING = (
    sa.select(tables.outbox.c.time)
    .where(tables.outbox.c.position > _PASSED)
    .order_by(tables.outbox.c.position)
    .limit(ROWS_COUNTED_MAX)
    .subquery()
)
_OUTBOX = sa.select(
    sa.func.count().label("rows"), sa.func.min(_WAITING.c.time, type_=INSTANT).label("oldest")
)
_WORK = (
    sa.select(
        tables.work.c.service,
        tables.work.c.state,
        sa.func.count().label("rows"),
        sa.func.min(tables.work.c.not_before, type_=INSTANT).label("oldest"),
    )
    .where(tables.work.c.state != "done")
    .group_by(tables.work.c.service, tables.work.c.state)
)
_NOTHING = sa.select(sa.literal(1))


@dataclass(frozen=True, slots=True)
class Backlog:
    """How much, and how long."""

    outbox_rows: int
    outbox_seconds: float  # age of the oldest
    work_rows: Mapping[tuple[str, ...], float]  # by service and state
    ready_seconds: Mapping[tuple[str, ...], float]  # by service: how long its oldest has been ready


async def look(database: Database) -> Backlog:
    """Count what waits."""
    now = database.clock.now()
    async with database.reading() as reading:
        outbox = (await reading.execute(_OUTBOX)).one()
        work = (await reading.execute(_WORK)).all()
    return Backlog(
        outbox_rows=outbox.rows,
        outbox_seconds=_age(now, outbox.oldest),
        work_rows={(row.service, row.state): row.rows for row in work},
        ready_seconds={(row.service,): _age(now, row.oldest) for row in work if row.state in READY},
    )


async def answers(database: Database) -> str:
    """Return the empty string; raises `TryAgain` when the database does not answer."""
    async with database.reading() as reading:
        await reading.execute(_NOTHING)
    return ""


def _age(now: datetime, oldest: datetime | None) -> float:
    return max((now - oldest).total_seconds(), 0.0) if oldest else 0.0
