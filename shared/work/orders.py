"""Ordering work and calling it off, in the transaction of whoever decides it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from shared.db import Transaction
from shared.db.tables import work


@dataclass(frozen=True, slots=True)
class Order:
    """One piece of work. Its id is derived, so that ordering it twice orders it once."""

    id: UUID
    kind: str  # which of the service's workers takes it
    share: str  # whose turn it uses up; queues are fair between shares
    payload: dict[str, Any]  # JSON
    correlation: str = ""
    traceparent: str = ""


async def place(tx: Transaction, order: Order, not_before: datetime | None = None) -> None:
    """Order the work for the transaction's own service; safe to repeat, also after it is done."""
    row = {
        "id": order.id,
        "service": tx.source,
        "kind": order.kind,
        "share": order.share,
        "payload": order.payload,
        "correlation": order.correlation or tx.cause.correlation,
        "traceparent": order.traceparent or tx.cause.traceparent,
        "state": "ready",
        "fence": 0,
        "attempts": 0,
        "not_before": not_before or tx.now,
        "created_at": tx.now,
    }
    if await tx.insert_or_ignore(work, row):
        tx.noted.add(f"work:{tx.source}")


async def cancel(tx: Transaction, order: UUID, reason: str) -> bool:
    """Ask for the work to be stopped; False when it is done or was never ordered. The first reason stands.

    Its worker answers as for any other outcome: a cancelled order is finished by its worker, also
    when nobody had claimed it yet.
    """
    open_ = sa.and_(work.c.id == order, work.c.state != "done")
    values = {"cancel_reason": sa.func.coalesce(work.c.cancel_reason, reason), "not_before": tx.now}
    result = await tx.execute(sa.update(work).where(open_).values(values))
    if result.rowcount:
        tx.noted.add(f"work:{tx.source}")
    return result.rowcount == 1
