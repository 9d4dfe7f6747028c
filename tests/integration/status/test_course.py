"""Runs, stages and revisions over HTTP: graph, waits, queue, approvals, operations; and their contract."""

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel

from services.status.routes import examples
from services.status.routes.health import StageHealth
from services.status.routes.pipelines import OperationList, StageShown
from services.status.routes.revisions import RevisionShown
from services.status.routes.runs import RunShown
from services.status.views import OperationView, VerificationStory
from shared.events import OperationAccepted, OperationRequested, StepSucceeded
from tests.builders import START, named
from tests.integration.replicas import STORES
from tests.integration.status.conftest import Town
from tests.integration.status.questions import get, planned
from tests.unit.status.stories import retold
from tests.unit.status.told import TESTS, Told, approval_wait

on_each_store = pytest.mark.parametrize("town", STORES, indirect=True)


async def tell(town: Town, told: Told) -> None:
    await town.say(planned(), planned(2), *(message.body for message in told.heard))


@on_each_store
async def test_a_run_shows_its_graph_its_waits_its_tests_and_its_times(town: Town) -> None:
    told = Told().declared().queued(1).started(1).step_started(1, "migrate")
    told.step(StepSucceeded, 1, "migrate", outputs={}).gate(1, "deploy-web", tests=TESTS)
    await tell(town, told.waits(1, approval_wait(told.heard[-1].time)))
    run = await get(town, f"/runs/{told.run_id(1)}")
    migrate, deploy = run["steps"]
    assert (migrate["goes_after"], deploy["goes_after"]) == ([], ["migrate"])
    assert (migrate["state"], deploy["state"]) == ("Succeeded", "Waiting")
    assert deploy["gate"]["tests"]["failures"][0]["name"] == "checkout 0"
    assert (deploy["gate"]["shown"], deploy["gate"]["needed"], deploy["gate"]["given"]) == ("5b0f", 1, 0)
    assert [span["wait"]["reason"] for span in run["waits"]] == ["lock", "approval"]
    assert (run["waits"][-1]["until"], run["running_seconds"]) == (None, None)
    assert run["queued_seconds"] >= 0
    (summary,) = (await get(town, "/pipelines/shop/stages/staging/runs"))["runs"]
    assert summary["queued_seconds"] == run["queued_seconds"]


@on_each_store
async def test_a_stage_and_its_revision_show_what_waits_for_approval(town: Town) -> None:
    told = Told().declared().queued(1).started(1).gate(1, "migrate")
    told.queued(2, wait=approval_wait(START)).definition_held(2)
    await tell(town, told)
    stage = await get(town, "/pipelines/shop/stages/staging")
    assert [(each["of"], each["revision"], each["shown"]) for each in stage["approvals"]] == [
        ("gate", 1, "5b0f"),
        ("definition", 2, "d1"),
    ]
    assert stage["queue"] == "newest"
    assert stage["waiting"][0]["definition"]["changes"] == ["a"]
    shown = await get(town, "/pipelines/shop/revisions/2")
    assert (shown["definition"]["answer"], shown["definition"]["stage"]) == ("pending", "staging")
    await town.say(told.definition_answered(2, "rejected").heard[-1].body)
    definition = (await get(town, "/pipelines/shop/revisions/2"))["definition"]
    assert (definition["answer"], definition["answers"][0]["actor"]) == ("rejected", "ann")
    assert (await get(town, "/pipelines/shop/revisions/1"))["definition"] is None


def asked(number: int, stage: str) -> OperationRequested:
    about = {"pipeline": "shop", "stage": stage, "operation": str(named(f"asked {number}")), "kind": "stop"}
    body = retold(OperationRequested.type, **about, actor="ann", reason=f"reason {number}")
    assert isinstance(body, OperationRequested)
    return body


@on_each_store
async def test_what_was_asked_of_a_stage_is_listed_with_its_answers_page_by_page(town: Town) -> None:
    await town.say(planned(), *(asked(number, "staging") for number in range(3)), asked(3, "*"))
    about = {"pipeline": "shop", "stage": "staging", "operation": str(named("asked 1")), "kind": "stop"}
    await town.say(retold(OperationAccepted.type, **about, message="it is stopped"))
    seen: list[dict[str, Any]] = []
    cursor: str | None = None
    for _ in range(2):
        query: dict[str, Any] = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = await get(town, "/pipelines/shop/stages/staging/operations", **query)
        seen += page["operations"]
        cursor = page["next"]
    assert cursor is None
    assert {each["reason"]: (each["actor"], each["answer"], each["message"]) for each in seen} == {
        "reason 0": ("ann", "pending", ""),
        "reason 1": ("ann", "accepted", "it is stopped"),
        "reason 2": ("ann", "pending", ""),
    }
    (whole,) = (await get(town, "/pipelines/shop/operations"))["operations"]
    assert (whole["stage"], whole["reason"]) == ("*", "reason 3")
    await get(town, "/pipelines/shop/stages/prod/operations", 404)
    await get(town, "/pipelines/shpo/operations", 404)


EXAMPLES: list[tuple[type[BaseModel], dict[str, Any]]] = [
    (RunShown, examples.RUN),
    (StageShown, examples.STAGE),
    (RevisionShown, examples.REVISION_SHOWN),
    (OperationView, examples.OPERATION),
    (StageHealth, examples.HEALTH),
    (VerificationStory, examples.VERIFICATION),
    (OperationList, {"operations": [examples.OPERATION], "next": None}),
]


def unlike(example: Any, told: Any, at: str = "") -> Iterator[str]:
    """Yield where an example says what the document does not."""
    if isinstance(example, dict) and isinstance(told, dict):
        for name in example:
            yield from unlike(example[name], told.get(name, "nothing"), f"{at}.{name}")
    elif isinstance(example, list | tuple) and isinstance(told, list | tuple):
        for place, (one, other) in enumerate(zip(example, told, strict=True)):
            yield from unlike(one, other, f"{at}[{place}]")
    elif example != told and str(example).removesuffix("Z")[:19] != str(told)[:19]:  # instants
        yield f"{at}: {example!r} became {told!r}"


@pytest.mark.parametrize(("model", "example"), EXAMPLES, ids=[each.__name__ for each, _ in EXAMPLES])
def test_an_example_is_what_is_answered(model: type[BaseModel], example: dict[str, Any]) -> None:
    told = model.model_validate(example).model_dump(mode="json")
    assert list(unlike(example, told)) == []


ANSWERS = [
    "/runs/{run}",
    "/runs/{run}/verifications/{verification}",
    "/operations/{operation}",
    "/pipelines/{pipeline}/operations",
] + [
    f"/pipelines/{{pipeline}}/{path}"
    for path in (
        "revisions/{revision}",
        "stages/{stage}",
        "stages/{stage}/operations",
        "stages/{stage}/health",
    )
]


async def test_what_is_answered_about_a_deployment_is_described_and_shown_by_an_example(town: Town) -> None:
    document = town.web.app.openapi()
    for path in ANSWERS:
        answer = document["paths"][f"/api/v1{path}"]["get"]["responses"]["200"]["content"]["application/json"]
        assert {"schema", "example"} <= set(answer), path
    schemas = document["components"]["schemas"]
    told = ["RunShown", "StageShown", "RevisionShown", "OperationView", "OperationTaken", "StageHealth"]
    told += ["VerificationStory"]
    lacking = [f"{name}.{field}" for name in _reached(schemas, told) for field in _bare(schemas[name])]
    assert lacking == []


OBSERVED = {"Evidence", "Diagnostics", "ProbeRound"}


def _reached(schemas: dict[str, Any], names: list[str]) -> list[str]:
    """Return the schemas that these are made of; what is observed of failures is described elsewhere."""
    todo, seen = list(names), set[str]()
    while todo:
        name = todo.pop()
        if name in seen or name in OBSERVED:
            continue
        seen.add(name)
        todo += [ref.rpartition("/")[2] for ref in _refs(schemas[name])]
    return sorted(seen)


def _refs(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        yield from ([schema["$ref"]] if "$ref" in schema else [])
        schema = list(schema.values())
    if isinstance(schema, list):
        for each in schema:
            yield from _refs(each)


def _bare(schema: dict[str, Any]) -> list[str]:
    return [name for name, field in schema.get("properties", {}).items() if "description" not in field]
