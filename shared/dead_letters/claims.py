"""Which replica hands a letter over: a short lease on its row, renewed while it is in hand.

Should two have it all the same, the inbox makes it once.
"""

from collections.abc import Collection
from dataclasses import dataclass, fields
from datetime import timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from shared.db import INSTANT, Cause, Database, ServiceDatabase, tables
from shared.dead_letters.letter import Letter
from shared.dead_letters.letter_state import TERMINAL, LetterState, LetterTrigger, moved_by

LEASE = timedelta(seconds=15)  # three sweeps: how long a letter waits whose replica died
KEPT = timedelta(days=90)  # letters that a person is done with

Rows = tables.dead_letters.c

_HANDED_OVER, _ = moved_by(LetterTrigger.HANDLED)
_COLUMNS = tuple(Rows[field.name] for field in fields(Letter))
_FREE = (
    sa.select(*_COLUMNS)
    .where(
        Rows.state.in_(_HANDED_OVER),
        Rows.consumer_group.in_(sa.bindparam("groups", expanding=True)),
        sa.or_(Rows.taken_until.is_(None), Rows.taken_until < sa.bindparam("now", type_=INSTANT)),
    )
    .order_by(Rows.time, Rows.position, Rows.id)  # those of a key as they were said
    .limit(sa.bindparam("count_max"))
)
_FREE_AND_HELD = _FREE.with_for_update(skip_locked=True)
_TAKE = (
    sa.update(tables.dead_letters)
    .where(Rows.id.in_(sa.bindparam("ids", expanding=True)), Rows.state.in_(_HANDED_OVER))
    .values(taken_until=sa.bindparam("until", type_=INSTANT))
)
_DONE_LONG_AGO = sa.and_(Rows.state.in_(TERMINAL), Rows.changed_at < sa.bindparam("oldest", type_=INSTANT))
_OLD = sa.select(Rows.id).where(_DONE_LONG_AGO).limit(1)
_FORGET = sa.delete(tables.dead_letters).where(_DONE_LONG_AGO)


@dataclass(frozen=True, slots=True)
class Claims:
    """The letters that some groups are to hear again."""

    database: Database
    groups: Collection[str]

    async def take(self, count_max: int) -> list[Letter]:
        """Return letters that nobody else has in hand, and keep others off them for a while."""
        wanted = {"groups": list(self.groups), "now": self.database.clock.now(), "count_max": count_max}
        async with self.database.reading() as reading:
            if not (await reading.execute(_FREE, wanted)).all():
                return []
        async with self.database.begin() as (connection, _):
            rows = (await connection.execute(_FREE_AND_HELD, wanted)).mappings().all()
            if rows:
                await connection.execute(_TAKE, self._lease([row["id"] for row in rows]))
        return [Letter(**{**row, "state": LetterState(row["state"])}) for row in rows]

    async def renew(self, letters: Collection[UUID]) -> None:
        """Keep others off these for another while."""
        if letters:
            async with self.database.begin() as (connection, _):
                await connection.execute(_TAKE, self._lease(letters))

    async def prune(self) -> None:
        """Forget what a person was done with long ago."""
        oldest = {"oldest": self.database.clock.now() - KEPT}
        async with self.database.reading() as reading:
            if not (await reading.execute(_OLD, oldest)).all():
                return
        async with self.database.begin() as (connection, _):
            await connection.execute(_FORGET, oldest)

    def _lease(self, letters: Collection[UUID]) -> dict[str, Any]:
        return {"ids": list(letters), "until": self.database.clock.now() + LEASE}


async def replayed(db: ServiceDatabase, letter: Letter) -> None:
    """Write down that the letter's group has handled it; what became of it meanwhile stands."""
    before, after = moved_by(LetterTrigger.HANDLED)
    async with db.transaction(Cause(letter.id), "dead_letter.replayed") as tx:
        change = sa.update(tables.dead_letters).where(Rows.id == letter.id, Rows.state.in_(before))
        await tx.execute(change.values(state=after.value, changed_at=tx.now, taken_until=None))


async def refused(db: ServiceDatabase, letter: Letter, why: str) -> None:
    """Write down that the letter's group cannot hear it: it waits for a person again."""
    before, after = moved_by(LetterTrigger.REFUSED)
    async with db.transaction(Cause(letter.id), "dead_letter.refused") as tx:
        change = sa.update(tables.dead_letters).where(Rows.id == letter.id, Rows.state.in_(before))
        values = {"state": after.value, "changed_at": tx.now, "note": why, "taken_until": None}
        if (await tx.execute(change.values(values))).rowcount:
            row = {"consumer_group": db.service, "event": letter.event, "heard_at": tx.now}
            await tx.insert_or_ignore(tables.inbox, row)
