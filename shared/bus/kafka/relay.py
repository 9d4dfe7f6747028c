"""The outbox, carried to the topics: right after each commit, and by a sweep for what a crash left.

Any process may carry, one at a time: a lock of the database that lasts as long as the transaction.
A row is deleted when it is published, so it may be published again after a crash in between, and
never out of its key's order:

- positions of one key grow with its commits, since whoever says two things in an order says the
  second one later, or under the same row lock;
- a partition's rows are appended batch after batch; when one is not, those behind it wait.

A carrier that is frozen loses its transaction to the database's own limit, and with it the lock.
"""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Protocol

import sqlalchemy as sa
import structlog

from shared import metrics
from shared.crash import point
from shared.db import INSTANT, Database, Noted, lock_key, tables
from shared.delivery import backoff_seconds
from shared.faults import TryAgain
from shared.outage import Outage

ROWS_MAX = 500  # outbox rows carried at once
BYTES_MAX = 4 * 1024 * 1024  # of their bodies; one alone may be larger
PAGES_MAX = 4  # looked through for a row whose partition answers
SWEEP_SECONDS = 2.0  # what was committed by a process that died before it carried it waits this long
INBOX_KEPT = timedelta(days=21)  # longer than any topic can still give a message again
PRUNED_EVERY = timedelta(hours=1)
PRUNED_ROWS_MAX = 2_000  # in one transaction
FAULTS_TOLD_EVERY = 10  # of those in a row, after the first

log = structlog.get_logger()

# The delete may be lost with a power cut: then it is published again, which is nothing new.
_HOLD = sa.select(
    sa.func.set_config("synchronous_commit", "off", sa.true()),
    sa.func.pg_advisory_xact_lock(lock_key("relay")),
)
_NEXT = (
    sa.select(
        tables.outbox,
        sa.func.sum(sa.func.octet_length(tables.outbox.c.body))
        .over(order_by=tables.outbox.c.position)
        .label("bytes_by_now"),
    )
    .where(tables.outbox.c.position > sa.bindparam("behind"))
    .order_by(tables.outbox.c.position)
    .limit(ROWS_MAX)
)
_FORGET = sa.delete(tables.outbox).where(
    tables.outbox.c.position.in_(sa.bindparam("positions", expanding=True))
)
_LONG_HEARD = (
    sa.select(tables.inbox.c.consumer_group, tables.inbox.c.event)
    .where(tables.inbox.c.heard_at < sa.bindparam("oldest", type_=INSTANT))
    .limit(PRUNED_ROWS_MAX)
    .with_for_update(skip_locked=True)
)
_FORGET_HEARD = sa.delete(tables.inbox).where(
    sa.tuple_(tables.inbox.c.consumer_group, tables.inbox.c.event).in_(_LONG_HEARD)
)


class Topics(Protocol):
    """Where the rows go."""

    async def prepare(self) -> None:
        """Be ready to write; `TryAgain` when that is not possible now."""
        ...

    async def publish(self, rows: Sequence[sa.Row[Any]]) -> set[int]:
        """Return the positions of those that are there for good; `TryAgain` when none is."""
        ...


class Relay:
    """Carries what is committed."""

    def __init__(self, database: Database, topics: Topics) -> None:
        self._database = database
        self._topics = topics
        self._committed = asyncio.Event()
        self._prune_at = database.clock.now()
        self._outage = Outage(database.clock, "relay.failed", "relay.resumed", FAULTS_TOLD_EVERY)
        database.on_commit(self._hear)

    async def run(self) -> None:
        """Carry until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._sweep())
            while True:
                await self._committed.wait()
                self._committed.clear()
                try:
                    while await self._carry():
                        pass
                except TryAgain as fault:
                    self._outage.failed(str(fault))
                    pause = min(backoff_seconds(self._outage.failures), SWEEP_SECONDS)
                    await self._database.clock.sleep(pause)
                    self._committed.set()

    def _hear(self, noted: Noted) -> None:
        if "outbox" in noted:
            self._committed.set()

    async def _sweep(self) -> None:
        while True:
            self._committed.set()
            try:
                await self._prune()
            except TryAgain as fault:
                log.warning("inbox.unpruned", reason=str(fault))
            await self._database.clock.sleep(SWEEP_SECONDS)

    async def _carry(self) -> bool:
        """Carry the oldest rows; tell whether there may be more."""
        await self._topics.prepare()  # before the lock: who cannot write keeps nobody from it
        async with self._database.begin(reserved=True) as (connection, _):
            await connection.execute(_HOLD)
            behind, pages = 0, 0
            while True:
                found = (await connection.execute(_NEXT, {"behind": behind})).all()
                rows = [row for row in found if row is found[0] or row.bytes_by_now <= BYTES_MAX]
                if not rows:
                    if pages == 0:  # else there are some, and none of their partitions answers
                        self._outage.over()
                    return False
                point("relay.read")
                published = await self._topics.publish(rows)
                pages += 1
                if published or pages == PAGES_MAX:
                    break
                behind = rows[-1].position  # these wait for partitions that do not answer; others need not
            point("relay.published")
            await connection.execute(_FORGET, {"positions": list(published)})
        if published:
            self._outage.over()
        for row in rows:
            if row.position in published:
                metrics.PUBLISHED.add(row.topic)
        point("relay.forgotten")
        all_that_was_there = not behind and len(published) == len(found) < ROWS_MAX
        return bool(published) and not all_that_was_there  # what is committed since has told us so

    async def _prune(self) -> None:
        now = self._database.clock.now()
        if now < self._prune_at:
            return
        self._prune_at = now + PRUNED_EVERY
        pruned = PRUNED_ROWS_MAX
        while pruned == PRUNED_ROWS_MAX:
            async with self._database.begin() as (connection, _):
                pruned = (await connection.execute(_FORGET_HEARD, {"oldest": now - INBOX_KEPT})).rowcount
