"""The statements of queries. Each is made once: making one costs more than running it.

Which index a statement is read from is said here, by what it compares: a column compared as `column || ''`
has none. SQLite has no statistics of these tables and would otherwise take the wrong one.
"""

from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from typing import Any

import sqlalchemy as sa

from services.status import tables
from services.status.audit_trail import TYPES

SEQUENCE_MAX = 2**63 - 1

History = tables.history.c
Chunks = tables.log_chunks.c
Views = tables.views.c


class Where(StrEnum):
    """How views are found; each has an index in the order in which they are listed."""

    SCOPE = "scope"
    SCOPES = "scopes"  # any of
    ABOUT = "about"
    ABOUTS = "abouts"  # any of
    ABOUT_BEGINS = "about begins"  # between `value` and `below`


_MANY: sa.BindParameter[Any] = sa.bindparam("value", expanding=True)
_ONE: sa.BindParameter[Any] = sa.bindparam("value")
_WHERE: Mapping[Where, sa.ColumnElement[bool]] = {
    Where.SCOPE: Views.scope == _ONE,
    Where.SCOPES: Views.scope.in_(_MANY),
    Where.ABOUT: Views.about == _ONE,
    Where.ABOUTS: Views.about.in_(_MANY),
    Where.ABOUT_BEGINS: (Views.about >= _ONE) & (Views.about < sa.bindparam("below")),
}
_ROWS_MAX: sa.BindParameter[Any] = sa.bindparam("rows_max")

VIEW = sa.select(Views.document).where(Views.id == sa.bindparam("row"))
VIEWS = sa.select(Views.document).where(Views.id.in_(sa.bindparam("rows", expanding=True)))
NEWEST_EVENT = sa.select(sa.func.max(History.sequence))
HEARD = sa.union_all(
    sa.select(History.id).where(History.id == sa.bindparam("event")),
    sa.select(Chunks.id).where(Chunks.id == sa.bindparam("event")),
)


@cache
def views_listed(where: Where, *, going_on: bool) -> sa.Select[Any]:
    """Return the query of a page of views, newest first; one that goes on does so behind `number`, `id`."""
    query = sa.select(Views.document).where(Views.kind == sa.bindparam("kind"), _WHERE[where])
    if going_on:
        before = sa.tuple_(sa.bindparam("number", type_=sa.BigInteger), sa.bindparam("id", type_=sa.String))
        query = query.where(sa.tuple_(Views.number, Views.id) < before)
    return query.order_by(Views.number.desc(), Views.id.desc()).limit(_ROWS_MAX)


_EVENTS = sa.select(
    History.sequence,
    History.id,
    History.type,
    History.topic,
    History.key,
    History.pipeline,
    History.subject,
    History.source,
    History.time,
    History.correlation,
    History.causation,
    History.body,
)


@cache
def events_of(names: frozenset[str]) -> sa.Select[Any]:
    """Return the query of events after a cursor, compared by these columns."""
    narrowest = _narrowest(names)
    query = _EVENTS.where(History.sequence > sa.bindparam("after"))
    for name in sorted(names):
        column = History[name] if name in narrowest else History[name].concat("")
        query = query.where(column == sa.bindparam(name))
    return query.order_by(History.sequence).limit(_ROWS_MAX)


def _narrowest(names: frozenset[str]) -> frozenset[str]:
    """Return those that the index is chosen by."""
    if "correlation" in names:
        return frozenset({"correlation"})
    if "type" in names:  # one that is rare among a key's events is not looked for among all of them
        return names & {"pipeline", "type"}
    return frozenset({"key"}) if "key" in names else names


TRAIL_TYPES = list(TYPES)


def _trail_of(name: str) -> sa.Select[Any]:
    types = History.type.concat("").in_(sa.bindparam("types", expanding=True))
    query = _EVENTS.where(History[name] == sa.bindparam("value"), types)
    query = query.where(History.sequence < sa.bindparam("before"))
    return query.order_by(History.sequence.desc()).limit(_ROWS_MAX)


TRAILS = {name: _trail_of(name) for name in ("key", "pipeline")}


@cache
def chunks_of(names: frozenset[str]) -> sa.Select[Any]:
    """Return the query of output after a cursor, compared by these columns."""
    query = sa.select(Chunks.sequence, Chunks.body).where(Chunks.sequence > sa.bindparam("after"))
    for name in sorted(names):
        query = query.where(Chunks[name] == sa.bindparam(name))
    return query.order_by(Chunks.sequence).limit(_ROWS_MAX)
