"""What monitors tell, and with which tokens."""

import asyncio
from urllib.parse import quote

import httpx
import pytest
import sqlalchemy as sa

from services.ingest import store, tables
from shared.db import Cause, ServiceDatabase
from shared.db.tables import inbox
from shared.events import RevisionPlanned
from shared.ids import Stage
from tests.builders import named
from tests.contract.installation import TURNS_MAX
from tests.integration.web import HOLDER, Web
from tests.unit.status.stories import retold

FIRES = {"state": "firing", "reason": "5xx above 1 %"}


def planned(revision: int, **alarms: str) -> RevisionPlanned:
    """A revision of the pipeline `shop`, by stage with the alarm it names."""
    told = retold(RevisionPlanned.type, pipeline="shop", revision=revision)
    assert isinstance(told, RevisionPlanned)
    like = told.plan.stages[0]
    stages = tuple(
        like.model_copy(update={"name": Stage(name), "alarm": alarm}) for name, alarm in alarms.items()
    )
    return told.model_copy(update={"plan": told.plan.model_copy(update={"stages": stages})})


async def hears(web: Web, event: RevisionPlanned) -> None:
    """Have ingest hear of a revision."""
    said_by = ServiceDatabase(web.database, "synthesizer")
    heard = sa.select(inbox).where(inbox.c.consumer_group == "ingest")
    before = len(web.store.look(heard))
    async with said_by.transaction(Cause(named(f"revision {event.revision}")), "said") as tx:
        tx.emit(event)
    for _ in range(TURNS_MAX):
        if len(web.store.look(heard)) > before:
            return
        await asyncio.sleep(0)
    raise AssertionError("it was never heard")


async def monitor(web: Web, alarm: str, name: str = "grafana") -> dict[str, str]:
    """Give a monitor its token; return the headers it sends."""
    granted = await web.client.post("/api/v1/tokens", json={"name": name, "alarm": alarm})
    assert granted.status_code == 201
    return {"Authorization": f"Bearer {granted.json()['token']}"}


async def test_the_same_report_again_is_one_event(web: Web) -> None:
    told = [await web.client.post("/api/v1/alarms/shop-5xx", json=FIRES) for _ in range(3)]
    assert [each.status_code for each in told] == [202, 202, 202]
    assert len({each.json()["position"] for each in told}) == 1


async def test_another_state_is_another_event_also_when_it_was_told_before(web: Web) -> None:
    states = [FIRES, {"state": "clear", "reason": ""}, FIRES]
    told = [await web.client.post("/api/v1/alarms/shop-5xx", json=each) for each in states]
    assert len({each.json()["position"] for each in told}) == 3


@pytest.mark.parametrize(
    ("alarm", "status"),
    [
        pytest.param("shop-5xx", 202, id="its own alarm"),
        pytest.param("*", 202, id="every alarm"),
        pytest.param("other", 403, id="another alarm"),
    ],
)
async def test_a_token_says_the_alarm_it_is_for(web: Web, alarm: str, status: int) -> None:
    headers = await monitor(web, alarm)
    told = await web.stranger.post("/api/v1/alarms/shop-5xx", json=FIRES, headers=headers)
    assert told.status_code == status


@pytest.mark.parametrize("path", ["/api/v1/repositories", "/api/v1/tokens", "/api/v1/pipelines/shop/deploy"])
async def test_a_token_for_alarms_is_good_for_nothing_else(web: Web, path: str) -> None:
    headers = await monitor(web, "*")
    body = {"remote": "https://forge.test/a.git", "name": "a", "alarm": "*"}
    assert (await web.stranger.post(path, json=body, headers=headers)).status_code == 403


async def test_a_refused_token_is_told_what_it_is_good_for(web: Web) -> None:
    headers = await monitor(web, "shop-5xx")
    for path in ("alarms/other", "tokens"):
        refused = await web.stranger.post(f"/api/v1/{path}", json=FIRES, headers=headers)
        assert (refused.status_code, refused.json()["detail"]) == (
            403,
            "This token is good for alarm shop-5xx only.",
        )


@pytest.mark.parametrize("name", ["a b", "a\tb", "a%b", "al\u00e4rm", "*", "x" * 201, "a\nb", "<b>"])
async def test_what_is_no_name_of_an_alarm_is_refused(web: Web, name: str) -> None:
    told = await web.client.post(f"/api/v1/alarms/{quote(name, safe='')}", json=FIRES)
    asked = await web.client.post("/api/v1/tokens", json={"name": "grafana", "alarm": f"{name}!"})
    assert told.status_code == (404 if "\n" in name else 400)
    assert asked.status_code == 400


@pytest.mark.parametrize(
    "name", ["arn:aws:cloudwatch:eu-west-1:1:alarm:shop-5xx", "shop/5xx", "A.b_c-1", "x" * 200]
)
async def test_names_as_monitors_have_them_are_taken(web: Web, name: str) -> None:
    headers = await monitor(web, name)
    told = await web.stranger.post(f"/api/v1/alarms/{quote(name)}", json=FIRES, headers=headers)
    assert told.status_code == 202, told.text


async def test_how_services_do_is_told_by_nobody_but_windlass(web: Web) -> None:
    headers = await monitor(web, "*")
    report = f"/api/v1/alarms/{quote('health:shop/production')}"
    told = [
        await web.client.post(report, json=FIRES),
        await web.stranger.post(report, json=FIRES, headers=headers),
        await web.client.post("/api/v1/tokens", json={"name": "mallory", "alarm": "health:shop/production"}),
    ]
    assert {(each.status_code, each.json()["title"]) for each in told} == {(403, "Alarm of health")}
    assert web.store.look(sa.select(tables.alarms)) == []


@pytest.mark.parametrize("name", ["healthy", "Health:shop/production", "x-health:shop", "health"])
async def test_a_name_that_only_looks_like_one_of_health_is_taken(web: Web, name: str) -> None:
    assert (await web.client.post(f"/api/v1/alarms/{quote(name)}", json=FIRES)).status_code == 202


async def test_the_answer_names_the_stages_that_the_alarm_stops(web: Web) -> None:
    nobody = await web.client.post("/api/v1/alarms/shop-5xx", json=FIRES)
    assert nobody.json()["stages"] == []
    await hears(web, planned(1, production="shop-5xx", staging="", canary="other"))
    again = await web.client.post("/api/v1/alarms/shop-5xx", json=FIRES)
    granted = await web.client.post("/api/v1/tokens", json={"name": "grafana", "alarm": "shop-5xx"})
    person = await web.client.post("/api/v1/tokens", json={"name": "bob"})
    named = [each.json()["stages"] for each in (again, granted, person)]
    assert named == [["shop/production"], ["shop/production"], None]
    assert again.json()["position"] == nobody.json()["position"]


async def test_a_stage_that_names_the_alarm_no_more_is_not_told(web: Web) -> None:
    await hears(web, planned(1, production="shop-5xx"))
    await hears(web, planned(2, production="shop-errors"))
    told = await web.client.post("/api/v1/alarms/shop-5xx", json=FIRES)
    assert told.json()["stages"] == []


async def test_a_token_for_everything_is_not_taken_away_by_a_lesser_one(web: Web) -> None:
    await monitor(web, "a", "grafana")
    holder = (await web.client.post("/api/v1/tokens", json={"name": HOLDER, "alarm": "*"})).status_code
    assert (holder, (await web.client.get("/api/v1/repositories")).status_code) == (409, 200)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"state": "loud"}, id="no such state"),
        pytest.param({"state": "clear", "more": 1}, id="an unknown key"),
        pytest.param({"state": "clear", "reason": "x" * 501}, id="too long a reason"),
        pytest.param({"state": "clear", "reason": "a\nb"}, id="more than a line"),
    ],
)
async def test_what_makes_no_sense_is_refused(web: Web, body: dict[str, object]) -> None:
    assert (await web.client.post("/api/v1/alarms/shop-5xx", json=body)).status_code == 400


async def test_a_token_for_every_alarm_tells_of_so_many_and_its_refusal_says_what_helps(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "UNNAMED_ALARMS_MAX", 2)
    any_alarm = await monitor(web, "*")
    own = await monitor(web, "third", "third-monitor")

    async def tell(alarm: str, headers: dict[str, str], state: str = "firing") -> httpx.Response:
        return await web.stranger.post(f"/api/v1/alarms/{alarm}", json={"state": state}, headers=headers)

    first = [(await tell(each, any_alarm)).status_code for each in ("first", "second", "third")]
    assert first == [202, 202, 409]
    refused = (await tell("third", any_alarm)).json()
    assert "windlass token NAME --alarm third" in refused["next"]
    assert (await tell("second", any_alarm, "clear")).status_code == 202  # what is known goes on
    assert (await tell("third", own)).status_code == 202
    assert (await tell("third", any_alarm, "clear")).status_code == 202
    assert (await tell("fourth", any_alarm)).status_code == 409
    second = await monitor(web, "second", "second-monitor")
    assert (await tell("second", second)).status_code == 202  # is the monitor's own by now
    assert (await tell("fourth", any_alarm)).status_code == 202


async def test_an_alarm_that_has_long_been_quiet_is_forgotten_and_one_that_fires_is_not(web: Web) -> None:
    for alarm, state in (("quiet", "clear"), ("loud", "firing")):
        await web.client.post(f"/api/v1/alarms/{alarm}", json={"state": state})
    web.clock.advance(store.KEPT.total_seconds() + 1)
    await store.IngestStore(ServiceDatabase(web.database, "ingest")).resume()
    kept = [row.name for row in web.store.look(sa.select(tables.alarms))]
    assert kept == ["loud"]
