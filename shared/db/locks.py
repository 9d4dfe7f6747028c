"""Locks that have a name, for what no row stands for: a row that may not be there yet, or many at once.

SQLite has one writer, which is lock enough.
"""

from collections.abc import Sequence
from functools import lru_cache
from hashlib import sha256
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import GenericFunction

from shared.db.database import Reading

KEYS_REMEMBERED_MAX = 1_000


class _Hold(GenericFunction[Any]):
    """Waits for the lock and keeps it until the transaction ends."""

    name = "hold_until_the_transaction_ends"
    inherit_cache = True


@compiles(_Hold, "postgresql")
def _advisory(element: _Hold, compiler: SQLCompiler, **kwargs: Any) -> str:
    return f"pg_advisory_xact_lock{compiler.process(element.clause_expr, **kwargs)}"


@compiles(_Hold, "sqlite")
def _nothing(element: _Hold, compiler: SQLCompiler, **kwargs: Any) -> str:
    return compiler.process(element.clause_expr, **kwargs)


_HOLD = sa.select(_Hold(sa.bindparam("lock", type_=sa.BigInteger)))


async def hold(connection: Reading, *names: str) -> None:
    """Make everybody else who wants one of these wait until this transaction ends.

    Whoever came before has committed by then, and every statement after this one sees what it wrote.
    Ask for all of a transaction's names at once: they are taken in one order, so that two cannot wait
    for each other.
    """
    for key in _in_order(names):
        await connection.execute(_HOLD, {"lock": key})


def _in_order(names: Sequence[str]) -> list[int]:
    return sorted({lock_key(name) for name in names})


@lru_cache(KEYS_REMEMBERED_MAX)
def lock_key(name: str) -> int:
    """Return the number of the advisory lock of that name."""
    return int.from_bytes(sha256(f"windlass {name}".encode()).digest()[:8], signed=True)
