"""The effects of a test's services: a table of notes, in which doing something twice shows."""

import sqlalchemy as sa

from shared.db import Database, Reading, Transaction

_metadata = sa.MetaData()  # not the product's: no migration knows this table

notes = sa.Table(
    "notes",
    _metadata,
    sa.Column("place", sa.Integer, primary_key=True),
    sa.Column("writer", sa.String, nullable=False),
    sa.Column("text", sa.String, nullable=False),
)


async def lay_out(database: Database) -> None:
    async with database.begin() as (connection, _):
        await connection.execute(sa.schema.CreateTable(notes, if_not_exists=True))


async def note(tx: Transaction | Reading, writer: str, text: str) -> None:
    await tx.execute(sa.insert(notes).values(writer=writer, text=text))


async def noted(database: Database, writer: str) -> list[str]:
    """Return what `writer` has noted and committed, in order."""
    query = sa.select(notes.c.text).where(notes.c.writer == writer).order_by(notes.c.place)
    async with database.reading() as reading:
        return [row.text for row in await reading.execute(query)]
