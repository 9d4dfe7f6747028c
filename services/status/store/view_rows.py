"""The table of views as those who fold read and write it: many rows at a time."""

from collections.abc import Callable, Container, Iterable, Mapping
from typing import Any

import sqlalchemy as sa

from services.status import tables
from services.status.projection import VIEW_TYPES, Kind, Placed, Row
from services.status.views import View
from shared.db import Reading

IDS_MAX = 1_000  # asked for in one statement

Views = tables.views.c

_BY_ID = sa.select(Views.id, Views.position, Views.document).where(
    Views.id.in_(sa.bindparam("ids", expanding=True))
)
_INSERT = sa.insert(tables.views)
_UPDATE = (
    sa.update(tables.views)
    .where(Views.id == sa.bindparam("row"))
    .values(position=sa.bindparam("to_position"), document=sa.bindparam("to_document"))
)


def row_id(kind: Kind, key: str) -> str:
    """Return a view's id in the table."""
    return f"{kind.value} {key}"


async def documents(reading: Reading, rows: Iterable[Row]) -> list[tuple[Row, str, int]]:
    """Return the documents and positions of those views that there are."""
    by_id = {row_id(*row): row for row in rows}
    ids = list(by_id)
    found: list[tuple[Row, str, int]] = []
    for start in range(0, len(ids), IDS_MAX):
        asked = await reading.execute(_BY_ID, {"ids": evened(ids[start : start + IDS_MAX])})
        found += [(by_id[id_], document, position) for id_, position, document in map(tuple, asked)]
    return found


def evened(values: list[str]) -> list[str]:
    """Name the last one again until there are 1, 2, 4, 8 …: each length is a statement to be compiled."""
    return values + values[-1:] * ((1 << (len(values) - 1).bit_length()) - len(values))


async def write_views(
    writing: Reading,
    changed: Mapping[Row, Placed],
    known: Container[Row],
    document_of: Callable[[Row, View], str],
) -> None:
    """Write views; those that are `known` have their row already."""
    new: list[dict[str, Any]] = []
    old: list[dict[str, Any]] = []
    for row, placed in changed.items():
        document = document_of(row, placed.view)
        if row in known:
            old.append({"row": row_id(*row), "to_position": placed.position, "to_document": document})
        else:
            new.append(_new_row(row, placed, document))
    if new:
        await writing.execute(_INSERT, new)
    if old:
        await writing.execute(_UPDATE, old)


def _new_row(row: Row, placed: Placed, document: str) -> dict[str, Any]:
    kind, key = row
    listing = VIEW_TYPES[kind].listing(placed.view)
    return {
        "id": row_id(kind, key),
        "kind": kind.value,
        "scope": listing.scope,
        "about": listing.about,
        "number": listing.number,
        "position": placed.position,
        "document": document,
    }
