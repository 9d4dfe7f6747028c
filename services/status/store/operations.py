"""Operations asked for: said once, however often the same one is asked for."""

from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa

from services.status import tables
from shared.db import Cause, ServiceDatabase
from shared.events import OperationRequested


@dataclass(frozen=True, slots=True)
class Asked:
    """What is known of an operation before it is heard of."""

    event: UUID  # the position to read from
    asked_sha256: str


@dataclass(frozen=True, slots=True)
class OperationStore:
    """Keeps which operations were asked for."""

    db: ServiceDatabase

    async def ask(self, operation: OperationRequested, asked_sha256: str) -> Asked:
        """Say the operation unless it was said; returns what was asked under its id first."""
        async with self.db.transaction(Cause(operation.operation), "operation.asked") as tx:
            asked = Asked(tx.id_of(operation), asked_sha256)
            values = {"operation": operation.operation, "event": asked.event, "asked_at": tx.now}
            if await tx.insert_or_ignore(tables.operations, values | {"asked_sha256": asked_sha256}):
                tx.emit(operation)
                return asked
            known = sa.select(tables.operations).where(tables.operations.c.operation == operation.operation)
            row = (await tx.execute(known)).one()
            return Asked(row.event, row.asked_sha256)
