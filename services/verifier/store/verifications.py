"""Which verifications are under way, so that the end of a run can call its probes off.

A verification's order of work is locked before its row here: whoever writes a verdict begins with it.
"""

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa

from services.verifier.soak import Noted
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


async def note_soak(tx: Transaction, verification: UUID, noted: Noted) -> bool:
    """Remember how it is watched; False: nobody waits for its verdict any more."""
    mine = sa.update(verifications).where(verifications.c.verification == verification)
    row = {"soaks_until": noted.until, "restarts_when_met": dict(noted.restarts)}
    return (await tx.execute(mine.values(row))).rowcount == 1


async def soak_noted(reading: Reading, verification: UUID) -> Noted | None:
    """Return how it is watched, if it has met its criteria."""
    columns = verifications.c.soaks_until, verifications.c.restarts_when_met
    mine = sa.select(*columns).where(verifications.c.verification == verification)
    row = (await reading.execute(mine)).first()
    if row is None or row.soaks_until is None:
        return None
    return Noted(row.soaks_until, row.restarts_when_met or {})


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
