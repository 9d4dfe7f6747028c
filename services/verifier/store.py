"""Which verifications are under way, so that the end of a run can call its probes off."""

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa

from services.verifier.tables import verifications
from shared.db import Transaction


async def note(tx: Transaction, verification: UUID, run: UUID, work: UUID) -> None:
    """Remember that `work` probes for the run."""
    row = {"verification": verification, "run": run, "work": work, "asked_at": tx.now}
    await tx.insert_or_ignore(verifications, row)


async def take(tx: Transaction, run: UUID) -> Sequence[UUID]:
    """Return the orders that probe for the run, and forget them: they are about to be called off."""
    mine = verifications.c.run == run
    query = sa.select(verifications.c.work).where(mine).order_by(verifications.c.asked_at)
    orders = (await tx.execute(query.with_for_update())).scalars().all()
    await tx.execute(sa.delete(verifications).where(mine))
    return orders


async def forget(tx: Transaction, verification: UUID) -> None:
    """Drop a verification that is over; safe to repeat."""
    await tx.execute(sa.delete(verifications).where(verifications.c.verification == verification))
