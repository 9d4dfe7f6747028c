"""Where pipelines come from, heard in a burst: as if one had been heard after the other."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from services.ingest.store import IngestStore
from shared.db import ServiceDatabase, metadata
from shared.db.sqlite import SqliteDatabase
from shared.events import Message, PlanRejected
from shared.events.revisions import RevisionEvent
from shared.ids import Pipeline, Repository
from tests.builders import START, named
from tests.hurried_clock import HurriedClock
from tests.integration.ingest.test_alarms import planned

BURSTS = [
    pytest.param(["plan trunk"], id="one"),
    pytest.param(["plan trunk", "plan next", "plan trunk"], id="the last is where it comes from"),
    pytest.param(["plan trunk", "tag"], id="a tag says nothing of the branch"),
    pytest.param(["tag", "plan next"], id="but what comes after it does"),
    pytest.param(["reject trunk"], id="a refused file tells it too"),
    pytest.param(["reject trunk", "plan next"], id="a plan after a refused file"),
    pytest.param(["plan trunk", "reject next"], id="a refused file changes nothing"),
    pytest.param(["plan trunk", "reject next", "tag", "blog trunk", "plan late"], id="all of them"),
]


def told(number: int, what: str) -> Message[RevisionEvent]:
    kind, _, branch = what.partition(" ")
    body: RevisionEvent = planned(number, live=f"alarm {number}").model_copy(
        update={"branch": branch, "tag": "v1" if kind == "tag" else ""}
    )
    if kind == "blog":
        body = body.model_copy(update={"pipeline": Pipeline("blog")})
    if kind == "reject":
        about: dict[str, Any] = {name: getattr(body, name) for name in ("push", "pipeline", "commit", "tag")}
        body = PlanRejected(**about, repository=Repository("acme/shop"), branch=branch, problems=())
    return Message(named(f"{number} {what}"), START, "", "", body.key, "", None, "", body)


async def known(file: Path, groups: Sequence[Sequence[Message[RevisionEvent]]]) -> Any:
    """Return what is known after these have been heard, group by group."""
    database = SqliteDatabase(file, HurriedClock())
    metadata.create_all(database.writer)
    store = IngestStore(ServiceDatabase(database, "ingest"))
    for group in groups:
        await store.learn_homes(group)
    alarms = [await store.stages_of(f"alarm {number}") for number in range(5)]
    homes = await store.homes()
    await database.close()
    return homes, alarms


@pytest.mark.parametrize("burst", BURSTS)
async def test_a_burst_teaches_what_its_messages_do_one_by_one(tmp_path: Path, burst: list[str]) -> None:
    messages = [told(number, what) for number, what in enumerate(burst)]
    one_by_one = await known(tmp_path / "a.db", [[each] for each in messages])
    assert one_by_one[0]
    assert await known(tmp_path / "b.db", [messages]) == one_by_one
    assert await known(tmp_path / "c.db", [messages, messages]) == one_by_one
    assert await known(tmp_path / "d.db", [messages[:1], messages]) == one_by_one
