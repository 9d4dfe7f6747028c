"""The audit trail: who did what, when and why, newest first."""

from typing import Any

import pytest
import sqlalchemy as sa

from services.status import tables
from services.status.projection import Kind
from services.status.store.reading import ReadModel
from services.status.store.writing import Projection
from services.status.views import StageView
from shared.db import ServiceDatabase
from shared.events import Event, StageDeclared, StageHeld, StageStopped
from shared.ids import WHOLE, Stage
from tests.builders import START, named
from tests.integration.replicas import STORES
from tests.integration.status.conftest import Town
from tests.integration.status.questions import get, planned
from tests.unit.status.stories import retold
from tests.unit.status.told import Told

pytestmark = pytest.mark.parametrize("town", STORES, indirect=True)


History = tables.history
NEWER_TYPE = (
    sa.update(History).where(History.c.type == StageStopped.type).values(type="windlass.stage.barred.v1")
)
NEWER_BODY = sa.update(History).where(History.c.type == StageDeclared.type).values(body='{"place": "first"}')

LATER_WORDS = sa.update(History).where(History.c.type == StageStopped.type).values(body='{"actor": ["ann"]}')
LATER_TYPE = (
    sa.update(History).where(History.c.type == StageHeld.type).values(type="windlass.stage.barred.v1")
)


def operation(type_: str, **changes: Any) -> Event:
    about = {"operation": str(named("operation")), "pipeline": "shop", "kind": "stop", **changes}
    return retold(f"windlass.operation.{type_}.v1", **about)


async def trail(town: Town, **query: Any) -> list[tuple[str, str]]:
    page = await get(town, "/pipelines/shop/history", **query)
    return [(each["what"], each["stage"]) for each in page["entries"]]


async def test_the_trail_tells_everything_people_did_and_every_run_newest_first(town: Town) -> None:
    told = Told().declared().queued(1).started(1).succeeded(1).queued(2).started(2).failed(2).held(2)
    told.queued(3).superseded(3, 4).stopped().resumed().released(2).overridden(START)
    await town.say(planned(), *(heard.body for heard in told.heard))
    assert await trail(town) == [
        ("window.overridden", "staging"),
        ("hold.released", "staging"),
        ("stage.resumed", "staging"),
        ("stage.stopped", "staging"),
        ("run.superseded", "staging"),
        ("stage.held", "staging"),
        ("run.failed", "staging"),
        ("run.started", "staging"),
        ("run.succeeded", "staging"),
        ("run.started", "staging"),
    ]


async def test_an_operation_is_entered_with_its_answer(town: Town) -> None:
    await town.say(planned(), operation("requested", stage="staging", reason="flags"))
    (pending,) = (await get(town, "/pipelines/shop/history"))["entries"]
    assert (pending["actor"], pending["reason"]) == ("grace", "flags")
    assert pending["operation"]["answer"] == "pending"
    await town.say(operation("accepted", stage="staging", message="it begins nothing more"))
    (entry,) = (await get(town, "/pipelines/shop/history"))["entries"]
    assert entry["operation"]["answer"] == "accepted"
    assert entry["operation"]["message"] == "it begins nothing more"


async def test_the_trail_of_a_stage_has_what_was_done_to_the_whole_pipeline(town: Town) -> None:
    told = Told().stopped().stopped(stage=Stage("production")).stopped(stage=Stage(WHOLE)).resumed()
    for heard in told.heard:
        await town.say(heard.body)  # one by one: between partitions there is no order but that of hearing
    await town.say(planned())
    assert await trail(town, stage="staging") == [
        ("stage.resumed", "staging"),
        ("stage.stopped", "*"),
        ("stage.stopped", "staging"),
    ]
    assert len(await trail(town)) == 4
    await get(town, "/pipelines/shop/history", 404, stage="prod")
    await get(town, "/pipelines/shpo/history", 404)


@pytest.mark.parametrize("stage", [None, "staging"])
async def test_the_trail_is_read_page_by_page_and_has_each_entry_once(town: Town, stage: str | None) -> None:
    told = Told()
    for number in range(7):
        told.stopped(reason=str(number), stage=Stage(WHOLE if number % 3 == 0 else "staging"))
    await town.say(planned())
    for heard in told.heard:
        await town.say(heard.body)
    seen: list[str] = []
    query: dict[str, Any] = {"limit": 3} | ({"stage": stage} if stage else {})
    cursor = None
    while True:
        page = await get(town, "/pipelines/shop/history", **query, **({"cursor": cursor} if cursor else {}))
        seen += [entry["reason"] for entry in page["entries"]]
        cursor = page["next"]
        if cursor is None:
            break
        await town.say(Told().stopped(reason="meanwhile").heard[0].body)
    assert seen == ["6", "5", "4", "3", "2", "1", "0"]


async def test_a_pipeline_that_is_stopped_shows_it_in_all_of_its_stages(town: Town) -> None:
    await town.say(planned(), *(heard.body for heard in Told().declared().stopped(stage=Stage(WHOLE)).heard))
    shop = await get(town, "/pipelines/shop")
    assert [(stage["stage"], stage["status"]) for stage in shop["now"]] == [
        ("staging", "paused"),
        ("production", "paused"),
    ]
    assert (shop["stop"]["actor"], shop["stop"]["whole_pipeline"]) == ("ann", True)
    assert (await get(town, "/pipelines/shop/stages/production"))["stops"] == [shop["stop"]]
    await get(town, "/pipelines/shop/stages/*", 404)
    await town.say(Told().resumed(stage=Stage(WHOLE)).heard[0].body)
    shop = await get(town, "/pipelines/shop")
    assert (shop["stop"], {stage["status"] for stage in shop["now"]}) == (None, {"pending"})


async def test_a_rebuild_passes_over_what_only_a_later_release_can_read(town: Town) -> None:
    told = Told().declared().stopped()
    await town.say(planned(), *(heard.body for heard in told.heard))
    db = ServiceDatabase(town.web.database, "status")
    town.web.store.write(NEWER_TYPE)
    town.web.store.write(NEWER_BODY)
    await Projection(db).rebuild()
    stage = await ReadModel(db).view(Kind.STAGE, StageView, "shop/staging")
    assert stage is None
    assert (await get(town, "/pipelines/shop"))["newest_revision"] == 1


async def test_what_only_a_later_release_can_read_is_shown_as_far_as_it_can_be(town: Town) -> None:
    told = Told().stopped().resumed().held(2)
    await town.say(planned(), *(heard.body for heard in told.heard))
    town.web.store.write(LATER_WORDS)
    town.web.store.write(LATER_TYPE)
    entries = (await get(town, "/pipelines/shop/history"))["entries"]
    assert [(each["what"], each["stage"], each["known"]) for each in entries] == [
        ("stage.resumed", "staging", True),
        ("stage.stopped", "staging", False),
    ]
    assert entries[1]["text"] == "stage.stopped, in words of a later release: see its event"
    assert len((await get(town, "/pipelines/shop/history", stage="staging"))["entries"]) == 2
