"""PostgreSQL for tests: one server for the run, a fresh database of its own for each test.

For tests that stop or kill a server, `OwnPostgres`.
"""

import asyncio
import os
import secrets
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar
from urllib.parse import urlsplit

import asyncpg

from tests.servers.native_postgres import SUPERUSER, OwnPostgres, binaries
from tests.servers.run import Facts, NoServer, once
from tests.servers.way import Wanted, choose, docker_obstacle

__all__ = ["OwnPostgres", "address", "create_database", "drop_database", "fresh_database"]

IMAGE = "postgres:17.9-bookworm"  # as in compose.yaml
ENVIRONMENT = {"POSTGRES_USER": SUPERUSER, "POSTGRES_DB": "postgres", "POSTGRES_HOST_AUTH_METHOD": "trust"}
COMMAND = "-c fsync=off -c full_page_writes=off -c max_connections=200"
WANTED = Wanted(
    name="PostgreSQL",
    variable="WINDLASS_TEST_POSTGRES",
    example="postgresql://user:password@host:port/postgres",
    programs="PostgreSQL's own server programs",
    packages="postgresql",
)

Result = TypeVar("Result")


def prepare() -> None:
    """Choose the way and fetch what it needs: it may take longer than a test is given."""
    if _way()["way"] == "docker":
        address()


def address() -> str:
    """Return the administrator's way into the run's server, started if it was not."""
    return once("postgres", _start)["address"]


@contextmanager
def fresh_database() -> Iterator[str]:
    """Give the address of a new, empty database on the run's server, for a while; also where a loop runs."""
    database = _blocking(create_database(address()))
    try:
        yield database
    finally:
        _blocking(drop_database(database))


async def create_database(server: str) -> str:
    """Return the address of a new, empty database on `server`."""
    name = f"t{secrets.token_hex(6)}"
    # Not FILE_COPY: it takes as long for an empty one, and makes a checkpoint of everybody's work.
    await _execute(server, f'CREATE DATABASE "{name}" TEMPLATE template0')
    return urlsplit(server)._replace(path=f"/{name}").geturl()


async def drop_database(database: str) -> None:
    """Remove a database and cut the connections it still has; nothing if it is gone."""
    parts = urlsplit(database)
    server = parts._replace(path="/postgres").geturl()
    await _execute(server, f'DROP DATABASE IF EXISTS "{parts.path[1:]}" WITH (FORCE)')


async def _execute(server: str, statement: str) -> None:
    connection = await asyncpg.connect(server)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def _blocking(work: Coroutine[Any, Any, Result]) -> Result:
    with ThreadPoolExecutor(1) as aside:
        return aside.submit(asyncio.run, work).result()


def _way() -> Facts:
    given = os.environ.get(WANTED.variable, "")
    return once(
        "postgres-way", lambda: choose(WANTED, given, lambda: docker_obstacle(IMAGE), _native_obstacle)
    )


def _native_obstacle() -> str:
    try:
        binaries()
    except NoServer as problem:
        return str(problem)
    return ""


def _start() -> Facts:
    way = _way()
    match way["way"]:
        case "environment":
            return way
        case "docker":
            return {"address": _contained()}
    server = OwnPostgres()
    server.start()
    return {"address": server.url}


def _contained() -> str:
    from tests.servers.engine import Contained  # noqa: PLC0415 - see docker_obstacle

    container = Contained(IMAGE, 5432, ENVIRONMENT, COMMAND)
    url = f"postgresql://{SUPERUSER}@127.0.0.1:{container.port}/postgres"
    container.start(lambda: _accepts(url))
    return url


def _accepts(url: str) -> bool:
    try:
        _blocking(_execute(url, "SELECT 1"))
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        return False
    return True
