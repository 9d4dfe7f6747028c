"""The embedded database once more, without an engine: what SQLAlchemy compiles goes straight to SQLite.

A trial is some ten thousand statements. An engine spends five times as long on one as SQLite does: pools,
events, contexts. Here a statement is compiled once in a process and run with nothing in between. It keeps
what `shared/db/sqlite.py` keeps: one writer at a time, readers that see what was committed last, faults as
SQLAlchemy's. That module itself is proved by the contract tests; what is simulated is whoever stands on it.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.engine.result import IteratorResult, SimpleResultMetaData
from sqlalchemy.sql.compiler import SQLCompiler

from shared.clock import Clock
from shared.db import Noted, Parameters, Reading

READERS_KEPT_MAX = 4
DIALECT = SQLiteDialect_pysqlite(paramstyle="qmark")


class Rows(IteratorResult[Any]):
    """What a statement gave, all of it fetched."""

    rowcount = -1


@dataclass(slots=True)
class Spelled:
    """A statement as SQLite takes it, for lists of certain lengths."""

    text: str
    names: Sequence[str]
    processors: dict[str, Callable[[Any], Any]]
    lists: dict[str, list[str]]  # a list's name -> those of its elements
    metadata: SimpleResultMetaData | None
    results: list[tuple[int, Callable[[Any], Any]]]  # what is done to which columns

    def bound(self, values: dict[str, Any]) -> tuple[Any, ...]:
        """Return the values in their order, as SQLite takes them."""
        if self.lists:
            values = dict(values)
            for name, elements in self.lists.items():
                values.update(zip(elements, values[name], strict=True))
        take = self.processors.get
        return tuple(
            [process(values[name]) if (process := take(name)) else values[name] for name in self.names]
        )


_compiled: dict[Any, Any] = {}


class QuickConnection:
    """A connection inside one transaction."""

    __slots__ = ("_raw",)

    def __init__(self, raw: sqlite3.Connection) -> None:
        self._raw = raw

    async def execute(
        self, statement: sa.Executable, parameters: Parameters | None = None
    ) -> sa.CursorResult[Any]:
        """Run the statement at once."""
        many = isinstance(parameters, list | tuple)
        first: Any = (parameters[0] if many else parameters) or {}  # type: ignore[index]
        compiled, extracted = _compile(
            statement, sorted(first), many=many and len(cast("Any", parameters)) > 1
        )
        rows: list[Any] = list(cast("Any", parameters)) if many else [first]
        values = [_values(compiled, extracted, row) for row in rows]
        spelled = _spell(compiled, values[0])
        try:
            if len(values) > 1:
                cursor = self._raw.executemany(spelled.text, [spelled.bound(each) for each in values])
            else:
                cursor = self._raw.execute(spelled.text, spelled.bound(values[0]))
        except sqlite3.IntegrityError as error:
            raise sa.exc.IntegrityError(spelled.text, None, error) from error
        return cast("sa.CursorResult[Any]", _result(cursor, spelled))


def _compile(statement: Any, keys: list[str], *, many: bool) -> tuple[SQLCompiler, Any]:
    made = statement._compile_w_cache(
        DIALECT, compiled_cache=_compiled, column_keys=keys, for_executemany=many
    )
    return made[0], made[1]


def _values(compiled: Any, extracted: Any, parameters: Any) -> dict[str, Any]:
    values: dict[str, Any] = compiled.construct_params(
        parameters, extracted_parameters=extracted, escape_names=False
    )
    return values


def _spell(compiled: Any, values: dict[str, Any]) -> Spelled:
    known: dict[tuple[int, ...], Spelled] = compiled.__dict__.setdefault("_spelled", {})
    lengths = tuple([len(values[compiled.bind_names[each]]) for each in compiled.post_compile_params])
    spelled = known.get(lengths)
    if spelled is None:
        spelled = known[lengths] = _spell_anew(compiled, values)
    return spelled


def _spell_anew(compiled: Any, values: dict[str, Any]) -> Spelled:
    assert not compiled.literal_execute_params, "no statement of ours has one"
    text, names, processors, lists = (
        compiled.string,
        compiled.positiontup,
        dict(compiled._bind_processors),
        {},
    )
    if compiled.post_compile_params:
        expanded = compiled._process_parameters_for_postcompile(dict(values))
        text, names, lists = expanded.statement, expanded.positiontup, expanded.parameter_expansion
        processors.update(expanded.processors)
    columns = compiled._result_columns
    metadata = SimpleResultMetaData([column.keyname for column in columns]) if columns else None
    results = [
        (place, process)
        for place, column in enumerate(columns)
        if (process := column.type._cached_result_processor(DIALECT, None))
    ]
    return Spelled(text, names or (), processors, lists, metadata, results)


def _result(cursor: sqlite3.Cursor, spelled: Spelled) -> Rows:
    if spelled.metadata is None or cursor.description is None:
        rows = Rows(SimpleResultMetaData([]), iter(()))
        rows.rowcount = cursor.rowcount
        return rows
    found: list[Any] = cursor.fetchall()
    if spelled.results:
        found = [list(row) for row in found]
        for row in found:
            for place, process in spelled.results:
                row[place] = process(row[place])
    return Rows(spelled.metadata, iter(found))


class QuickDatabase:
    """The embedded database of a trial."""

    def __init__(self, file: Path, clock: Clock) -> None:
        self.clock: Clock = clock
        self._file = file
        self._writing = asyncio.Lock()
        self._listeners: list[Callable[[Noted], None]] = []
        self._writer = self._connect()
        self._readers: list[sqlite3.Connection] = []

    @asynccontextmanager
    async def begin(self, *, reserved: bool = False) -> AsyncIterator[tuple[Reading, set[str]]]:
        """Open the one write transaction."""
        del reserved
        noted: set[str] = set()
        async with self._writing:
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield QuickConnection(self._writer), noted
            except BaseException:
                self._writer.execute("ROLLBACK")
                raise
            self._writer.execute("COMMIT")
        if noted:
            for listener in self._listeners:
                listener(frozenset(noted))

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Reading]:
        """Open a connection on the state committed last."""
        raw = self._readers.pop() if self._readers else self._connect()
        raw.execute("BEGIN")
        try:
            yield QuickConnection(raw)
        finally:
            raw.execute("ROLLBACK")
            if len(self._readers) < READERS_KEPT_MAX:
                self._readers.append(raw)
            else:
                raw.close()

    def on_commit(self, listener: Callable[[Noted], None]) -> None:
        """Call `listener` after every commit that noted something."""
        self._listeners.append(listener)

    async def close(self) -> None:
        """Close the file."""
        self.close_now()

    def close_now(self) -> None:
        """Close the file, of whoever has no loop any more."""
        for raw in (self._writer, *self._readers):
            raw.close()

    def _connect(self) -> sqlite3.Connection:
        raw = sqlite3.connect(self._file, isolation_level=None)
        raw.execute("PRAGMA journal_mode=WAL")
        raw.execute("PRAGMA synchronous=OFF")  # a trial's crashes are of its processes, never of the disk
        raw.execute("PRAGMA foreign_keys=ON")
        return raw
