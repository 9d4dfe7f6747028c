"""The database server that tests stand on: fresh databases, and a server that may be killed."""

import asyncio

import asyncpg
import pytest

from tests.servers import postgres


async def test_a_fresh_database_is_empty_and_ones_own(postgres_url: str) -> None:
    connection = await asyncpg.connect(postgres_url)
    await connection.execute("CREATE TABLE mine (id int)")
    await connection.close()
    with postgres.fresh_database() as other:
        connection = await asyncpg.connect(other)
        assert await connection.fetchval("SELECT to_regclass('mine')") is None
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):  # it went, though in use
        await connection.execute("SELECT 1")
    connection.terminate()


async def test_two_hundred_may_be_connected_at_once(postgres_url: str) -> None:
    connection = await asyncpg.connect(postgres_url)
    assert await connection.fetchval("SELECT current_setting('max_connections')::int") >= 200
    await connection.close()


async def test_a_server_that_was_killed_comes_back_with_what_was_committed(
    own_postgres: postgres.OwnPostgres,
) -> None:
    connection = await asyncpg.connect(own_postgres.url)
    await connection.execute("CREATE TABLE kept (id int)")
    await asyncio.to_thread(own_postgres.kill)
    assert own_postgres.pid is None
    await asyncio.to_thread(own_postgres.start)
    again = await asyncpg.connect(own_postgres.url)
    assert await again.fetchval("SELECT count(*) FROM kept") == 0
    await again.close()
    connection.terminate()
