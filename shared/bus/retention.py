"""Where each group is in the outbox, and how long what all have passed is kept."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import takewhile

import sqlalchemy as sa

from shared.db import INSTANT, Reading, tables

KEPT = timedelta(days=7)  # delivered rows; the status service keeps the history for ever
PRUNED_ROWS_MAX = 2_000  # outbox rows looked at in one go, oldest first

_FORGET_CURSORS = sa.delete(tables.bus_cursors).where(
    tables.bus_cursors.c.consumer_group.in_(sa.bindparam("groups", expanding=True))
)
_WRITE_CURSOR = sa.insert(tables.bus_cursors)
_OLDEST = (
    sa.select(tables.outbox.c.position, tables.outbox.c.time)
    .order_by(tables.outbox.c.position)
    .limit(sa.bindparam("rows_max"))
)
_FORGET_EVENTS = sa.delete(tables.outbox).where(tables.outbox.c.position <= sa.bindparam("last"))
# Past an event that is undone, the inbox alone knows what was heard: it is kept as long as the event.
_FORGET_HEARD = sa.delete(tables.inbox).where(
    tables.inbox.c.heard_at < sa.bindparam("oldest", type_=INSTANT),
    tables.inbox.c.event.not_in(
        sa.select(tables.outbox.c.id).where(tables.outbox.c.position > sa.bindparam("done"))
    ),
)


async def save_cursors(connection: Reading, cursors: Mapping[str, int]) -> None:
    """Write how far these groups are."""
    await connection.execute(_FORGET_CURSORS, {"groups": list(cursors)})
    rows = [{"consumer_group": name, "position": position} for name, position in cursors.items()]
    await connection.execute(_WRITE_CURSOR, rows)


async def prune(connection: Reading, done: int, now: datetime) -> None:
    """Remove the oldest of what all groups have done; most often one look tells that none is so old."""
    oldest = now - KEPT
    for rows_max in (1, PRUNED_ROWS_MAX):
        rows = (await connection.execute(_OLDEST, {"rows_max": rows_max})).all()
        old = list(takewhile(lambda row: row.position <= done and row.time < oldest, rows))
        if not old:
            break
        last = old[-1].position
        await connection.execute(_FORGET_EVENTS, {"last": last})
    await connection.execute(_FORGET_HEARD, {"oldest": oldest, "done": done})
