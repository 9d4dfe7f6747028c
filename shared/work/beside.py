"""Orders done along with one that is in hand: of its kind and share, waiting, finished in its transaction.

Where a look at the world answers many orders, each of them still is an order of its own. Nobody claims
those that are done along: they are finished where they stand, if they still wait as they were seen
waiting. Otherwise the transaction is undone whole, and whoever has claimed one meanwhile decides it.
An order that was ever handed back is left out: what is wrong with it must not hold up the others.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from shared import metrics
from shared.db import INSTANT, ServiceDatabase, Transaction
from shared.db.tables import work
from shared.faults import TryAgain
from shared.work.orders import Order
from shared.work.statement import OPEN
from shared.work.workers import Claim, Workers

_WAITING = sa.and_(work.c.state == "ready", work.c.attempts == 0, work.c.cancel_reason.is_(None))

_BESIDE = (
    sa.select(work)
    .where(
        work.c.service == sa.bindparam("its_service"),
        work.c.not_before <= sa.bindparam("now", type_=INSTANT),
        OPEN,
        work.c.kind == sa.bindparam("its_kind"),
        work.c.share == sa.bindparam("its_share"),
        _WAITING,
    )
    .order_by(work.c.created_at, work.c.id)
    .limit(sa.bindparam("orders_max"))
)
# Passed over when somebody has it locked, and so never waited for: replicas may want the same ones.
_STILL_WAITING = (
    sa.select(work.c.id)
    .where(work.c.id.in_(sa.bindparam("ids", expanding=True)), _WAITING)
    .with_for_update(skip_locked=True)
)
_FINISH = (
    sa.update(work)
    .where(work.c.id.in_(_STILL_WAITING))
    .values(state="done", finished_at=sa.bindparam("now", type_=INSTANT))
)


@dataclass(frozen=True, slots=True)
class Beside:
    """Looks for orders beside a claim, and finishes them with it."""

    db: ServiceDatabase
    workers: Workers
    orders_max: int

    async def waiting(self, claim: Claim) -> list[Order]:
        """Return what could be done along with the claim, in order; nothing once it was handed back."""
        if claim.attempts:
            return []
        wanted = {
            "its_service": self.db.service,
            "now": self.db.clock.now(),
            "its_kind": claim.order.kind,
            "its_share": claim.order.share,
            "orders_max": self.orders_max,
        }
        async with self.db.reading() as reading:
            rows = (await reading.execute(_BESIDE, wanted)).all()
        return [
            Order(row.id, row.kind, row.share, row.payload, row.correlation, row.traceparent) for row in rows
        ]

    async def finish(self, tx: Transaction, orders: Sequence[Order]) -> None:
        """Finish them; raises `TryAgain` when somebody else has one of them by now."""
        if not orders:
            return
        finished = await tx.execute(_FINISH, {"ids": [order.id for order in orders], "now": tx.now})
        if finished.rowcount != len(orders):
            raise TryAgain("another replica has claimed one of the orders that wait beside this one")

        def ended(committed: bool) -> None:  # noqa: FBT001 - how a transaction tells its end
            if committed:
                metrics.WORK.add(self.db.service, orders[0].kind, "done", by=len(orders))
                self.workers.forget(order.id for order in orders)

        tx.ends.append(ended)
