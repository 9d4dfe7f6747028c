"""Which revisions were let through, and what keeps the others: read and written in one transaction."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa

from services.deployer import tables
from services.deployer.definition import HeldFor
from shared.db import Transaction

_arg = sa.bindparam
_revisions = tables.revisions.c
_this = (_revisions.pipeline == _arg("of"), _revisions.revision == _arg("number"))

STANDING = sa.select(_revisions.let_through_at, _revisions.held_for).where(*_this)
NEWEST = (
    sa.select(_revisions.revision)
    .where(_revisions.pipeline == _arg("of"), _revisions.let_through_at.is_not(None))
    .order_by(_revisions.revision.desc())
    .limit(1)
)
CHANGE = sa.update(tables.revisions).where(*_this)


class Standing(NamedTuple):
    """Where a revision stands before its way."""

    let_through_at: datetime | None
    held_for: HeldFor | None  # as it was judged last


@dataclass(frozen=True, slots=True)
class DefinitionStore:
    """Reads and writes of a transaction that has locked the pipeline."""

    tx: Transaction
    pipeline: str

    async def standing(self, revision: int) -> Standing:
        """Return where a planned revision stands."""
        row = (await self.tx.execute(STANDING, {"of": self.pipeline, "number": revision})).one()
        return Standing(row.let_through_at, HeldFor.model_validate(row.held_for) if row.held_for else None)

    async def newest(self) -> int | None:
        """Return the newest revision that was let through."""
        newest: int | None = (await self.tx.execute(NEWEST, {"of": self.pipeline})).scalar()
        return newest

    async def let_through(self, revision: int) -> None:
        """Note that nothing of its file keeps a revision any more."""
        values = {"of": self.pipeline, "number": revision, "let_through_at": self.tx.now}
        await self.tx.execute(CHANGE, values)

    async def hold(self, revision: int, held: HeldFor) -> None:
        """Keep what has to be approved of a revision."""
        values = {"of": self.pipeline, "number": revision, "held_for": held.model_dump(mode="json")}
        await self.tx.execute(CHANGE, values)
