"""The query API, as the command line and the page use it."""

from typing import Any
from uuid import uuid4

import pytest

from services.status.routes.revisions import RevisionShown
from shared.events import (
    ArtifactBuilt,
    BuildRequested,
    PlanRejected,
    PushReceived,
    RevisionSkipped,
)
from tests.builders import named
from tests.integration.replicas import STORES
from tests.integration.status.conftest import Town
from tests.integration.status.questions import get, lines, planned
from tests.unit.status.stories import retold
from tests.unit.status.told import Told

pytestmark = pytest.mark.parametrize("town", STORES, indirect=True)

PATHS = [
    "/pipelines",
    "/pipelines/shop",
    "/pipelines/shop/revisions",
    "/pipelines/shop/revisions/1",
    "/pipelines/shop/revisions/1/logs",
    "/pipelines/shop/stages/staging",
    "/pipelines/shop/stages/staging/runs",
    f"/runs/{named('run')}",
    f"/pushes/{named('push')}",
    "/pushes?repository=x",
    "/logs/a/b/1",
    "/events",
    "/dead-letters",
    f"/operations/{named('operation')}",
]


async def test_nothing_is_shown_without_the_token(town: Town) -> None:
    for path in PATHS:
        answer = await town.web.stranger.get(f"/api/v1{path}")
        assert answer.status_code == 401, path


async def test_a_pipeline_shows_the_stages_of_its_plan_before_anything_ran(town: Town) -> None:
    await town.say(planned())
    (shop,) = (await get(town, "/pipelines"))["pipelines"]
    assert [stage["stage"] for stage in shop["now"]] == ["staging", "production"]
    assert {stage["status"] for stage in shop["now"]} == {"pending"}
    assert shop["newest_revision"] == 1
    assert all(stage["why"] for stage in shop["now"])


async def test_a_stage_shows_what_runs_what_waits_and_what_is_live(town: Town) -> None:
    told = Told().declared().queued(1).started(1).succeeded(1).queued(2).started(2).queued(3)
    await town.say(planned(), *(message.body for message in told.heard))
    stage = await get(town, "/pipelines/shop/stages/staging")
    assert stage["status"] == "deploying"
    assert stage["running"]["revision"] == 2
    assert [slot["revision"] for slot in stage["waiting"]] == [3]
    assert stage["live"]["urls"] == {"web": "http://127.0.0.1:1"}
    assert len(stage["why"]) == 2
    runs = await get(town, "/pipelines/shop/stages/staging/runs", limit=2)
    assert [run["revision"] for run in runs["runs"]] == [3, 2]
    rest = await get(town, "/pipelines/shop/stages/staging/runs", limit=2, cursor=runs["next"])
    assert ([run["revision"] for run in rest["runs"]], rest["next"]) == ([1], None)


async def test_a_rejected_plan_is_shown_until_a_good_one_follows(town: Town) -> None:
    await town.say(planned(), retold(PlanRejected.type, pipeline="shop"))
    assert (await get(town, "/pipelines/shop"))["rejected"]["problems"]
    await town.say(planned(2))
    assert (await get(town, "/pipelines/shop"))["rejected"] is None


async def test_revisions_come_newest_first_and_page_by_page(town: Town) -> None:
    await town.say(*(planned(revision) for revision in range(1, 8)))
    seen: list[int] = []
    cursor = None
    while True:
        query = {"limit": 3} | ({"cursor": cursor} if cursor else {})
        page = await get(town, "/pipelines/shop/revisions", **query)
        seen += [revision["revision"] for revision in page["revisions"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == [7, 6, 5, 4, 3, 2, 1]


async def test_a_commit_is_found_in_the_revision_that_shipped_it(town: Town) -> None:
    skipped = retold(RevisionSkipped.type, pipeline="shop", contained_in=2, commit="ab" * 20)
    await town.say(planned(1), planned(2), skipped)
    found = await get(town, "/pipelines/shop/revisions", commit=f"{1:040x}")
    assert [revision["revision"] for revision in found["revisions"]] == [1]
    contained = await get(town, "/pipelines/shop/revisions", commit="ab" * 20)
    assert [revision["revision"] for revision in contained["revisions"]] == [2]
    assert contained["skipped"][0]["decision"] == "skipped"


async def test_a_revision_shows_all_that_became_of_it(town: Town) -> None:
    request = {"pipeline": "shop", "revision": 1, "build_key": "b" * 64, "request": str(named("r"))}
    told = Told().declared().queued(1).started(1).succeeded(1)
    await town.say(
        planned(),
        retold(BuildRequested.type, **request),
        retold(ArtifactBuilt.type, **request, reused=True),
        *(message.body for message in told.heard),
        lines(0, "hello", last=True),
    )
    shown = RevisionShown.model_validate(await get(town, "/pipelines/shop/revisions/1"))
    assert [(run.stage, run.state) for run in shown.runs] == [("staging", "Succeeded")]
    assert [build.answer for build in shown.builds] == ["reused"]
    assert [(log.log, log.lines, log.closed) for log in shown.logs] == [("log/1", 1, True)]
    assert (shown.live_in, shown.over) == (["staging"], False)


async def test_a_superseded_revision_names_the_one_that_has_its_place(town: Town) -> None:
    told = Told().queued(1).superseded(1, 2)
    await town.say(planned(), *(message.body for message in told.heard))
    assert (await get(town, "/pipelines/shop/revisions/1"))["superseded_by"] == 2


async def test_a_run_shows_its_steps_its_artifacts_and_its_timeline(town: Town) -> None:
    told = Told().queued(1).started(1).failed(1)
    await town.say(planned(), *(message.body for message in told.heard))
    run = await get(town, f"/runs/{told.run_id(1)}")
    assert [step["step"] for step in run["steps"]] == ["migrate", "deploy-web"]
    assert [moment["what"] for moment in run["timeline"]] == ["run.queued", "run.started", "run.failed"]
    assert run["evidence"]["message"] == "exit code 1"


async def test_a_push_shows_what_every_pipeline_made_of_it(town: Town) -> None:
    push = str(named("push 1"))
    received = retold(PushReceived.type, push=push)
    await town.say(received, planned(), retold(RevisionSkipped.type, push=push, pipeline="tools"))
    shown = await get(town, f"/pushes/{push}")
    assert {each["pipeline"]: each["decision"] for each in shown["decisions"]} == {
        "shop": "planned",
        "tools": "skipped",
    }
    assert "remote" not in shown


NOWHERE = [
    "/pipelines/shpo",
    "/pipelines/shpo/revisions",
    "/pipelines/shop/revisions/9",
    "/pipelines/shop/stages/prod",
    f"/runs/{named('none')}",
    f"/pushes/{named('none')}",
    f"/operations/{named('none')}",
    "/logs/no/such/1",
    "/pipelines/shop/revisions/9/logs",
    "/no-such-thing",
]


async def test_what_is_not_there_is_a_problem_with_a_way_out(town: Town) -> None:
    await town.say(planned())
    for path in NOWHERE:
        problem = await get(town, path, 404)
        assert problem["detail"], path
        assert problem["next"], path


NONSENSE: list[tuple[str, dict[str, Any]]] = [
    ("/runs/not-a-uuid", {}),
    ("/pipelines/shop/revisions/0", {}),
    ("/pipelines/shop/revisions/99999999999999999999", {}),
    ("/pipelines/shop/revisions", {"limit": 0}),
    ("/pipelines/shop/revisions", {"limit": 1_000}),
    ("/pipelines/shop/revisions", {"cursor": "x"}),
    ("/events", {"cursor": -1}),
    ("/pipelines", {"min_position": "x"}),
]


async def test_a_query_that_makes_no_sense_is_told_what_is_wrong(town: Town) -> None:
    for path, query in NONSENSE:
        assert (await get(town, path, 400, **query))["detail"], path


async def test_an_answer_one_has_already_costs_nothing_to_get_again(town: Town) -> None:
    await town.say(planned())
    first = await town.web.client.get("/api/v1/pipelines")
    tag = {"If-None-Match": first.headers["etag"]}
    again = await town.web.client.get("/api/v1/pipelines", headers=tag)
    assert (again.status_code, again.content) == (304, b"")
    await town.say(planned(2))
    changed = await town.web.client.get("/api/v1/pipelines", headers=tag)
    assert changed.status_code == 200
    assert changed.headers["etag"] != first.headers["etag"]


async def test_one_reads_ones_own_writes_by_their_position(town: Town) -> None:
    (position,) = await town.publish([planned()])
    answer = await town.web.client.get("/api/v1/pipelines/shop", params={"min_position": str(position)})
    assert answer.status_code == 200


async def test_a_position_that_never_comes_is_not_waited_for_longer_than_said(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.status.routes.answering.CATCH_UP_SECONDS_MAX", 0.05)
    problem = await get(town, "/pipelines", 504, min_position=str(uuid4()))
    assert problem["next"]


async def test_events_are_read_page_by_page_and_filtered(town: Town) -> None:
    told = Told().declared().queued(1).started(1)
    await town.say(planned(), *(message.body for message in told.heard), lines(0, "not an event to list"))
    page = await get(town, "/events", limit=2)
    rest = await get(town, "/events", cursor=page["next"])
    types = [event["type"] for event in (*page["events"], *rest["events"])]
    assert sorted(types) == sorted(
        ["windlass.revision.planned.v1", *(message.body.type for message in told.heard)]
    )
    started = await get(town, "/events", pipeline="shop", stage="staging", type="windlass.run.started.v1")
    assert [event["body"]["revision"] for event in started["events"]] == [1]
    assert (await get(town, "/events", pipeline="tools"))["events"] == []
    assert (await get(town, "/events", cursor=rest["next"]))["next"] == rest["next"]


async def test_output_is_read_page_by_page_in_the_order_it_came(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.status.store.reading.CHUNKS_MAX", 2)
    await town.say(planned(), *(lines(number, f"line {number}") for number in range(5)))
    seen: list[tuple[int, str]] = []
    cursor = 0
    for _ in range(3):
        page = await get(town, "/pipelines/shop/revisions/1/logs", cursor=cursor)
        seen += [(line["number"], line["text"]) for chunk in page["chunks"] for line in chunk["lines"]]
        cursor = page["next"]
    assert seen == [(number, f"line {number}") for number in range(5)]
    assert (await get(town, "/logs/log/1", cursor=0))["chunks"][0]["what"] == "migrate"
    assert (await get(town, "/pipelines/shop/revisions/1/logs", stage="production"))["chunks"] == []


async def cancel(town: Town, stage: str = "staging", **more: Any) -> Any:
    headers = {"Idempotency-Key": more.pop("key")} if "key" in more else {}
    return await town.web.client.post(
        f"/api/v1/pipelines/shop/stages/{stage}/cancel", json=more, headers=headers
    )


async def test_a_cancel_is_said_with_who_and_why_and_answered_when_it_is(town: Town) -> None:
    await town.say(planned())
    taken = (await cancel(town, reason="wrong flag")).json()
    operation = await get(town, f"/operations/{taken['operation']}", min_position=taken["position"])
    assert (operation["actor"], operation["reason"], operation["answer"]) == ("ann", "wrong flag", "pending")
    refused = {"operation": taken["operation"], "pipeline": "shop", "stage": "staging"}
    await town.say(retold("windlass.operation.refused.v1", **refused, message="nothing runs here"))
    operation = await get(town, f"/operations/{taken['operation']}")
    assert (operation["answer"], operation["message"]) == ("refused", "nothing runs here")


async def test_the_same_key_asks_once(town: Town) -> None:
    await town.say(planned())
    first = await cancel(town, reason="x", key="k")
    again = await cancel(town, reason="x", key="k")
    assert first.status_code == again.status_code == 202
    assert again.json() == first.json()
    assert (await cancel(town, reason="y", key="k")).status_code == 409
    page = await get(town, "/events", min_position=first.json()["position"])
    asked = [event for event in page["events"] if "operation" in event["type"]]
    assert len(asked) == 1


async def test_a_cancel_needs_a_reason_and_a_stage_that_is_there(town: Town) -> None:
    await town.say(planned())
    assert (await cancel(town, reason="")).status_code == 400
    assert (await cancel(town)).status_code == 400
    unknown = await cancel(town, "prod", reason="x")
    assert unknown.status_code == 404
    assert "staging" in unknown.json()["next"]


async def test_a_list_of_pushes_says_what_became_of_each(town: Town) -> None:
    first, second = (str(named(name)) for name in ("push 1", "second"))
    about = {"pipeline": "shop", "repository": "acme/shop"}
    await town.say(
        retold(PushReceived.type, push=first, **about),
        retold(PushReceived.type, push=second, **about),
        planned(),
        retold(RevisionSkipped.type, push=second, pipeline="shop"),
        retold(PlanRejected.type, push=second, pipeline="tools"),
    )
    pushes = (await get(town, "/pushes", repository="acme/shop"))["pushes"]
    told = {push["push"]: [each["decision"] for each in push["decisions"]] for push in pushes}
    assert told == {second: ["skipped", "rejected"], first: ["planned"]}
