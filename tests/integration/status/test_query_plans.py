"""Every query is read from an index, in the order of its list: its cost does not grow with what is stored."""

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import dialect

from services.status.store import queries
from services.status.store.queries import Where
from shared.clock import ManualClock
from shared.db import metadata
from shared.db.sqlite import SqliteDatabase
from tests.builders import START

LISTED = [
    pytest.param(queries.views_listed(where, going_on=going_on), id=f"views by {where}, going on: {going_on}")
    for where in Where
    for going_on in (False, True)
]
READ_FROM = {
    (): "INTEGER PRIMARY KEY (rowid>?)",
    ("type",): "ix_status_history_type (type=? AND sequence>?)",
    ("pipeline",): "ix_status_history_pipeline (pipeline=? AND sequence>?)",
    ("pipeline", "type"): "ix_status_history_pipeline_type (pipeline=? AND type=? AND sequence>?)",
    ("key", "pipeline"): "ix_status_history_key (key=? AND sequence>?)",
    ("key", "pipeline", "type"): "ix_status_history_pipeline_type (pipeline=? AND type=? AND sequence>?)",
    ("correlation", "pipeline"): "ix_status_history_correlation (correlation=? AND sequence>?)",
    ("correlation", "key", "type"): "ix_status_history_correlation (correlation=? AND sequence>?)",
}
EVENTS = [
    pytest.param(queries.events_of(frozenset(names)), id=f"events by {' and '.join(names) or 'nothing'}")
    for names in READ_FROM
]
OTHERS = [
    pytest.param(queries.VIEW, id="a view"),
    pytest.param(queries.HEARD, id="whether an event was heard"),
    *(pytest.param(query, id=f"the trail of a {name}") for name, query in queries.TRAILS.items()),
    *(
        pytest.param(queries.chunks_of(frozenset(names)), id=f"output by {' and '.join(names)}")
        for names in (("log",), ("correlation",), ("correlation", "stage"))
    ),
]


def plan(file: Path, query: sa.Select[Any]) -> list[str]:
    database = SqliteDatabase(file, ManualClock(START))
    metadata.create_all(database.writer)
    compiled = str(query.compile(dialect=dialect()))
    with database.writer.connect() as connection:
        raw = connection.connection.driver_connection
        assert raw is not None
        text = compiled.replace("__[POSTCOMPILE_value]", "?, ?").replace("__[POSTCOMPILE_types]", "?")
        values = [None] * text.count("?")
        steps = [row[3] for row in raw.execute(f"EXPLAIN QUERY PLAN {text}", values)]
    database.writer.dispose()
    return steps


@pytest.mark.parametrize("query", [*LISTED, *EVENTS, *OTHERS])
def test_a_query_never_reads_all_there_is(tmp_path: Path, query: sa.Select[Any]) -> None:
    steps = plan(tmp_path / "windlass.db", query)
    assert any(step.startswith("SEARCH") for step in steps)
    assert [step for step in steps if step.startswith("SCAN")] == []


@pytest.mark.parametrize(
    "query",
    [
        *EVENTS,
        *(queries.views_listed(where, going_on=True) for where in (Where.SCOPE, Where.ABOUT)),
    ],
)
def test_a_list_comes_out_of_its_index_in_order(tmp_path: Path, query: sa.Select[Any]) -> None:
    assert [step for step in plan(tmp_path / "windlass.db", query) if "TEMP B-TREE" in step] == []


@pytest.mark.parametrize(("names", "index"), READ_FROM.items(), ids=str)
def test_events_that_are_wanted_are_found_without_reading_many_others(
    tmp_path: Path, names: tuple[str, ...], index: str
) -> None:
    (step,) = plan(tmp_path / "windlass.db", queries.events_of(frozenset(names)))
    assert step.endswith(index)
