"""Ordering work and calling it off, in the transaction of whoever decides it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from shared.db import Cause, Taker, Transaction
from shared.db.tables import work

UNCLAIMED: Mapping[str, Any] = {"state": "ready", "fence": 0, "worker": None, "lease_until": None}

_CANCEL = (
    sa.update(work)
    .where(work.c.id == sa.bindparam("its_id"), work.c.state != "done")
    .values(
        cancel_reason=sa.func.coalesce(work.c.cancel_reason, sa.bindparam("reason", type_=sa.String)),
        not_before=sa.bindparam("now"),
    )
)


@dataclass(frozen=True, slots=True)
class Order:
    """One piece of work. Its id is derived, so that ordering it twice orders it once."""

    id: UUID
    kind: str  # which of the service's workers takes it
    share: str  # whose turn it uses up; queues are fair between shares
    payload: dict[str, Any]  # JSON
    correlation: str = ""
    traceparent: str = ""

    @property
    def cause(self) -> Cause:
        """Return what the results follow from: the order, whoever carries it out."""
        return Cause(self.id, self.correlation, self.traceparent)


@dataclass(slots=True)
class _Offer:
    """An order that somebody takes if what places it is committed."""

    taker: Taker
    order: UUID
    claim: Mapping[str, Any]
    inserted: Mapping[str, Any] | None = None

    def ended(self, committed: bool) -> None:  # noqa: FBT001 - how a transaction tells its end
        """Tell the taker what became of it."""
        self.taker.taken(self.order, self.inserted if committed else None)


async def place(tx: Transaction, order: Order, not_before: datetime | None = None) -> None:
    """Order the work for the transaction's own service; safe to repeat, also after it is done.

    A worker of this process that is free has it at once, claimed as it is placed: what is committed
    then needs no search and no second commit before it is begun.
    """
    row = {
        "id": order.id,
        "service": tx.source,
        "kind": order.kind,
        "share": order.share,
        "payload": order.payload,
        "correlation": order.correlation or tx.cause.correlation,
        "traceparent": order.traceparent or tx.cause.traceparent,
        "attempts": 0,
        "not_before": not_before or tx.now,
        "created_at": tx.now,
    }
    offer = _taken(tx, order) if not_before is None else None
    row |= offer.claim if offer else UNCLAIMED
    if not await tx.insert_or_ignore(work, row):
        return
    if offer:
        offer.inserted = row
    else:
        tx.noted.add(f"work:{tx.source}")


def _taken(tx: Transaction, order: Order) -> _Offer | None:
    for taker in tx.takers:
        claim = taker.take(order.id, order.kind, order.share)
        if claim is not None:
            offer = _Offer(taker, order.id, claim)
            tx.ends.append(offer.ended)  # before the insert, which may raise
            return offer
    return None


async def cancel(tx: Transaction, order: UUID, reason: str) -> bool:
    """Ask for the work to be stopped; False when it is done or was never ordered. The first reason stands.

    Its worker answers as for any other outcome: a cancelled order is finished by its worker, also
    when nobody had claimed it yet.
    """
    result = await tx.execute(_CANCEL, {"its_id": order, "reason": reason, "now": tx.now})
    if result.rowcount:
        tx.noted.add(f"work:{tx.source}")
    return result.rowcount == 1
