"""Writing the letter, in the transaction that says the message is dead."""

from typing import Any
from uuid import UUID

import sqlalchemy as sa

from shared.db import Transaction, tables
from shared.dead_letters.letter import kept, letter_id
from shared.dead_letters.letter_state import LetterState, LetterTrigger, moved_by
from shared.events.envelope import Message

Letters = tables.dead_letters.c


async def hold_letter(tx: Transaction, event: UUID) -> None:
    """Lock the letter, if there is one: before the inbox, as whoever replays or discards it does."""
    letter = sa.select(Letters.id).where(Letters.id == letter_id(tx.source, event))
    await tx.execute(letter.with_for_update())


async def write_letter(tx: Transaction, message: Message[Any], attempts: int, reason: str) -> int:
    """Keep a dead message; returns how often it has died, 0 if a person is done with it."""
    id_ = letter_id(tx.source, message.id)
    death = {"reason": reason, "attempts": attempts, "died_at": tx.now, "changed_at": tx.now}
    first = (
        kept(message)
        | death
        | {
            "id": id_,
            "consumer_group": tx.source,
            "deaths": 1,
            "state": LetterState.WAITING.value,
            "changed_by": "",
            "note": "",
        }
    )
    if await tx.insert_or_ignore(tables.dead_letters, first):
        return 1
    return await _dies_again(tx, Letters.id == id_, death)


async def _dies_again(tx: Transaction, which: sa.ColumnElement[bool], death: dict[str, Any]) -> int:
    before, after = moved_by(LetterTrigger.DIED)
    again = sa.update(tables.dead_letters).where(which, Letters.state.in_(before))
    values = death | {"state": after.value, "deaths": Letters.deaths + 1, "taken_until": None}
    if (await tx.execute(again.values(values))).rowcount == 0:
        return 0
    deaths: int = (await tx.execute(sa.select(Letters.deaths).where(which))).scalar_one()
    return deaths


def role(group: str, deaths: int) -> str:
    """Return the role in which the event of a death follows from the message."""
    return group if deaths == 1 else f"{group}, death {deaths}"
