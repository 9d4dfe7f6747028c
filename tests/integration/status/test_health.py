"""How services do and did, and verifications round by round, over HTTP."""

from typing import Any

import pytest

from services.status.routes.runs import RunShown
from shared.events import VerificationProbed
from tests.builders import START, named
from tests.integration.replicas import STORES
from tests.integration.status.conftest import Town
from tests.integration.status.questions import get, planned
from tests.unit.status.looked import asked, doing, live, over, passed, probed, rounds, sampled, verification
from tests.unit.status.told import Told

on_each_store = pytest.mark.parametrize("town", STORES, indirect=True)

STAGE = "/pipelines/shop/stages/staging"


async def tell(town: Town, told: Told) -> None:
    await town.say(planned(), *(message.body for message in told.heard))


def watched() -> Told:
    told = doing(live(Told().declared(), 1, "web", "api"), "unreachable")
    for number in range(15):
        sampled(told, number * 300, good=9, silent=1, worst="unreachable")
    return doing(told, "healthy", service="api")


@on_each_store
async def test_a_stage_shows_how_its_services_do_and_did(town: Town) -> None:
    await tell(town, watched())
    stage = await get(town, STAGE)
    assert (stage["status"], [each["health"] for each in stage["health"]]) == (
        "unreachable",
        ["healthy", "unreachable"],
    )
    (pipeline,) = (await get(town, "/pipelines"))["pipelines"]
    assert pipeline["now"][0]["status"] == "unreachable"
    health = await get(town, f"{STAGE}/health")
    assert (health["status"], health["resolution"], health["next"]) == ("unreachable", "5m", None)
    web = next(each for each in health["services"] if each["service"] == "web")
    assert web["now"] == stage["health"][1]
    assert [(each["health"], each["before"]) for each in web["changes"]] == [("unreachable", "unknown")]
    assert len(web["history"]) == 15
    assert (web["history"][0]["looks"], web["history"][0]["latency_seconds"]) == (10, 0.1)
    assert web["history"][0]["begins_at"].startswith(START.isoformat()[:19])
    hours = (await get(town, f"{STAGE}/health", resolution="1h", service="web"))["services"][0]["history"]
    assert [(each["looks"], each["silent"]) for each in hours] == [(60, 6), (90, 9)]
    days = (await get(town, f"{STAGE}/health", resolution="1d", service="web"))["services"][0]["history"]
    assert [(each["begins_at"][:10], each["looks"], each["worst"]) for each in days] == [
        ("2026-03-02", 150, "unreachable")
    ]


@on_each_store
async def test_what_nobody_looks_at_any_more_is_unknown_wherever_it_is_read(town: Town) -> None:
    await tell(town, watched())
    town.web.clock.advance(391)
    stage = await get(town, STAGE)
    (pipeline,) = (await get(town, "/pipelines"))["pipelines"]
    health = await get(town, f"{STAGE}/health")
    for read in (stage, pipeline["now"][0], health):
        assert read["status"] == "running"
    now = {each["service"]: each["now"] for each in health["services"]}
    assert now == {each["service"]: each for each in stage["health"]}
    assert {each["health"] for each in now.values()} == {"unknown"}
    assert (
        now["web"]["reason"]
        == "nobody told of a look at it since 2026-03-02 09:30:00 UTC; it was unreachable"
    )
    assert sum(told["about"] == "health" for told in stage["why"]) == 2
    await town.say(sampled(watched(), 4500).heard[-1].body)
    stage = await get(town, STAGE)
    assert (stage["status"], [each["health"] for each in stage["health"]]) == (
        "unreachable",
        ["unknown", "unreachable"],
    )


async def test_a_service_that_is_gone_is_still_there_with_its_history(town: Town) -> None:
    await tell(town, over(watched()))
    health = (await get(town, f"{STAGE}/health", service="web"))["services"][0]
    assert (health["now"], health["ended_at"] is None, len(health["history"])) == (None, False, 15)
    assert (await get(town, STAGE))["status"] == "running"


async def test_services_come_page_by_page(town: Town) -> None:
    told = Told().declared()
    for number in range(5):
        doing(told, "healthy", service=f"s{number}")
    await tell(town, told)
    seen: list[str] = []
    query: dict[str, Any] = {"limit": 2}
    for last in (False, False, True):
        page = await get(town, f"{STAGE}/health", **query)
        seen += [each["service"] for each in page["services"]]
        query["cursor"] = page["next"]
        assert (page["next"] is None) is last
    assert sorted(seen) == [f"s{number}" for number in range(5)]


async def test_what_makes_no_sense_about_health_is_refused(town: Town) -> None:
    await tell(town, watched())
    await get(town, f"{STAGE}/health", 400, resolution="1w")
    await get(town, f"{STAGE}/health", 400, limit=51)
    await get(town, f"{STAGE}/health", 400, cursor="no cursor")
    await get(town, "/pipelines/shop/stages/stagign/health", 404)
    assert (await get(town, f"{STAGE}/health", service="nobody"))["services"] == []


async def test_an_answer_that_has_not_changed_is_not_sent_again(town: Town) -> None:
    await tell(town, watched())
    path = f"/api/v1{STAGE}/health"
    tag = (await town.web.client.get(path)).headers["ETag"]
    again = await town.web.client.get(path, headers={"If-None-Match": tag})
    assert again.status_code == 304


async def test_changes_of_health_are_in_the_trail(town: Town) -> None:
    await tell(town, watched())
    entries = (await get(town, "/pipelines/shop/history", stage="staging"))["entries"]
    told = [entry["text"] for entry in entries if entry["what"] == "health.changed"]
    assert told[-1] == (
        "Service web of revision 1 in staging is unreachable and was unknown: "
        "3 looks in a row found no answer"
    )


@on_each_store
async def test_a_verification_is_read_round_by_round(town: Town) -> None:
    told = asked(Told().declared().queued(1).started(1), 60)
    for first in range(1, 140, 10):
        probed(told, *rounds(first, first + 9))
    await tell(town, passed(told, *rounds(141, 142)))
    run = told.run_id(1)
    brief = (await get(town, f"/runs/{run}"))["verifications"][0]
    assert (brief["passed"], brief["rounds_made"], len(brief["rounds"])) == (True, 142, 1)
    story = await get(town, f"/runs/{run}/verifications/{named('verification')}")
    assert [each["number"] for each in story["rounds"]] == [*range(1, 21), *range(43, 143)]
    assert (story["rounds_left_out"], story["run"], story["soak"]) == (22, str(run), "passed")
    await get(town, f"/runs/{run}/verifications/{run}", 404)
    await get(town, f"/runs/{named('nobody')}/verifications/{named('verification')}", 404)


async def test_a_verification_of_another_run_is_not_this_ones(town: Town) -> None:
    told = probed(asked(Told().declared().queued(1).started(1).queued(2)), *rounds(1, 2))
    await tell(town, told)
    problem = await get(town, f"/runs/{told.run_id(2)}/verifications/{named('verification')}", 404)
    assert problem["type"].endswith("unknown-verification")


async def test_what_is_probed_is_there_once_however_often_it_is_published(town: Town) -> None:
    told = asked(Told().declared().queued(1).started(1))
    await tell(town, told)
    body = VerificationProbed(**verification(told), rounds=rounds(1, 3))
    await town.say(body)
    await town.say(body)
    run = RunShown.model_validate(await get(town, f"/runs/{told.run_id(1)}"))
    assert run.verifications[0].rounds_made == 3
