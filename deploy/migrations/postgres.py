"""The same for PostgreSQL, where several processes may start at once and others are at work meanwhile."""

import sqlalchemy as sa

from deploy.migrations import apply_missing
from shared.db import lock_key
from shared.db.postgres import PostgresDatabase
from shared.db.postgres.faults import passing_faults
from shared.faults import Refused

_ONE_AT_A_TIME = sa.text("SELECT pg_advisory_xact_lock(:key)").bindparams(key=lock_key("schema"))
_HAS_VERSION = sa.text("SELECT to_regclass('alembic_version') IS NOT NULL")
_VERSION = sa.text("SELECT version_num FROM alembic_version")


async def bring_up_to_date(database: PostgresDatabase) -> list[str]:
    """Apply what is missing and return it; whoever else is at it does it first, and then nothing is.

    Refused for a database that cannot be used or that a newer Windlass has written; TryAgain when it is
    away, or when a table that is to change stays in use.
    """
    try:
        with passing_faults("be brought up to date"):
            async with database.writer.begin() as connection:
                await connection.execute(sa.text("SET LOCAL statement_timeout = 0"))
                lock_seconds = (await connection.execute(sa.text("SHOW lock_timeout"))).scalar_one()
                await connection.execute(sa.text("SET LOCAL lock_timeout = 0"))  # it ends: see its own limits
                await connection.execute(_ONE_AT_A_TIME)
                await connection.execute(
                    sa.text("SELECT set_config('lock_timeout', :limit, true)"), {"limit": lock_seconds}
                )
                return await connection.run_sync(apply_missing)
    except sa.exc.DBAPIError as error:
        raise Refused(f"the database cannot be used: {error.orig}") from error


async def current(database: PostgresDatabase) -> str | None:
    """Return the revision that the database has, None for an empty one; TryAgain when it is away."""
    async with database.reading() as reading:
        if not (await reading.execute(_HAS_VERSION)).scalar():
            return None
        found: str | None = (await reading.execute(_VERSION)).scalar()
        return found
