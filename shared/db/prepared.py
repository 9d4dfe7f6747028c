"""Statements as SQLite takes them: what SQLAlchemy compiles once in a process, and nothing in between.

An engine spends five times as long on a short statement as SQLite itself does: pools, events, contexts,
cursors. Here it is known for each place in a compiled text whose value goes there and what is done to it,
so that running it again is a list of look-ups. Types, the compiler and its cache are SQLAlchemy's own; some
of what is used of them has no public name, so its version is bounded in `pyproject.toml` and the contract
tests of the database hold every kind of statement against it.
"""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.engine.result import IteratorResult, SimpleResultMetaData
from sqlalchemy.engine.row import Row

DIALECT = SQLiteDialect_pysqlite(paramstyle="qmark")
SPELLINGS_KEPT = 64  # of a statement with lists, by their lengths
ASKED_FOR = object()  # a value that has to be given

Process = Callable[[Any], Any]


class Value(NamedTuple):
    """Where a value comes from."""

    key: str  # as it is given
    place: int  # among those that come with the statement; -1: not among them
    default: Any


class Place(NamedTuple):
    """A place in the text, and what goes there."""

    value: Value
    element: int  # of the list that the value is; -1: all of it
    process: Process | None


class Spelled(NamedTuple):
    """A statement for lists of certain lengths."""

    text: str
    places: list[Place]  # in order
    take: Callable[[Any], Sequence[Any]] | None  # the same at once, where no list is and all values are given
    processed: list[tuple[int, Process]]  # places, and what is done to what was taken


@dataclass(slots=True)
class Prepared:
    """A compiled statement."""

    compiled: Any
    values: dict[str, Value]  # by the name in the text
    lists: list[str]
    metadata: SimpleResultMetaData | None
    processors: Any  # of what comes back
    spelled: dict[tuple[int, ...], Spelled]

    def run(self, raw: sqlite3.Connection, rows: Sequence[Any], extracted: Any) -> "FetchedRows":
        """Run it, once for each row of values."""
        spelled = self._spelled(rows[0], extracted)
        bound = [self._bound(spelled, row, extracted) for row in rows]
        try:
            if len(bound) == 1:
                cursor = raw.execute(spelled.text, bound[0])
            else:
                cursor = raw.executemany(spelled.text, bound)
            if cursor.description is None:
                return FetchedRows(NOTHING, [], cursor.rowcount)
            taken = cursor.fetchall()
        except sqlite3.Error as error:
            raise _fault(spelled.text, error) from error
        metadata, processors = self.metadata or _named(cursor), self.processors
        places = metadata._key_to_index
        return FetchedRows(metadata, [Row(metadata, processors, places, row) for row in taken], -1)

    def _value(self, value: Value, given: Any, extracted: Any) -> Any:
        if value.key in given:
            return given[value.key]
        if value.place >= 0 and extracted:
            return extracted[value.place].effective_value
        assert value.default is not ASKED_FOR, f"{value.key} was not given"
        return value.default

    def _bound(self, spelled: Spelled, given: Any, extracted: Any) -> Sequence[Any]:
        if spelled.take:
            try:
                at_once = spelled.take(given)
            except KeyError:
                pass  # some of them come with the statement
            else:
                return _processed(at_once, spelled.processed) if spelled.processed else at_once
        bound = []
        for value, element, process in spelled.places:
            taken = self._value(value, given, extracted)
            if element >= 0:
                taken = taken[element]
            bound.append(process(taken) if process else taken)
        return bound

    def _spelled(self, given: Any, extracted: Any) -> Spelled:
        lengths = tuple([len(self._value(self.values[name], given, extracted)) for name in self.lists])
        spelled = self.spelled.get(lengths)
        if spelled is None:
            if len(self.spelled) >= SPELLINGS_KEPT:
                self.spelled.clear()
            values = {name: self._value(value, given, extracted) for name, value in self.values.items()}
            spelled = self.spelled[lengths] = _spell(self.compiled, self.values, values)
        return spelled


class FetchedRows:
    """What a statement gave; see `Rows`."""

    __slots__ = ("_found", "_metadata", "rowcount")

    def __init__(self, metadata: SimpleResultMetaData, found: list[Row[Any]], rowcount: int) -> None:
        self._metadata = metadata
        self._found = found
        self.rowcount = rowcount

    def __iter__(self) -> Iterator[Row[Any]]:
        return iter(self._found)

    def all(self) -> list[Row[Any]]:
        """Return every row."""
        return self._found

    def first(self) -> Row[Any] | None:
        """Return the first row."""
        return self._found[0] if self._found else None

    def one(self) -> Row[Any]:
        """Return the only row."""
        if not self._found:
            raise sa.exc.NoResultFound("No row was found when one was required")
        return self._only()

    def one_or_none(self) -> Row[Any] | None:
        """Return the only row, if there is one."""
        return self._only() if self._found else None

    def scalar(self) -> Any:
        """Return the first row's first value."""
        return self._found[0][0] if self._found else None

    def scalar_one(self) -> Any:
        """Return the only row's first value."""
        return self.one()[0]

    def scalar_one_or_none(self) -> Any:
        """Return the only row's first value, if there is a row."""
        return self._only()[0] if self._found else None

    def scalars(self) -> sa.ScalarResult[Any]:
        """Return every row's first value."""
        return self._result().scalars()

    def mappings(self) -> sa.MappingResult:
        """Return every row by its columns' names."""
        return self._result().mappings()

    def _only(self) -> Row[Any]:
        if len(self._found) > 1:
            raise sa.exc.MultipleResultsFound("Multiple rows were found when exactly one was required")
        return self._found[0]

    def _result(self) -> IteratorResult[Any]:
        return IteratorResult(self._metadata, iter(self._found))


NOTHING = SimpleResultMetaData([])
FAULTS: dict[type[sqlite3.Error], type[sa.exc.DBAPIError]] = {
    sqlite3.IntegrityError: sa.exc.IntegrityError,
    sqlite3.OperationalError: sa.exc.OperationalError,
    sqlite3.ProgrammingError: sa.exc.ProgrammingError,
}

_compiled: dict[Any, Any] = {}  # by SQLAlchemy's own key: as many as there are statements in the code
_known: WeakKeyDictionary[Any, dict[Any, tuple[Prepared, Any]]] = WeakKeyDictionary()


def run(raw: sqlite3.Connection, statement: Any, rows: Sequence[Any]) -> FetchedRows:
    """Run a statement at once, for each row of values; all rows name the same ones.

    Raises what SQLAlchemy's engine would: `sqlalchemy.exc.IntegrityError` and its kin.
    """
    if isinstance(statement, sa.schema.ExecutableDDLElement):
        text = str(statement.compile(dialect=DIALECT))
        with as_sqlalchemy(text):
            return FetchedRows(NOTHING, [], raw.execute(text).rowcount)
    made, extracted = prepared(statement, tuple(rows[0]), many=len(rows) > 1)
    return made.run(raw, rows, extracted)


def prepared(statement: Any, keys: tuple[str, ...], *, many: bool) -> tuple[Prepared, Any]:
    """Return the statement, compiled by now, and the values that come with it.

    One and the same object is found without asking what it looks like.
    """
    ways = _known.get(statement)
    if ways is None:
        ways = _known[statement] = {}
    found = ways.get((keys, many))
    if found is None:
        found = ways[keys, many] = _compiled_by_now(statement, keys, many=many)
    return found


@contextmanager
def as_sqlalchemy(text: str) -> Iterator[None]:
    """Raise SQLite's errors as SQLAlchemy's; `text` is what was to be run."""
    try:
        yield
    except sqlite3.Error as error:
        raise _fault(text, error) from error


def _fault(text: str, error: sqlite3.Error) -> sa.exc.DBAPIError:
    return FAULTS.get(type(error), sa.exc.DatabaseError)(text, None, error)


def _compiled_by_now(statement: Any, keys: tuple[str, ...], *, many: bool) -> tuple[Prepared, Any]:
    compiled, extracted, *_ = statement._compile_w_cache(
        DIALECT, compiled_cache=_compiled, column_keys=sorted(keys), for_executemany=many
    )
    known = compiled.__dict__.get("_prepared")
    if known is None:
        known = compiled.__dict__["_prepared"] = _prepare(compiled)
    return known, extracted


def _prepare(compiled: Any) -> Prepared:
    assert not compiled.literal_execute_params, "no statement of ours has one"
    assert not compiled._collect_params, "no statement of ours carries its values along"
    assert compiled.cache_key is not None, "every statement of ours can be told from others"
    assert not compiled.insert_prefetch, "no column of ours has a default that the driver would have to make"
    values = _values(compiled)
    lists = [compiled.bind_names[each] for each in compiled.post_compile_params]
    columns = compiled._result_columns
    metadata = SimpleResultMetaData([column.keyname for column in columns]) if columns else None
    processors = [column.type._cached_result_processor(DIALECT, None) for column in columns]
    return Prepared(compiled, values, lists, metadata, processors if any(processors) else None, {})


def _named(cursor: sqlite3.Cursor) -> SimpleResultMetaData:
    """Return what is known of the rows of a text, which nobody told us."""
    return SimpleResultMetaData([column for column, *_ in cursor.description])


def _values(compiled: Any) -> dict[str, Value]:
    come_along = compiled.cache_key[1] if compiled.cache_key else ()
    match = compiled._cache_key_bind_match
    places = {bind: place for place, each in enumerate(come_along) for bind in match[0][each]}
    return {
        name: Value(bind.key, places.get(bind, -1), ASKED_FOR if bind.required else bind.effective_value)
        for bind, name in compiled.bind_names.items()
    }


def _spell(compiled: Any, values: dict[str, Value], given: dict[str, Any]) -> Spelled:
    text, names, processors = compiled.string, compiled.positiontup or (), dict(compiled._bind_processors)
    of_list: dict[str, tuple[str, int]] = {}
    if compiled.post_compile_params:
        expanded = compiled._process_parameters_for_postcompile(given)
        text, names = expanded.statement, expanded.positiontup
        processors.update(expanded.processors)
        for list_, elements in expanded.parameter_expansion.items():
            of_list.update((name, (list_, place)) for place, name in enumerate(elements))
    places = []
    for name in names:
        own, element = of_list.get(name, (name, -1))
        places.append(Place(values[own], element, processors.get(name)))
    processed = [(number, place.process) for number, place in enumerate(places) if place.process]
    return Spelled(text, places, _taking(places), processed)


def _taking(places: list[Place]) -> Callable[[Any], Sequence[Any]] | None:
    """Return what takes all values at once, and raises `KeyError` if one is missing; None where lists are."""
    if not places or any(place.element >= 0 for place in places):
        return None
    keys = [place.value.key for place in places]
    if len(keys) == 1:
        (key,) = keys
        return lambda given: (given[key],)
    return itemgetter(*keys)


def _processed(values: Sequence[Any], processed: list[tuple[int, Process]]) -> list[Any]:
    bound = list(values)
    for place, process in processed:
        bound[place] = process(bound[place])
    return bound
