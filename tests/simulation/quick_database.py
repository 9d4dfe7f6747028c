"""The embedded database once more, in memory and on one connection, for trials by the thousand.

Statements go the way they go in `shared/db/prepared.py`. It keeps
what `shared/db/sqlite.py` keeps: one writer at a time, readers that see what was committed last, faults as
SQLAlchemy's. That module itself is proved by the contract tests; what is simulated is whoever stands on it.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import sqlalchemy as sa

from shared.clock import Clock
from shared.db import Noted, Parameters, Reading, Rows
from shared.db.prepared import run
from tests.simulation.virtual_loop import VirtualLoop

STATEMENTS_KEPT = 1000  # prepared ones; there are some three hundred


class QuickConnection:
    """A connection inside one transaction."""

    __slots__ = ("_raw",)

    def __init__(self, raw: sqlite3.Connection) -> None:
        self._raw = raw

    async def execute(self, statement: sa.Executable, parameters: Parameters | None = None) -> Rows:
        """Run the statement at once."""
        rows = parameters if isinstance(parameters, list | tuple) else (parameters or {},)
        return run(self._raw, statement, rows)


class QuickDatabase:
    """The embedded database of a trial: in memory, on one connection.

    Nobody waits for anything inside a transaction but for its statements, which take no time. So there is
    never more than one open, whoever reads between two steps of the loop sees what was committed last, and
    one connection serves all. That this is so is checked at every end; it is what makes our short
    transactions right on SQLite, too.
    """

    def __init__(self, blank: bytes, clock: Clock) -> None:
        self.clock: Clock = clock
        self.commits = 0
        self._writing = asyncio.Lock()
        self._listeners: list[Callable[[Noted], None]] = []
        self.rows = sqlite3.connect(":memory:", isolation_level=None, cached_statements=STATEMENTS_KEPT)
        self.rows.deserialize(blank)
        self.rows.execute("PRAGMA foreign_keys=ON")
        self._connection = QuickConnection(self.rows)

    @asynccontextmanager
    async def begin(self, *, reserved: bool = False) -> AsyncIterator[tuple[Reading, set[str]]]:
        """Open the one write transaction."""
        del reserved
        noted: set[str] = set()
        async with self._writing:
            self.rows.execute("BEGIN")
            step = _step()
            try:
                yield self._connection, noted
                assert step == _step(), "a transaction waited for something"
            except BaseException:
                self.rows.execute("ROLLBACK")
                raise
            self.rows.execute("COMMIT")
            self.commits += 1
        if noted:
            for listener in self._listeners:
                listener(frozenset(noted))

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Reading]:
        """Open a connection on the state committed last."""
        assert not self.rows.in_transaction, "it would see what may yet be undone"
        step = _step()
        yield self._connection
        assert step == _step(), "whoever read waited for something meanwhile"

    def on_commit(self, listener: Callable[[Noted], None]) -> None:
        """Call `listener` after every commit that noted something."""
        self._listeners.append(listener)

    async def close(self) -> None:
        """Forget all of it."""
        self.rows.close()


def _step() -> int:
    """Return which of the loop's steps this is."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop), "the database of a trial lives in virtual time"
    return loop.steps
