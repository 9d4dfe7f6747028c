"""Which verifications are under way, so that the end of a run can call its probes off.

A verification's order of work is locked before its row here: whoever writes a verdict begins with it.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from services.verifier.tables import verifications
from shared.db import Reading, Transaction


async def note(tx: Transaction, verification: UUID, run: UUID, work: UUID) -> None:
    """Remember that `work` probes for the run."""
    row = {"verification": verification, "run": run, "work": work, "asked_at": tx.now}
    await tx.insert_or_ignore(verifications, row)


async def is_wanted(tx: Transaction, verification: UUID) -> bool:
    """Tell whether anybody still waits for the verdict."""
    mine = sa.select(sa.true()).where(verifications.c.verification == verification)
    return (await tx.execute(mine)).first() is not None


async def note_soak(tx: Transaction, verification: UUID, until: datetime) -> bool:
    """Remember until when it is watched; False: nobody waits for its verdict any more."""
    mine = sa.update(verifications).where(verifications.c.verification == verification)
    return (await tx.execute(mine.values(soaks_until=until))).rowcount == 1


async def soaks_until(reading: Reading, verification: UUID) -> datetime | None:
    """Return until when it is watched, if it has met its criteria."""
    noted = sa.select(verifications.c.soaks_until).where(verifications.c.verification == verification)
    found: datetime | None = (await reading.execute(noted)).scalar()
    return found


async def orders_of(tx: Transaction, run: UUID) -> Sequence[UUID]:
    """Return the orders that probe for the run."""
    mine = sa.select(verifications.c.work).where(verifications.c.run == run)
    in_order = mine.order_by(verifications.c.asked_at, verifications.c.work)
    return (await tx.execute(in_order)).scalars().all()


async def forget_run(tx: Transaction, run: UUID) -> None:
    """Drop what was under way for a run."""
    await tx.execute(sa.delete(verifications).where(verifications.c.run == run))


async def forget(tx: Transaction, verification: UUID) -> None:
    """Drop a verification that is over; safe to repeat."""
    await tx.execute(sa.delete(verifications).where(verifications.c.verification == verification))
