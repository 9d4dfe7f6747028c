"""Operations over HTTP: each asked for once, by somebody, for a reason, and answered."""

import asyncio
import json
from typing import Any

import pytest
import sqlalchemy as sa

from services.status.routes.asked import OF_A_PIPELINE, OF_A_STAGE
from shared.clock import ManualClock
from shared.db.tables import outbox
from shared.events import OperationRequested
from tests.builders import START, named
from tests.integration.replicas import STORES
from tests.integration.status.conftest import Town
from tests.integration.status.questions import get, planned
from tests.unit.status.stories import retold

pytestmark = pytest.mark.parametrize("town", STORES, indirect=True)

RUN = str(named("run"))
WHY = {"reason": "flags"}

GOOD: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("cancel", WHY | {"run": RUN}, {"kind": "cancel", "run": RUN}),
    ("retry", WHY | {"run": RUN, "from_failed_step": True}, {"kind": "retry", "from_failed_step": True}),
    ("rollback", WHY | {"revision": 3}, {"kind": "rollback", "revision": 3, "dry_run": False}),
    ("rollback", {"dry_run": True}, {"kind": "rollback", "reason": "", "dry_run": True}),
    ("roll-forward", WHY, {"kind": "roll_forward", "revision": None}),
    ("stop", {"reason": "  flags "}, {"kind": "stop", "reason": "flags"}),
    ("resume", WHY, {"kind": "resume"}),
    ("release-hold", WHY | {"revision": 4}, {"kind": "release_hold", "revision": 4}),
    ("override-window", WHY | {"hours": 1.5}, {"until": "2026-03-02T11:00:00Z"}),
    ("override-window", WHY | {"until": "2026-03-02T13:00:00+01:00"}, {"until": "2026-03-02T13:00:00+01:00"}),
    ("approve", WHY | {"step": "release", "shown": "5b0f"}, {"kind": "approve", "step": "release"}),
    ("reject", WHY, {"kind": "reject", "step": ""}),
]
BAD: list[tuple[str, dict[str, Any]]] = [
    *((offered.path, WHY | {"invented": 1}) for offered in OF_A_STAGE),
    *((offered.path, {"reason": "x" * 501}) for offered in OF_A_STAGE),
    *((offered.path, {"reason": "two\nlines"}) for offered in OF_A_STAGE),
    *((offered.path, {}) for offered in OF_A_STAGE),
    ("stop", {"reason": "   "}),
    ("stop", {"reason": "\ud800"}),
    ("stop", {"reason": None}),
    ("cancel", WHY | {"run": "latest"}),
    ("rollback", WHY | {"revision": 0}),
    ("rollback", WHY | {"revision": 2**31}),
    ("override-window", WHY),
    ("override-window", WHY | {"hours": 0}),
    ("override-window", WHY | {"hours": 1e9}),
    ("override-window", WHY | {"until": "2026-03-02T12:00:00"}),
    ("override-window", WHY | {"hours": 1, "until": "2026-03-02T12:00:00Z"}),
]


async def ask(town: Town, operation: str, body: Any, stage: str = "stages/staging", **more: Any) -> Any:
    headers = {"Content-Type": "application/json"}
    headers |= {"Idempotency-Key": more.pop("key")} if "key" in more else {}
    place = f"{stage}/" if stage else ""
    path = f"/api/v1/pipelines/{more.pop('pipeline', 'shop')}/{place}{operation}"
    return await town.web.client.post(path, content=json.dumps(body), headers=headers, params=more)


async def asked(town: Town) -> list[OperationRequested]:
    query = sa.select(outbox.c.body).where(outbox.c.type == OperationRequested.type)
    async with town.web.database.reading() as reading:
        bodies = (await reading.execute(query)).scalars()
        return [OperationRequested.model_validate_json(body) for body in bodies]


async def test_every_operation_is_said_with_who_why_and_its_own(town: Town) -> None:
    await town.say(planned())
    for operation, body, said in GOOD:
        answer = await ask(town, operation, body)
        assert answer.status_code == 202, (operation, answer.text)
        taken = answer.json()
        shown = await get(town, f"/operations/{taken['operation']}", min_position=taken["position"])
        assert (shown["actor"], shown["stage"], shown["answer"]) == ("ann", "staging", "pending")
        known = OperationRequested.model_validate(shown)
        expected = OperationRequested.model_validate(shown | said)
        assert known == expected, operation


async def test_a_pipeline_is_stopped_and_resumed_as_a_whole(town: Town) -> None:
    await town.say(planned())
    for offered in OF_A_PIPELINE:
        taken = (await ask(town, offered.path, WHY, stage="")).json()
        shown = await get(town, f"/operations/{taken['operation']}", min_position=taken["position"])
        assert (shown["kind"], shown["stage"]) == (offered.kind, "*")


async def test_what_makes_no_sense_is_refused_and_nothing_is_said(town: Town) -> None:
    await town.say(planned())
    for operation, body in BAD:
        answer = await ask(town, operation, body)
        assert answer.status_code == 400, (operation, body, answer.text)
        assert answer.json()["detail"], (operation, body)
    assert await asked(town) == []


async def test_who_names_a_place_that_is_not_there_is_told_which_are(town: Town) -> None:
    await town.say(planned())
    for offered in OF_A_STAGE:
        for stage in ("prod", "*"):
            body = WHY | ({"hours": 1} if offered.kind == "override_window" else {})
            answer = await ask(town, offered.path, body, f"stages/{stage}")
            assert (answer.status_code, "staging, production" in answer.json()["next"]) == (404, True)
    for offered in OF_A_PIPELINE:
        answer = await ask(town, offered.path, WHY, stage="", pipeline="shpo")
        assert (answer.status_code, "shop" in answer.json()["next"]) == (404, True)
    assert await asked(town) == []


async def test_nothing_is_asked_for_without_the_token(town: Town) -> None:
    await town.say(planned())
    for path in ("stages/staging/stop", "stop"):
        answer = await town.web.stranger.post(f"/api/v1/pipelines/shop/{path}", json=WHY)
        assert answer.status_code == 401
    assert await asked(town) == []


async def test_the_same_key_asks_once_also_for_an_hour_from_then(town: Town) -> None:
    await town.say(planned())
    first = await ask(town, "override-window", WHY | {"hours": 1}, key="k")
    clock = town.web.clock
    assert isinstance(clock, ManualClock)
    clock.advance(60)
    again = await ask(town, "override-window", WHY | {"hours": 1, "until": None}, key="k")
    assert again.json() == first.json()
    (said,) = await asked(town)
    assert said.until is not None
    assert (said.until - START).total_seconds() == 3600


async def test_a_key_is_for_one_request_in_one_place(town: Town) -> None:
    await town.say(planned())
    assert (await ask(town, "stop", WHY, key="k")).status_code == 202
    for operation, stage in (("resume", "stages/staging"), ("stop", "stages/production"), ("stop", "")):
        assert (await ask(town, operation, WHY, stage=stage, key="k")).status_code == 409
    assert (await ask(town, "stop", {"reason": "other"}, key="k")).status_code == 409
    assert len(await asked(town)) == 1


def answered(taken: dict[str, Any], verdict: str, **more: Any) -> Any:
    about = {"operation": taken["operation"], "pipeline": "shop", "stage": "staging", "kind": "retry"}
    return retold(f"windlass.operation.{verdict}.v1", **about, **more)


async def test_who_waits_has_the_answer_as_soon_as_it_is_there(town: Town) -> None:
    await town.say(planned())
    taken = (await ask(town, "retry", WHY, key="k")).json()
    asking = asyncio.ensure_future(ask(town, "retry", WHY, key="k", wait_seconds=20))
    looking = asyncio.ensure_future(get(town, f"/operations/{taken['operation']}", wait_seconds=20))
    await town.say(planned(2))
    assert not asking.done()
    await town.say(answered(taken, "accepted", message="once more", started=RUN))
    answer, operation = (await asking).json(), await looking
    assert answer == taken | {"answer": "accepted", "message": "once more", "started": RUN}
    assert (operation["answer"], operation["message"], operation["started"]) == ("accepted", "once more", RUN)


async def test_who_waits_in_vain_is_told_how_things_stand(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    await town.say(planned())
    assert (await ask(town, "retry", WHY, wait_seconds=0.05)).json()["answer"] == "pending"
    assert (await ask(town, "retry", WHY, wait_seconds=26)).status_code == 400
    await get(town, f"/operations/{named('none')}", 404, wait_seconds=0.05)
    monkeypatch.setattr("services.status.routes.answering.WAITERS_MAX", 0)
    assert (await ask(town, "retry", WHY, wait_seconds=25)).json()["answer"] == "pending"


async def test_a_refusal_says_why_and_what_is_possible(town: Town) -> None:
    await town.say(planned())
    taken = (await ask(town, "retry", WHY)).json()
    await town.say(answered(taken, "refused", message="nothing has run"))
    shown = await get(town, f"/operations/{taken['operation']}", wait_seconds=20)
    assert (shown["answer"], shown["message"], shown["started"]) == ("refused", "nothing has run", None)


async def test_refusals_are_described_as_they_are_made(town: Town) -> None:
    document = town.web.app.openapi()
    assert document == town.web.app.openapi()
    await town.say(planned())
    stop, problem = "/api/v1/pipelines/{pipeline}/stages/{stage}/stop", "application/problem+json"
    here = stop.format(pipeline="shop", stage="staging")
    client, key = town.web.client, {"Idempotency-Key": "k"}
    await client.post(here, json=WHY, headers=key)
    answers = [
        await client.post(here, json={}),
        await town.web.stranger.post(here, json=WHY),
        await client.post(stop.format(pipeline="nope", stage="staging"), json=WHY),
        await client.post(here, json={"reason": "another"}, headers=key),
    ]
    assert [answer.status_code for answer in answers] == [400, 401, 404, 409]
    described = document["paths"][stop]["post"]["responses"]
    assert set(described) == {"202", "400", "401", "403", "404", "409", "default"}
    for answer in answers:
        assert answer.headers["content-type"] == problem
        schema = described[str(answer.status_code)]["content"][problem]["schema"]
        assert schema == {"$ref": "#/components/schemas/ProblemDocument"}
        assert set(answer.json()) == set(document["components"]["schemas"]["ProblemDocument"]["properties"])
    assert (await client.get(here)).status_code == 405
    assert "405" in described["default"]["description"]


async def test_no_operation_says_that_it_answers_with_what_fastapi_would(town: Town) -> None:
    document = town.web.app.openapi()
    operations = [each for path in document["paths"].values() for each in path.values()]
    assert all("422" not in each["responses"] and "default" in each["responses"] for each in operations)
    assert "HTTPValidationError" not in document["components"]["schemas"]
    commit = document["paths"]["/api/v1/pipelines/{pipeline}/commits/{sha}"]["get"]["responses"]["409"]
    assert commit["description"] == "Several commits begin like that."


async def test_a_mistake_is_told_without_the_name_of_an_exception(town: Town) -> None:
    await town.say(planned())
    refused = await ask(town, "stop", {"reason": "two\nlines"})
    assert refused.json()["detail"] == "body.reason: must be one line of plain text"


async def test_a_window_is_overridden_for_a_week_at_most(town: Town) -> None:
    await town.say(planned())
    hours = town.web.app.openapi()["components"]["schemas"]["OverrideWindowAsked"]["properties"]["hours"]
    assert hours["anyOf"][0]["maximum"] == 168
    refused = await ask(town, "override-window", {**WHY, "hours": 168.5})
    assert (refused.status_code, "168" in refused.json()["detail"]) == (400, True)


async def test_every_operation_is_documented_with_its_body(town: Town) -> None:
    paths = town.web.app.openapi()["paths"]
    for offered in OF_A_STAGE:
        post = paths[f"/api/v1/pipelines/{{pipeline}}/stages/{{stage}}/{offered.path}"]["post"]
        schema = post["requestBody"]["content"]["application/json"]["schema"]["$ref"]
        assert schema.endswith(f"/{offered.body.__name__}")
        assert post["description"] == offered.description
    ids = [each["operationId"] for path in paths.values() for each in path.values()]
    assert len(ids) == len(set(ids))
