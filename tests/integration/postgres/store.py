"""A database with one table, and what its own server tells of whoever uses it."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import sqlalchemy as sa

from shared.clock import ManualClock, SystemClock
from shared.db.postgres import PostgresDatabase, PostgresSettings
from tests.builders import START
from tests.contract.notes import lay_out, note

SHORT = PostgresSettings(
    application_name="short", writers_max=3, readers_max=2, wait_seconds=2.0, lock_seconds=0.3
)


@asynccontextmanager
async def opened(
    url: str, settings: PostgresSettings | None = None, clock: ManualClock | None = None
) -> AsyncIterator[PostgresDatabase]:
    """Open the database, whose table is there, and close it."""
    async with hasty(url, settings, clock) as database:
        await lay_out(database)
        yield database


@asynccontextmanager
async def hasty(
    url: str, settings: PostgresSettings | None = None, clock: ManualClock | None = None
) -> AsyncIterator[PostgresDatabase]:
    """Open the database as it is: to make its table may take longer than the settings allow."""
    database = PostgresDatabase(url, clock or SystemClock(), settings)
    yield database
    await database.close()


async def add(database: PostgresDatabase, text: str, *, touching: str = "") -> None:
    async with database.begin() as (connection, noted):
        await note(connection, "a", text)
        if touching:
            noted.add(touching)


async def asked(url: str, statement: str, *values: object) -> Sequence[Any]:
    """Ask the server past all that is tested."""
    connection = await asyncpg.connect(url)
    try:
        return list(await connection.fetch(statement, *values))
    finally:
        await connection.close()


async def end_sessions(url: str, condition: str = "true") -> None:
    """Cut connections, and return when their ends are gone from the server."""
    await asked(
        url,
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database() "
        f"AND pid <> pg_backend_pid() AND {condition}",
    )


async def sessions(url: str, condition: str) -> int:
    """Count the other sessions of this database that are so."""
    (row,) = await asked(
        url,
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
        f"AND pid <> pg_backend_pid() AND {condition}",
    )
    count: int = row[0]
    return count


NOW = START
ONE = sa.select(sa.literal(1))
