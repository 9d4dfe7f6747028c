"""Statements as SQLite takes them: what SQLAlchemy compiles once in a process, and nothing in between.

For each place in the text it is known whose value goes there and what is done to it, so that running a
statement again is a list of look-ups.
"""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.engine.result import IteratorResult, SimpleResultMetaData
from sqlalchemy.engine.row import Row

DIALECT = SQLiteDialect_pysqlite(paramstyle="qmark")
ASKED_FOR = object()  # a value that has to be given

Process = Callable[[Any], Any]


class Value(NamedTuple):
    """Where a value comes from."""

    key: str  # as it is given
    place: int  # among those that come with the statement; -1: not among them
    default: Any


class Spelled(NamedTuple):
    """A statement for lists of certain lengths."""

    text: str
    plain: list[tuple[Value, Process | None]]  # in order, where there are no lists
    names: Sequence[str]  # the same where there are
    processors: dict[str, Process]
    lists: dict[str, list[str]]  # a list's name -> those of its elements


@dataclass(slots=True)
class Prepared:
    """A compiled statement."""

    compiled: Any
    values: dict[str, Value]  # by the name in the text
    lists: list[str]
    metadata: SimpleResultMetaData | None
    processors: Any  # of what comes back
    spelled: dict[tuple[int, ...], Spelled]

    def run(self, raw: sqlite3.Connection, rows: Sequence[Any], extracted: Any) -> "Rows":
        """Run it, once for each row of values."""
        spelled = self._spelled(rows[0], extracted)
        bound = [self._bound(spelled, row, extracted) for row in rows]
        try:
            cursor = (
                raw.execute(spelled.text, bound[0])
                if len(bound) == 1
                else raw.executemany(spelled.text, bound)
            )
        except sqlite3.IntegrityError as error:
            raise sa.exc.IntegrityError(spelled.text, None, error) from error
        if self.metadata is None or cursor.description is None:
            return Rows(NOTHING, [], cursor.rowcount)
        metadata, processors, places = self.metadata, self.processors, self.metadata._key_to_index
        found: list[Row[Any]] = [Row(metadata, processors, places, row) for row in cursor.fetchall()]
        return Rows(metadata, found, -1)

    def _value(self, value: Value, given: Any, extracted: Any) -> Any:
        if value.key in given:
            return given[value.key]
        if value.place >= 0 and extracted:
            return extracted[value.place].effective_value
        assert value.default is not ASKED_FOR, f"{value.key} was not given"
        return value.default

    def _bound(self, spelled: Spelled, given: Any, extracted: Any) -> tuple[Any, ...]:
        take = self._value
        if not spelled.lists:
            return tuple(
                [
                    process(take(value, given, extracted)) if process else take(value, given, extracted)
                    for value, process in spelled.plain
                ]
            )
        values = {name: take(value, given, extracted) for name, value in self.values.items()}
        for name, elements in spelled.lists.items():
            values.update(zip(elements, values[name], strict=True))
        processor = spelled.processors.get
        return tuple(
            [
                process(values[name]) if (process := processor(name)) else values[name]
                for name in spelled.names
            ]
        )

    def _spelled(self, given: Any, extracted: Any) -> Spelled:
        lengths = tuple([len(self._value(self.values[name], given, extracted)) for name in self.lists])
        spelled = self.spelled.get(lengths)
        if spelled is None:
            values = {name: self._value(value, given, extracted) for name, value in self.values.items()}
            spelled = self.spelled[lengths] = _spell(self.compiled, self.values, values)
        return spelled


class Rows:
    """What a statement gave, all of it fetched; whatever is asked seldom is SQLAlchemy's."""

    __slots__ = ("_found", "_metadata", "rowcount")

    def __init__(self, metadata: SimpleResultMetaData, found: list[Row[Any]], rowcount: int) -> None:
        self._metadata = metadata
        self._found = found
        self.rowcount = rowcount

    def all(self) -> list[Row[Any]]:
        return self._found

    def __iter__(self) -> Iterator[Row[Any]]:
        return iter(self._found)

    def first(self) -> Row[Any] | None:
        return self._found[0] if self._found else None

    def one(self) -> Row[Any]:
        (row,) = self._found
        return row

    def one_or_none(self) -> Row[Any] | None:
        return self.one() if self._found else None

    def scalar(self) -> Any:
        return self._found[0][0] if self._found else None

    def scalar_one(self) -> Any:
        return self.one()[0]

    def __getattr__(self, name: str) -> Any:
        return getattr(IteratorResult(self._metadata, iter([tuple(row) for row in self._found])), name)


NOTHING = SimpleResultMetaData([])
_compiled: dict[Any, Any] = {}


def prepared(statement: Any, keys: list[str], *, many: bool) -> tuple[Prepared, Any]:
    """Return the statement, compiled by now, and the values that come with it."""
    compiled, extracted, *_ = statement._compile_w_cache(
        DIALECT, compiled_cache=_compiled, column_keys=keys, for_executemany=many
    )
    known = compiled.__dict__.get("_prepared")
    if known is None:
        known = compiled.__dict__["_prepared"] = _prepare(compiled)
    return known, extracted


def _prepare(compiled: Any) -> Prepared:
    assert not compiled.literal_execute_params, "no statement of ours has one"
    assert not compiled._collect_params, "no statement of ours carries its values along"
    values = _values(compiled)
    lists = [compiled.bind_names[each] for each in compiled.post_compile_params]
    columns = compiled._result_columns
    metadata = SimpleResultMetaData([column.keyname for column in columns]) if columns else None
    processors = [column.type._cached_result_processor(DIALECT, None) for column in columns]
    return Prepared(compiled, values, lists, metadata, processors if any(processors) else None, {})


def _values(compiled: Any) -> dict[str, Value]:
    come_along = compiled.cache_key[1] if compiled.cache_key else ()
    match = compiled._cache_key_bind_match
    places = {bind: place for place, each in enumerate(come_along) for bind in match[0][each]}
    return {
        name: Value(bind.key, places.get(bind, -1), ASKED_FOR if bind.required else bind.effective_value)
        for bind, name in compiled.bind_names.items()
    }


def _spell(compiled: Any, values: dict[str, Value], given: dict[str, Any]) -> Spelled:
    text, names = compiled.string, compiled.positiontup or ()
    processors, lists = dict(compiled._bind_processors), {}
    if compiled.post_compile_params:
        expanded = compiled._process_parameters_for_postcompile(given)
        text, names, lists = expanded.statement, expanded.positiontup, expanded.parameter_expansion
        processors.update(expanded.processors)
    plain = [] if lists else [(values[name], processors.get(name)) for name in names]
    return Spelled(text, plain, names, processors, lists)
