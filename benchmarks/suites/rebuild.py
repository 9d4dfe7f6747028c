"""The read model made anew from its events, and what no way of doing it could do without.

The floors are measured over the same rows in the same minute: reading the histories, parsing their bodies as
JSON and nothing more, writing the views' rows. All of it is one thread of Python.
"""

import json
import sqlite3
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from benchmarks.budgets import WINDLASS
from benchmarks.figures import Series, one_each
from benchmarks.recorded import record
from benchmarks.stored import made, opened, past, rolling, write
from benchmarks.suite import Bench, in_turns
from services.status.store.writing import Projection
from shared.db import ServiceDatabase

DEPLOYMENTS = 10_000
DEPLOYMENTS_IN_BRIEF = 500
SUBJECT, UNIT = "rebuild of the read model", "events a second"
SUBJECTS = (SUBJECT,)

_EVENTS = "SELECT body FROM status_history UNION ALL SELECT body FROM status_log_chunks"
_VIEWS = "SELECT * FROM status_views ORDER BY id"


@dataclass(frozen=True, slots=True)
class Stored:
    """A database whose views can be made anew."""

    file: Path
    deployments: int
    events: int

    async def rebuild(self) -> float:
        """Return how many events it took in a second."""
        database = opened(self.file)
        begun = time.perf_counter()
        await Projection(ServiceDatabase(database, "status")).rebuild()
        took = time.perf_counter() - begun
        await database.close()
        return self.events / took

    async def read(self) -> float:
        """Read every event, and do nothing with it."""
        with closing(sqlite3.connect(self.file)) as database:
            return self._rate(lambda: sum(1 for _ in database.execute(_EVENTS)))

    async def parse(self) -> float:
        """Parse every event as JSON, in memory by then."""
        with closing(sqlite3.connect(self.file)) as database:
            bodies = [body for (body,) in database.execute(_EVENTS)]
        # None is kept: to find room for all of them takes longer than to parse them.
        return self._rate(lambda: deque(map(json.loads, bodies), maxlen=0))

    async def write(self) -> float:
        """Write every view's row once, in memory by then."""
        with closing(sqlite3.connect(self.file, isolation_level=None)) as database:
            views = database.execute(_VIEWS).fetchall()
            marks = ", ".join("?" for _ in views[0])

            def write() -> None:
                database.execute("BEGIN IMMEDIATE")
                database.execute("DELETE FROM status_views")
                database.executemany(f"INSERT INTO status_views VALUES ({marks})", views)  # noqa: S608
                database.execute("COMMIT")

            return self._rate(write)

    def _rate(self, act: Callable[[], object]) -> float:
        begun = time.perf_counter()
        act()
        return self.events / (time.perf_counter() - begun)

    def digest(self) -> str:
        """Return a digest of all views."""
        digest = sha256()
        with closing(sqlite3.connect(self.file)) as database:
            for row in database.execute(_VIEWS):
                digest.update(repr(row).encode())
        return digest.hexdigest()


async def measure(bench: Bench) -> Sequence[Series]:
    """Rebuild it, in turns with the floors."""
    stored = await _stored(bench)
    before = stored.digest()
    ways: dict[str, Callable[[], Awaitable[float]]] = {
        WINDLASS: stored.rebuild,
        "floor: SQLite reads the events": stored.read,
        "floor: json.loads of the events": stored.parse,
        "floor: SQLite writes the views": stored.write,
    }
    found = await in_turns(ways, bench)
    assert stored.digest() == before, "a rebuild gives the same views"
    note = f"{stored.events} events of {stored.deployments} deployments, output included"
    return [Series(SUBJECT, party, UNIT, one_each(rates), note=note) for party, rates in found.items()]


async def _stored(bench: Bench) -> Stored:
    folder = bench.folder / "recorded"
    folder.mkdir()
    told = await past(await record(folder))
    deployments = DEPLOYMENTS_IN_BRIEF if bench.effort.brief else DEPLOYMENTS
    file = bench.folder / "windlass.db"
    await made(file)
    write(file, told, deployments, await rolling(told, deployments))
    with closing(sqlite3.connect(file)) as database:
        (events,) = database.execute(f"SELECT count(*) FROM ({_EVENTS})").fetchone()  # noqa: S608
    bench.tell(f"{events} events are stored")
    return Stored(file, deployments, events)
