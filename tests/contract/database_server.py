"""Databases of a test's own on the PostgreSQL server, copied from one that has all tables.

One that a test is done with is emptied for the next test of this program, which takes a tenth of the
time that another copy would.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from hashlib import sha256
from typing import Any
from uuid import uuid4

import asyncpg
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import create_async_engine

from deploy.migrations.alembic_run import import_tables
from shared.db import lock_key, metadata
from tests.servers import postgres

_END_SESSIONS = """
SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
_EMPTY = """
DO $$ DECLARE name text; filled boolean; BEGIN
    FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM %I)', name) INTO filled;
        IF filled THEN EXECUTE format('DELETE FROM %I', name); END IF;
    END LOOP;
END $$
"""
_done_with: list[str] = []  # databases of this program


async def with_tables() -> str:
    """Return the URL of a database that has every table and no row."""
    if _done_with:
        url = _done_with.pop()
        async with _connected(url) as connection:
            await connection.execute(_END_SESSIONS)
            await connection.execute(_EMPTY)
        return url
    async with _connected(postgres.address()) as server:
        name = f"windlass_{uuid4().hex}"
        await server.execute(f"CREATE DATABASE {name} TEMPLATE {await _template(server)}")
    return _url_of(name)


def done_with(url: str) -> None:
    """Leave a database that has its tables to another test."""
    _done_with.append(url)


async def remove_all() -> None:
    """Drop what this program's tests are done with."""
    while _done_with:
        await postgres.drop_database(_done_with.pop())


async def _template(server: Any) -> str:
    """Return the database to copy, made by whichever program needs it first."""
    name = f"windlass_tables_{_fingerprint()}"
    await server.execute("SELECT pg_advisory_lock($1)", lock_key(name))
    if not await server.fetchval("SELECT true FROM pg_database WHERE datname = $1", name):
        await server.execute(f"DROP DATABASE IF EXISTS {name}_unfinished WITH (FORCE)")
        await server.execute(f"CREATE DATABASE {name}_unfinished")
        url = sa.make_url(_url_of(f"{name}_unfinished")).set(drivername="postgresql+asyncpg")
        engine = create_async_engine(url)
        async with engine.begin() as connection:
            await connection.run_sync(metadata.create_all)
        await engine.dispose()
        await server.execute(f"ALTER DATABASE {name}_unfinished RENAME TO {name}")
    await server.execute("SELECT pg_advisory_unlock($1)", lock_key(name))
    return name


@cache
def _fingerprint() -> str:
    """Return what tells this checkout's tables from those of another on the same server."""
    import_tables()
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    made = [sa.schema.CreateTable(table).compile(dialect=dialect) for table in metadata.sorted_tables]
    indexes = sorted((i for t in metadata.sorted_tables for i in t.indexes), key=lambda i: i.name or "")
    made += [sa.schema.CreateIndex(index).compile(dialect=dialect) for index in indexes]
    return sha256("".join(map(str, made)).encode()).hexdigest()[:16]


@asynccontextmanager
async def _connected(url: str) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


def _url_of(name: str) -> str:
    return sa.make_url(postgres.address()).set(database=name).render_as_string(False)
