"""Stored deployments: what is written at once is what the projector writes of the same events."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from benchmarks import stored
from benchmarks.recorded import DAY, ID, PIPELINE, POSITION_0, REVISION_0, Recorded, marked
from benchmarks.stored import Ten, made, past, rolling, tell, write
from services.status.store.writing import Projection
from shared.db import ServiceDatabase
from shared.events import RevisionPlanned
from tests.builders import named
from tests.integration.status.questions import lines
from tests.unit.status.stories import message, retold
from tests.unit.status.told import Told

RENAMED = {
    "status_history": ("key", "pipeline", "subject", "correlation", "body"),
    "status_log_chunks": ("log", "correlation", "body"),
}


async def recorded(folder: Path) -> Recorded:
    """Record two revisions without a server: one succeeds, one takes another's place and is rolled back."""
    file = folder / "recorded.db"
    await made(file)
    told = Told().declared().queued(1).started(1).succeeded(1).queued(2).superseded(2, 3)
    told.queued(3).started(3).failed(3).held(3).released(3)
    log = f"{told.run_id(1)}/release/1"
    others = [
        retold(RevisionPlanned.type, pipeline="shop", revision=3, push=str(named("push"))),
        lines(0, "release revision 1 in staging", log=log),
        lines(1, log=log, last=True),
    ]
    database = stored.opened(file)
    heard = [*told.heard, *(message(body, 300 + n, "other") for n, body in enumerate(others))]
    await Projection(ServiceDatabase(database, "status")).append(heard)
    await database.close()
    with closing(sqlite3.connect(file)) as renaming, renaming:
        for table, columns in RENAMED.items():
            moved = ", ".join(f"{name} = replace({name}, 'shop', '{PIPELINE}')" for name in columns)
            renaming.execute(f"UPDATE {table} SET {moved}")
    return marked(file, folder)


def rows(file: Path) -> list[list[tuple[Any, ...]]]:
    tables = ("status_history", "status_log_chunks", "status_views")
    with closing(sqlite3.connect(file)) as database:
        return [database.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall() for table in tables]


@pytest.mark.parametrize("tens", [1, 2, 5])
async def test_both_ways_give_the_same_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tens: int
) -> None:
    monkeypatch.setattr(stored, "PIPELINES", 2)
    of = await past(await recorded(tmp_path))
    deployments = of.runs * tens
    one, other = tmp_path / "told.db", tmp_path / "written.db"
    await made(one)
    await made(other)
    await tell(one, of, deployments)
    write(other, of, deployments, await rolling(of, deployments))
    told, written = rows(one), rows(other)
    assert written == told
    assert len(told[0]) == tens * len(of.events.rows(Ten(0))) > 0


async def test_no_mark_is_left(tmp_path: Path) -> None:
    of = await past(await recorded(tmp_path))
    file = tmp_path / "written.db"
    await made(file)
    write(file, of, 1, await rolling(of, 1))
    everything = repr(rows(file))
    marks = (ID, PIPELINE, DAY, rf"\b{REVISION_0 // 100}\d\d\b", rf"\b{POSITION_0 // 1000}\d\d\d\b")
    assert [mark for mark in marks if re.search(mark, everything)] == []


async def test_two_tens_share_nothing_but_what_goes_on(tmp_path: Path) -> None:
    of = await past(await recorded(tmp_path))
    one, other = ({row[0] for row in of.views.rows(Ten(number))} for number in (0, stored.PIPELINES))
    assert one
    assert not one & other
