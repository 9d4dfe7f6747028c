"""The workers of one service in one process: claim, lease, heartbeat, cancel, hand back.

A claim raises the order's fence; whoever writes a result shows its fence, and an old one is refused.
An order placed in this process is claimed as it is placed when a slot is free and nobody waits for
one. What was not is searched for: at once after a commit here, by a short poll after one elsewhere.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Protocol
from uuid import UUID

import sqlalchemy as sa
import structlog

from shared import metrics
from shared.crash import point
from shared.db import Cause, Noted, ServiceDatabase, Transaction
from shared.delivery import backoff_seconds, failure_of, reason_of
from shared.faults import TryAgain
from shared.outage import Outage
from shared.work import statement
from shared.work.orders import Order
from shared.work.turns import Turns

LEASE_SECONDS = 15.0  # a silent worker's orders are free after this
KEPT = timedelta(days=7)  # orders that are done; as long as the events that could ask for them again
PRUNED_EVERY = timedelta(hours=1)
HEARTBEAT_SECONDS = 1.0  # orders and cancels of other processes, and orders whose time has come, are found
RENEW_BELOW_SECONDS = 10.0  # leases with less left are renewed: hosts' clocks may be nine seconds apart
CROWD = 100  # orders that wait: from here on it takes longer to search than to claim
ATTEMPTS_MAX = 14  # times "not possible now" is believed: about five minutes

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
    finished: bool = False  # its result is committed

    @property
    def cause(self) -> Cause:
        """Return what the results of this claim follow from: the order, whichever claim wins."""
        return self.order.cause


@dataclass(frozen=True, slots=True)
class Held:
    """A claim and the task that carries it out."""

    claim: Claim
    task: asyncio.Task[None]


class Worker(Protocol):
    """Carries out the orders of one kind."""

    async def work(self, claim: Claim) -> None:
        """Do it and write the result through `Workers.finishing`; safe to repeat from any point.

        Watches `claim.cancelled`. Raises `TryAgain` to have the order handed back with backoff. Is
        cancelled itself when the workers stop, or the claim is lost: what it started may go on then.
        """
        ...

    async def give_up(self, claim: Claim, why: str) -> None:
        """Write the result of an order that cannot be done: it was tried to the limit, or broke."""
        ...


class Workers:
    """Claims a service's orders and runs its workers in bounded slots."""

    def __init__(self, db: ServiceDatabase, name: str, slots: int, share_slots: int = 0) -> None:
        self._db = db
        self._name = name  # stable and exclusive: a restart under it takes its own claims back
        self._slots = slots
        self._share_slots = share_slots or slots  # of one share; with 1, its orders go in their order
        self._workers: Mapping[str, Worker] = {}
        self._held: dict[UUID, Held] = {}
        self._taken: dict[UUID, str] = {}  # shares of orders taken in transactions that are still open
        self._turns = Turns()
        self._renew_at = db.clock.now()
        self._prune_at = db.clock.now() + PRUNED_EVERY
        self._wake = asyncio.Event()
        self._nobody_waits = False  # as far as the last look saw
        self._found: dict[UUID, sa.Row[Any]] = {}  # orders that wait, from the last search
        self._found_for = 0  # claims: then we search again
        self._found_until = db.clock.now()
        self._tasks: asyncio.TaskGroup | None = None
        self._claiming = Outage(db.clock, "work.claim_failed", "work.claimed_again", service=db.service)
        self._beating = Outage(db.clock, "work.heartbeat_failed", "work.heartbeat_back", service=db.service)
        self._starting = Outage(db.clock, "work.start_delayed", "work.started", service=db.service)
        db.database.on_commit(self._hear)
        db.takers.append(self)

    async def run(self, workers: Mapping[str, Worker]) -> None:
        """Work until cancelled; then hand back what is in hand, for another to take up."""
        self._workers = workers
        await self._take_back()
        self._wake.set()
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._beat())
                self._tasks = tasks
                try:
                    while True:
                        await self._wake.wait()
                        self._wake.clear()
                        await self._look_around()
                finally:
                    self._tasks = None
        finally:
            await asyncio.shield(self._hand_back())

    @asynccontextmanager
    async def finishing(
        self, claim: Claim, first: Callable[[Transaction], Awaitable[object]] | None = None
    ) -> AsyncIterator[Transaction]:
        """Open the transaction that writes the order's result; raises `FenceLost` for a late worker.

        `first` takes the locks that whoever cancels the order holds while cancelling it.
        """
        async with self._db.transaction(claim.cause, claim.order.kind) as tx:
            if first is not None:
                await first(tx)
            mine = {"its_id": claim.order.id, "its_fence": claim.fence, "now": tx.now}
            if (await tx.execute(statement.FINISH, mine)).rowcount == 0:
                raise FenceLost(f"order {claim.order.id} was claimed by another worker")
            yield tx
        claim.finished = True

    @asynccontextmanager
    async def holding(self, claim: Claim, name: str) -> AsyncIterator[Transaction]:
        """Open a transaction for something the claim says on its way; raises `FenceLost` too."""
        async with self._db.transaction(claim.cause, name) as tx:
            if (await tx.execute(statement.FENCE, {"its_id": claim.order.id})).scalar() != claim.fence:
                raise FenceLost(f"order {claim.order.id} was claimed by another worker")
            yield tx

    def take(self, order: UUID, kind: str, share: str) -> Mapping[str, Any] | None:
        """See `Taker`: taken when a slot is free that nobody waits for."""
        waited_for = self._wake.is_set() or not self._nobody_waits
        if self._tasks is None or waited_for or kind not in self._workers:
            return None
        if order in self._held or order in self._taken or not self._has_room(share):
            return None
        self._taken[order] = share
        until = self._db.clock.now() + timedelta(seconds=LEASE_SECONDS)
        return {"state": "claimed", "fence": 1, "worker": self._name, "lease_until": until}

    def taken(self, order: UUID, row: Mapping[str, Any] | None) -> None:
        """See `Taker`; what is taken while we stop is found claimed by whoever takes our name back."""
        self._taken.pop(order)
        if row is not None and self._tasks is not None:
            self._begin(_claim_of(row), self._tasks)
        else:
            self._wake.set()  # a slot is free again

    def _has_room(self, share: str) -> bool:
        in_hand = self._in_hand()
        return in_hand.total() < self._slots and in_hand[share] < self._share_slots

    def _in_hand(self) -> Counter[str]:
        held = (each.claim.order.share for each in self._held.values())
        return Counter([*held, *self._taken.values()])

    def _begin(self, claim: Claim, tasks: asyncio.TaskGroup) -> None:
        self._turns.served(claim.order.share)
        self._held[claim.order.id] = Held(claim, tasks.create_task(self._carry_out(claim)))
        metrics.WORK_IN_HAND.set(len(self._held), self._db.service)

    def _hear(self, noted: Noted) -> None:
        if f"work:{self._db.service}" in noted:
            self._wake.set()

    async def _look_around(self) -> None:
        """Tell the work in hand what became of its orders, then claim for every free slot."""
        self._nobody_waits = False
        try:
            await self._look_after_held()
            while self._in_hand().total() < self._slots and (claim := await self._claim_next()):
                assert self._tasks is not None, "claims are made while we run"
                self._begin(claim, self._tasks)
        except TryAgain as fault:
            self._claiming.failed(str(fault))
        else:
            self._claiming.over()

    async def _claim_next(self) -> Claim | None:
        """Claim the order whose turn it is."""
        in_hand = self._in_hand()
        for row in self._turns.in_order(await self._waiting(in_hand), in_hand):
            self._found.pop(row.id, None)
            left, self._found_for = self._found_for - 1, 0  # unless it is ours: others claim beside us
            if claim := await self._claim(row):
                self._found_for = left
                return claim
        return None

    def forget(self, orders: Iterable[UUID]) -> None:
        """Claim none of these that were found waiting: they are done."""
        for order in orders:
            self._found.pop(order, None)

    async def _waiting(self, in_hand: Mapping[str, int]) -> Sequence[sa.Row[Any]]:
        """Return what could be claimed. Of a crowd, one search does for as many claims as there are slots."""
        full = [share for share, count in in_hand.items() if count >= self._share_slots]
        left = [row for row in self._found.values() if row.share not in full]
        is_good = self._found_for > 0 and self._db.clock.now() < self._found_until
        return left if left and is_good else await self._search(full)

    async def _search(self, full: Sequence[str]) -> Sequence[sa.Row[Any]]:
        values: dict[str, Any] = {"its_service": self._db.service, "kinds": list(self._workers), "full": full}
        values |= {"held": [*self._held, *self._taken], "now": self._db.clock.now()}
        async with self._db.reading() as reading:
            rows = (await reading.execute(statement.OLDEST_OF_EACH_SHARE, values)).all()
            others = full and (await reading.execute(statement.ANY_OF_FULL_SHARES, values)).first()
        self._nobody_waits = not rows and not others
        self._found = {row.id: row for row in rows}
        self._found_for = self._slots if len(rows) >= CROWD else 0
        self._found_until = self._db.clock.now() + timedelta(seconds=HEARTBEAT_SECONDS)
        return rows

    async def _claim(self, row: sa.Row[Any]) -> Claim | None:
        cause = Cause(row.id, row.correlation, row.traceparent)
        async with self._db.transaction(cause, f"{row.kind}.claim") as tx:
            until = tx.now + timedelta(seconds=LEASE_SECONDS)
            values = {"its_id": row.id, "its_fence": row.fence, "now": tx.now, "name": self._name}
            if (await tx.execute(statement.CLAIM, values | {"until": until})).rowcount == 0:
                return None
            row = (await tx.execute(statement.CLAIMED, {"its_id": row.id})).one()
        return _claim_of(row._asdict())

    async def _carry_out(self, claim: Claim) -> None:
        worker = self._workers[claim.order.kind]
        try:
            point(f"{self._db.service}.{claim.order.kind}.claimed")
            why = self._judge(claim, await failure_of(worker.work(claim)))
            if why:
                await self._not_now(worker, claim, why)
            elif claim.finished:
                self._count(claim, "done")
        finally:
            self._held.pop(claim.order.id, None)
            metrics.WORK_IN_HAND.set(len(self._held), self._db.service)
            if not self._nobody_waits:
                self._wake.set()

    def _judge(self, claim: Claim, error: BaseException | None) -> str:
        """Return why there is no result yet, or the empty string when nothing is left to be done."""
        if isinstance(error, FenceLost):
            log.warning("work.fence_lost", service=self._db.service, kind=claim.order.kind)
            self._count(claim, "lost")
            return ""
        if isinstance(error, TryAgain):
            why = str(error)
        elif error is not None:
            log.error("work.broke", service=self._db.service, kind=claim.order.kind, exc_info=error)
            why = f"{type(error).__name__}: {error}"
        else:
            why = "it ended without a result"
        return "" if claim.finished else reason_of(why)

    async def _not_now(self, worker: Worker, claim: Claim, why: str) -> None:
        """Hand the order back for later, or give it up at the limit."""
        if claim.attempts + 1 >= ATTEMPTS_MAX or claim.cancelled.is_set():
            if not self._judge(claim, await failure_of(worker.give_up(claim, why))):
                self._count(claim, "given_up")
                return
            log.warning("work.kept", service=self._db.service, kind=claim.order.kind, reason=why)
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
            values = {
                "its_id": claim.order.id,
                "its_fence": claim.fence,
                "attempts_by_now": claim.attempts + 1,
                "untold": not claim.cancelled.is_set(),
                "now": tx.now,
                "later": tx.now + timedelta(seconds=pause),
            }
            await tx.execute(statement.PUT_BACK, values)
        self._count(claim, "put_back")

    def _count(self, claim: Claim, outcome: str) -> None:
        metrics.WORK.add(self._db.service, claim.order.kind, outcome)

    async def _beat(self) -> None:
        while True:
            await self._db.clock.sleep(HEARTBEAT_SECONDS)
            try:
                if await self._renew():
                    self._beating.over()
                await self._prune()
            except TryAgain as fault:
                self._beating.failed(str(fault))
            self._wake.set()

    async def _prune(self) -> None:
        """Forget what was done long ago, now and then: until that, ordering it again does nothing."""
        now = self._db.clock.now()
        if now < self._prune_at:
            return
        self._prune_at = now + PRUNED_EVERY
        async with self._db.database.begin() as (connection, _):
            oldest = {"its_service": self._db.service, "oldest": now - KEPT}
            await connection.execute(statement.FORGET_DONE, oldest)

    async def _renew(self) -> bool:
        """Keep what is in hand, on a connection that no handler can take from us; False when it need not."""
        now = self._db.clock.now()
        if not self._held or now < self._renew_at:
            return False
        until = now + timedelta(seconds=LEASE_SECONDS)
        async with self._db.database.begin(reserved=True) as (connection, _):
            mine: dict[str, Any] = {"held": list(self._held), "name": self._name, "until": until}
            renewed = (await connection.execute(statement.RENEW, mine)).rowcount
        if renewed == len(mine["held"]):  # those that are locked at the moment are tried at the next beat
            self._renew_at = now + timedelta(seconds=LEASE_SECONDS - RENEW_BELOW_SECONDS)
        return True

    async def _look_after_held(self) -> None:
        """Pass cancels on, and stop whoever works on for a claim that another has by now."""
        if not self._held:
            return
        async with self._db.reading() as reading:
            rows = (await reading.execute(statement.OF_HELD, {"held": list(self._held)})).all()
        for row in rows:
            held = self._held.get(row.id)
            if held and row.fence != held.claim.fence:
                if not held.task.cancelling():
                    log.warning("work.claim_lost", service=self._db.service, kind=held.claim.order.kind)
                    held.task.cancel()
            elif held and row.cancel_reason is not None:
                _tell(held.claim, row.cancel_reason)

    async def _take_back(self) -> None:
        """Free what an earlier life of this worker held: its name is exclusive, so it is dead."""
        while True:
            try:
                await self._free_mine()
            except TryAgain as fault:
                self._starting.failed(str(fault))
                await self._db.clock.sleep(HEARTBEAT_SECONDS)
            else:
                return self._starting.over()

    async def _hand_back(self) -> None:
        """Free what was in hand; its processes go on, and the next claim re-attaches to them."""
        with suppress(TryAgain):
            await self._free_mine()

    async def _free_mine(self) -> None:
        """Free one by one: nobody who cancels several can then wait for us while we wait for them."""
        mine = {"its_service": self._db.service, "name": self._name}
        async with self._db.reading() as reading:
            orders = (await reading.execute(statement.MINE, mine)).scalars().all()
        for order in orders:
            async with self._db.database.begin() as (connection, noted):
                await connection.execute(statement.FREE, {"its_id": order, "name": self._name})
                noted.add(f"work:{self._db.service}")


def _claim_of(row: Mapping[str, Any]) -> Claim:
    order = Order(
        row["id"], row["kind"], row["share"], row["payload"], row["correlation"], row["traceparent"]
    )
    claim = Claim(order, row["fence"], row["attempts"])
    if row.get("cancel_reason") is not None:
        _tell(claim, row["cancel_reason"])
    return claim


def _tell(claim: Claim, reason: str) -> None:
    claim.cancel_reason = reason
    claim.cancelled.set()
