"""The few statements that the two databases spell differently but whose compilers share a spelling."""

from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.dml import Insert


class InsertOrIgnore(Insert):
    """INSERT … ON CONFLICT DO NOTHING, which both databases understand."""

    inherit_cache = True


@compiles(InsertOrIgnore)
def _on_conflict_do_nothing(statement: InsertOrIgnore, compiler: SQLCompiler, **kwargs: Any) -> str:
    insert: str = compiler.visit_insert(statement, **kwargs)  # type: ignore[no-untyped-call]
    return f"{insert} ON CONFLICT DO NOTHING"


@cache
def insert_or_ignore(table: sa.Table) -> Insert:
    """Return an insert that does nothing where a key is taken; its rowcount says which it was.

    Kept for each table: one that was run before is run again at a fraction of its cost. Inline: a
    RETURNING for a key that the database makes would have to stand behind the conflict clause.
    """
    return InsertOrIgnore(table).inline()
