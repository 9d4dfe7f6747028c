"""The workers of one service in one process: claim, lease, heartbeat, cancel, hand back.

A claim raises the order's fence; whoever writes a result shows its fence, and an old one is refused.
The process that commits an order hears of it at once; others find it by a short poll.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

import sqlalchemy as sa
import structlog

from shared.crash import point
from shared.db import Cause, Noted, ServiceDatabase, Transaction
from shared.db.tables import work
from shared.delivery import backoff_seconds
from shared.faults import TryAgain
from shared.work.orders import Order

LEASE_SECONDS = 15.0  # a silent worker's orders are free after this
HEARTBEAT_SECONDS = 1.0  # a cancel from another process arrives within this
POLL_SECONDS = 1.0  # how soon orders committed by another process are found
RENEW_BELOW_SECONDS = 10.0  # leases with less left are renewed
ATTEMPTS_MAX = 8  # times "not possible now" is believed before the worker gives up
CANDIDATES_MAX = 200  # open orders looked at for one claim

log = structlog.get_logger()


class FenceLost(Exception):  # noqa: N818 - named for what happened
    """Somebody else has claimed the order since: nothing of this claim may be written."""


@dataclass(slots=True)
class Claim:
    """An order in hand."""

    order: Order
    fence: int
    attempts: int
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)
    cancel_reason: str = ""

    @property
    def cause(self) -> Cause:
        """Return what the results of this claim follow from: the order, whichever claim wins."""
        return Cause(self.order.id, self.order.correlation, self.order.traceparent)


class Worker(Protocol):
    """Carries out the orders of one kind."""

    async def work(self, claim: Claim) -> None:
        """Do it and write the result through `Workers.finishing`; safe to repeat from any point.

        Watches `claim.cancelled`. Raises `TryAgain` to have the order handed back with backoff.
        """
        ...

    async def give_up(self, claim: Claim, why: str) -> None:
        """Write the result of an order that cannot be done: it was tried to the limit, or broke."""
        ...


class Workers:
    """Claims a service's orders and runs its workers in bounded slots."""

    def __init__(self, db: ServiceDatabase, name: str, slots: int) -> None:
        self._db = db
        self._name = name  # stable and exclusive: a restart under it takes its own claims back
        self._slots = slots
        self._workers: Mapping[str, Worker] = {}
        self._held: dict[Any, Claim] = {}
        self._wake = asyncio.Event()
        db.database.on_commit(self._hear)

    async def run(self, workers: Mapping[str, Worker]) -> None:
        """Work until cancelled; then hand back what is in hand, for another to take up."""
        self._workers = workers
        await self._take_back()
        self._wake.set()
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._beat())
                while True:
                    with suppress(TimeoutError):
                        await asyncio.wait_for(self._wake.wait(), POLL_SECONDS)
                    self._wake.clear()
                    await self._claim_all(tasks)
        finally:
            await asyncio.shield(self._hand_back())

    @asynccontextmanager
    async def finishing(self, claim: Claim) -> AsyncIterator[Transaction]:
        """Open the transaction that writes the order's result; raises `FenceLost` for a late worker."""
        async with self._db.transaction(claim.cause, claim.order.kind) as tx:
            mine = sa.and_(
                work.c.id == claim.order.id, work.c.fence == claim.fence, work.c.state == "claimed"
            )
            done = {"state": "done", "finished_at": tx.now, "worker": None, "lease_until": None}
            if (await tx.execute(sa.update(work).where(mine).values(done))).rowcount == 0:
                raise FenceLost(f"order {claim.order.id} was claimed by another worker")
            yield tx

    @asynccontextmanager
    async def holding(self, claim: Claim, name: str) -> AsyncIterator[Transaction]:
        """Open a transaction for something the claim says on its way; raises `FenceLost` too."""
        async with self._db.transaction(claim.cause, name) as tx:
            query = sa.select(work.c.fence).where(work.c.id == claim.order.id).with_for_update()
            if (await tx.execute(query)).scalar() != claim.fence:
                raise FenceLost(f"order {claim.order.id} was claimed by another worker")
            yield tx

    def _hear(self, noted: Noted) -> None:
        if f"work:{self._db.service}" in noted:
            self._wake.set()

    async def _claim_all(self, tasks: asyncio.TaskGroup) -> None:
        await self._hear_cancels()
        while len(self._held) < self._slots:
            try:
                claim = await self._claim_next()
            except TryAgain as fault:
                log.warning("work.claim_failed", service=self._db.service, reason=str(fault))
                return
            if claim is None:
                return
            self._held[claim.order.id] = claim
            tasks.create_task(self._carry_out(claim))

    async def _claim_next(self) -> Claim | None:
        """Claim the next order: of the share with the fewest in hand, the oldest."""
        async with self._db.reading() as reading:
            free = sa.and_(
                work.c.service == self._db.service,
                work.c.kind.in_(list(self._workers)),
                work.c.not_before <= self._db.clock.now(),
                _claimable(self._db.clock.now()),
            )
            query = sa.select(work).where(free).order_by(work.c.created_at).limit(CANDIDATES_MAX)
            candidates = (await reading.execute(query)).all()
        in_hand = [claim.order.share for claim in self._held.values()]
        for row in sorted(candidates, key=lambda row: in_hand.count(row.share)):
            if row.id not in self._held and (claim := await self._claim(row)):
                return claim
        return None

    async def _claim(self, row: sa.Row[Any]) -> Claim | None:
        cause = Cause(row.id, row.correlation, row.traceparent)
        async with self._db.transaction(cause, f"{row.kind}.claim") as tx:
            unchanged = sa.and_(work.c.id == row.id, work.c.fence == row.fence, _claimable(tx.now))
            values = {
                "state": "claimed",
                "fence": row.fence + 1,
                "worker": self._name,
                "lease_until": tx.now + timedelta(seconds=LEASE_SECONDS),
            }
            if (await tx.execute(sa.update(work).where(unchanged).values(values))).rowcount == 0:
                return None
        order = Order(row.id, row.kind, row.share, row.payload, row.correlation, row.traceparent)
        claim = Claim(order, row.fence + 1, row.attempts)
        if row.cancel_reason is not None:
            _tell(claim, row.cancel_reason)
        return claim

    async def _carry_out(self, claim: Claim) -> None:
        worker = self._workers[claim.order.kind]
        try:
            await self._try(worker, claim)
        except FenceLost:
            log.warning("work.fence_lost", service=self._db.service, kind=claim.order.kind)
        finally:
            self._held.pop(claim.order.id, None)
            self._wake.set()

    async def _try(self, worker: Worker, claim: Claim) -> None:
        try:
            point(f"{self._db.service}.{claim.order.kind}.claimed")
            await worker.work(claim)
        except FenceLost:
            raise
        except TryAgain as fault:
            await self._not_now(worker, claim, str(fault))
        except Exception as error:  # the outermost loop: a bug must not stop the other orders
            log.exception("work.broke", service=self._db.service, kind=claim.order.kind)
            await self._not_now(worker, claim, f"{type(error).__name__}: {error}")

    async def _not_now(self, worker: Worker, claim: Claim, why: str) -> None:
        """Hand the order back for later, or give it up at the limit."""
        if claim.attempts + 1 >= ATTEMPTS_MAX or claim.cancelled.is_set():
            await worker.give_up(claim, why)
            return
        pause = backoff_seconds(claim.attempts + 1)
        while True:
            try:
                await self._put_back(claim, pause)
            except TryAgain:  # the database is away: the lease lapses if it stays so
                await self._db.clock.sleep(pause)
            else:
                return

    async def _put_back(self, claim: Claim, pause: float) -> None:
        async with self._db.transaction(claim.cause, f"{claim.order.kind}.put_back") as tx:
            mine = sa.and_(work.c.id == claim.order.id, work.c.fence == claim.fence)
            values = {
                "state": "ready",
                "attempts": claim.attempts + 1,
                "not_before": tx.now + timedelta(seconds=pause),
                "worker": None,
                "lease_until": None,
            }
            await tx.execute(sa.update(work).where(mine).values(values))

    async def _beat(self) -> None:
        while True:
            await self._db.clock.sleep(HEARTBEAT_SECONDS)
            if not self._held:
                continue
            try:
                await self._renew()
                await self._hear_cancels()
            except TryAgain as fault:
                log.warning("work.heartbeat_failed", service=self._db.service, reason=str(fault))

    async def _renew(self) -> None:
        now = self._db.clock.now()
        soon = now + timedelta(seconds=RENEW_BELOW_SECONDS)
        mine = sa.and_(work.c.id.in_(list(self._held)), work.c.worker == self._name)
        async with self._db.reading() as reading:
            query = sa.select(sa.func.count()).where(mine, work.c.lease_until < soon)
            lapsing = (await reading.execute(query)).scalar()
        if lapsing:
            until = now + timedelta(seconds=LEASE_SECONDS)
            async with self._db.database.begin() as (connection, _):
                await connection.execute(sa.update(work).where(mine).values(lease_until=until))

    async def _hear_cancels(self) -> None:
        if not self._held:
            return
        async with self._db.reading() as reading:
            asked = sa.and_(work.c.id.in_(list(self._held)), work.c.cancel_reason.is_not(None))
            rows = (await reading.execute(sa.select(work.c.id, work.c.cancel_reason).where(asked))).all()
        for row in rows:
            if row.id in self._held:
                _tell(self._held[row.id], row.cancel_reason)

    async def _take_back(self) -> None:
        """Free what an earlier life of this worker held: its name is exclusive, so it is dead."""
        await self._free(sa.and_(work.c.service == self._db.service, work.c.worker == self._name))

    async def _hand_back(self) -> None:
        """Free what is in hand; its processes go on, and the next claim re-attaches to them."""
        with suppress(TryAgain):
            await self._free(sa.and_(work.c.id.in_(list(self._held)), work.c.worker == self._name))

    async def _free(self, which: sa.ColumnElement[bool]) -> None:
        values = {"state": "ready", "worker": None, "lease_until": None}
        async with self._db.database.begin() as (connection, _):
            await connection.execute(sa.update(work).where(which, work.c.state == "claimed").values(values))


def _claimable(now: datetime) -> sa.ColumnElement[bool]:
    lapsed = sa.and_(work.c.state == "claimed", work.c.lease_until < now)
    return sa.or_(work.c.state == "ready", lapsed)


def _tell(claim: Claim, reason: str) -> None:
    claim.cancel_reason = reason
    claim.cancelled.set()
