"""The dead letters as a person deals with them: looked at, handed over again, discarded.

Each change is a compare-and-set on the letter's state, together with what the group's inbox says.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from shared.db import INSTANT, Cause, Reading, ServiceDatabase, Transaction, tables
from shared.dead_letters.letter import FOREIGN, Letter
from shared.dead_letters.letter_state import OPEN, LetterState, LetterTrigger, moved_by

NOTED = "dead-letters"  # what listeners hear after a commit that asked for a letter
REPLAYED_AT_ONCE_MAX = 1_000
DISCARDED_AT_ONCE_MAX = 1_000
COUNTED_MAX = 10_000  # more are said to be as many
NAMED_ALIKE_MAX = 10  # letters told of when a prefix fits several
ID_DIGITS = 32

Rows = tables.dead_letters.c
Place = tuple[datetime, UUID]  # of a letter in the list

_COLUMNS = tuple(Rows[field.name] for field in fields(Letter))
_FORGET_HEARD = sa.delete(tables.inbox).where(
    tables.inbox.c.consumer_group == sa.bindparam("of_group"),
    tables.inbox.c.event == sa.bindparam("of_event"),
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which letters are meant; empty fields mean all."""

    states: frozenset[LetterState] = OPEN
    group: str = ""
    type: str = ""
    foreign: bool | None = None  # only those that were never an event of ours, or only the others

    def condition(self) -> sa.ColumnElement[bool]:
        """Return it as the database understands it."""
        narrowing = [(Rows.consumer_group, self.group), (Rows.type, self.type)]
        wanted = [column == value for column, value in narrowing if value]
        if self.foreign is not None:
            wanted.append(Rows.type == FOREIGN if self.foreign else Rows.type != FOREIGN)
        return sa.and_(Rows.state.in_([state.value for state in self.states]), *wanted)


@dataclass(frozen=True, slots=True)
class Letters:
    """All letters of an installation; whoever changes one does so in the name of a person."""

    db: ServiceDatabase

    async def listed(self, wanted: Wanted, before: Place | None, limit: int) -> list[Letter]:
        """Return letters, those that died last first."""
        query = sa.select(*_COLUMNS).where(wanted.condition())
        if before is not None:
            place = sa.tuple_(sa.literal(before[0], INSTANT), sa.literal(before[1], sa.Uuid))
            query = query.where(sa.tuple_(Rows.died_at, Rows.id) < place)
        query = query.order_by(Rows.died_at.desc(), Rows.id.desc()).limit(limit)
        async with self.db.reading() as reading:
            return await _letters(reading, query)

    async def count(self, wanted: Wanted) -> int:
        """Return how many there are."""
        found = sa.select(Rows.id).where(wanted.condition()).limit(COUNTED_MAX).subquery()
        async with self.db.reading() as reading:
            counted: int = (await reading.execute(sa.select(sa.func.count()).select_from(found))).scalar_one()
        return counted

    async def named(self, prefix: str) -> list[Letter]:
        """Return the letters whose id begins like this; only a few of many."""
        digits = prefix.replace("-", "").lower()
        if len(digits) > ID_DIGITS:
            return []
        first, last = UUID(digits.ljust(ID_DIGITS, "0")), UUID(digits.ljust(ID_DIGITS, "f"))
        query = sa.select(*_COLUMNS).where(Rows.id.between(first, last)).order_by(Rows.id)
        async with self.db.reading() as reading:
            return await _letters(reading, query.limit(NAMED_ALIKE_MAX))

    async def replay(self, letter: UUID, actor: str, note: str) -> bool:
        """Have the letter's group hear it again; False when it does not wait."""
        async with self.db.transaction(Cause(letter), "dead_letter.asked") as tx:
            return bool(await _ask(tx, Rows.id == letter, 1, actor, note))

    async def replay_all(self, wanted: Wanted, actor: str, note: str) -> int:
        """Have the oldest of these heard again, as many as one transaction takes; returns how many."""
        async with self.db.transaction(Cause(UUID(int=0)), "dead_letter.asked") as tx:
            return await _ask(tx, wanted.condition(), REPLAYED_AT_ONCE_MAX, actor, note)

    async def discard_all(self, wanted: Wanted, actor: str, note: str) -> int:
        """Put the oldest of these that wait away for good, as many as one transaction takes.

        They are heard as it is: whoever waits for a person was buried. One that is asked for is left.
        """
        waiting, _ = moved_by(LetterTrigger.REPLAY_ASKED)
        which = sa.and_(wanted.condition(), Rows.state.in_(waiting))
        async with self.db.transaction(Cause(UUID(int=0)), "dead_letter.discarded") as tx:
            found = await _locked(tx, which, LetterTrigger.DISCARD_ASKED, DISCARDED_AT_ONCE_MAX)
            if found:
                await _move(tx, found, LetterTrigger.DISCARD_ASKED, {"changed_by": actor, "note": note})
            return len(found)

    async def discard(self, letter: UUID, actor: str, note: str) -> bool:
        """Put the letter away for good; False when it is too late for that.

        A replica that is handing it over meanwhile finds it heard, and leaves it.
        """
        async with self.db.transaction(Cause(letter), "dead_letter.discarded") as tx:
            found = await _locked(tx, Rows.id == letter, LetterTrigger.DISCARD_ASKED, 1)
            if not found:
                return False
            row = {"consumer_group": found[0].consumer_group, "event": found[0].event, "heard_at": tx.now}
            unheard = await tx.insert_or_ignore(tables.inbox, row)
            if not unheard and LetterState(found[0].state) in moved_by(LetterTrigger.HANDLED)[0]:
                return False  # it was handled a moment ago, and will say so
            await _move(tx, found, LetterTrigger.DISCARD_ASKED, {"changed_by": actor, "note": note})
            return True


async def _letters(reading: Reading, query: sa.Select[Any]) -> list[Letter]:
    rows = (await reading.execute(query)).mappings()
    return [Letter(**{**row, "state": LetterState(row["state"])}) for row in rows]


async def _ask(tx: Transaction, which: sa.ColumnElement[bool], count_max: int, actor: str, note: str) -> int:
    found = await _locked(tx, which, LetterTrigger.REPLAY_ASKED, count_max)
    if not found:
        return 0
    # Without this its group would take it for heard, which it is: it was buried.
    pairs = [{"of_group": row.consumer_group, "of_event": row.event} for row in found]
    await tx.execute(_FORGET_HEARD, pairs)
    changes = {"changed_by": actor, "note": note, "taken_until": None}
    await _move(tx, found, LetterTrigger.REPLAY_ASKED, changes)
    tx.noted.add(NOTED)
    return len(found)


async def _locked(
    tx: Transaction, which: sa.ColumnElement[bool], trigger: LetterTrigger, count_max: int
) -> Sequence[sa.Row[Any]]:
    before, _ = moved_by(trigger)
    query = sa.select(Rows.id, Rows.consumer_group, Rows.event, Rows.state)
    query = query.where(which, Rows.state.in_(before)).order_by(Rows.died_at, Rows.id)
    return (await tx.execute(query.limit(count_max).with_for_update())).all()


async def _move(
    tx: Transaction, found: Sequence[sa.Row[Any]], trigger: LetterTrigger, changes: dict[str, Any]
) -> None:
    _, after = moved_by(trigger)
    which = sa.update(tables.dead_letters).where(Rows.id.in_([row.id for row in found]))
    await tx.execute(which.values(state=after.value, changed_at=tx.now, **changes))
