"""Dead letters over HTTP: listed, looked at, replayed, discarded; every refusal says why."""

from typing import Any

import pytest

from tests.integration.status.conftest import Town
from tests.integration.status.letters import Clumsy
from tests.integration.status.questions import get


async def post(town: Town, path: str, status: int = 202, **body: Any) -> Any:
    answer = await town.web.client.post(f"/api/v1/dead-letters{path}", json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


async def ids(town: Town, **query: Any) -> dict[str, str]:
    """Return the ids of the letters listed, by what they are about."""
    page = await get(town, "/dead-letters", **query)
    return {letter["key"]: letter["id"] for letter in page["dead_letters"]}


@pytest.fixture
async def clumsy(town: Town) -> Clumsy:
    builder = Clumsy(town)
    await builder.bury("acme/a", "acme/b", "acme/c")
    return builder


CHANGES = ["/replay", "/discard", "/0123/replay", "/0123/discard"]


async def test_nothing_is_shown_or_done_without_the_token(town: Town) -> None:
    for path in ("", "/0123", "/0123/body"):
        assert (await town.web.stranger.get(f"/api/v1/dead-letters{path}")).status_code == 401, path
    for path in CHANGES:
        answer = await town.web.stranger.post(f"/api/v1/dead-letters{path}", json={"reason": "x"})
        assert answer.status_code == 401, path


async def test_letters_are_listed_newest_first_page_by_page_and_narrowed(clumsy: Clumsy) -> None:
    town = clumsy.town
    page = await get(town, "/dead-letters", limit=2)
    assert [letter["key"] for letter in page["dead_letters"]] == ["acme/c", "acme/b"]
    assert page["waiting"] == 3
    rest = await get(town, "/dead-letters", limit=2, cursor=page["next"])
    assert ([letter["key"] for letter in rest["dead_letters"]], rest["next"]) == (["acme/a"], None)
    assert len(await ids(town, group="builder", type="windlass.push.received.v1")) == 3
    assert await ids(town, group="verifier") == await ids(town, state="asked") == {}


async def test_a_letter_shows_everything(clumsy: Clumsy) -> None:
    town = clumsy.town
    letter = (await ids(town))["acme/a"]
    shown = await get(town, f"/dead-letters/{letter[:8]}")
    assert shown["id"] == letter
    assert (shown["state"], shown["deaths"], shown["origin"]) == ("waiting", 1, "windlass.pushes/3@1042")
    assert shown["headers"] == {"x-sent-by": "a mirror"}
    assert '"repository":"acme/a"' in shown["body"]
    assert (shown["body_encoding"], shown["body_truncated"]) == ("text", False)
    assert "no such step" in shown["reason"]


async def test_a_long_body_is_shown_in_part_and_given_back_whole(town: Town) -> None:
    raw = b"\xff\x00" * 100_000
    await Clumsy(town).bury_foreign(raw)
    (letter,) = (await ids(town)).values()
    shown = await get(town, f"/dead-letters/{letter}")
    assert (len(shown["body"]), shown["body_encoding"], shown["body_truncated"]) == (64_000, "base64", True)
    answer = await town.web.client.get(f"/api/v1/dead-letters/{letter}/body")
    assert answer.content == raw
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith("attachment")


async def test_a_letter_is_replayed_by_whoever_asked_and_for_the_reason_given(clumsy: Clumsy) -> None:
    town = clumsy.town
    letter = (await ids(town))["acme/b"]
    asked = await post(town, f"/{letter}/replay", reason="mended in 1.4.2")
    assert (asked["state"], asked["changed_by"], asked["note"]) == ("asked", "ann", "mended in 1.4.2")
    clumsy.mended = True
    async with clumsy.at_work():
        await town.web.until(
            f"/api/v1/dead-letters/{letter}", lambda answer: answer.json()["state"] == "replayed"
        )
    assert clumsy.took == ["acme/b"]
    assert set(await ids(town)) == {"acme/a", "acme/c"}
    assert set(await ids(town, state="all")) == {"acme/a", "acme/b", "acme/c"}


async def test_many_are_replayed_with_one_request(clumsy: Clumsy) -> None:
    town = clumsy.town
    assert await post(town, "/replay", group="verifier") == {"asked": 0, "left": 0, "foreign": 0}
    asked = await post(town, "/replay", group="builder", reason="mended")
    assert asked == {"asked": 3, "left": 0, "foreign": 0}
    clumsy.mended = True
    async with clumsy.at_work():
        await town.web.until("/api/v1/dead-letters", lambda answer: not answer.json()["dead_letters"])
    assert sorted(clumsy.took) == ["acme/a", "acme/b", "acme/c"]


async def test_many_are_discarded_with_one_request_as_many_as_it_takes(
    clumsy: Clumsy, monkeypatch: pytest.MonkeyPatch
) -> None:
    town = clumsy.town
    monkeypatch.setattr("shared.dead_letters.letters.DISCARDED_AT_ONCE_MAX", 1)
    a = (await ids(town))["acme/a"]
    await post(town, f"/{a}/replay")  # asked for: no longer one of those that wait
    nothing = await post(town, "/discard", 200, group="verifier", reason="x")
    assert nothing == {"discarded": 0, "left": 0}
    assert await post(town, "/discard", 200, reason="gone") == {"discarded": 1, "left": 1}
    assert await post(town, "/discard", 200, group="builder", reason="gone") == {"discarded": 1, "left": 0}
    assert set(await ids(town, state="discarded")) == {"acme/b", "acme/c"}
    assert await ids(town) == {"acme/a": a}
    await post(town, "/discard", 400, group="builder")


async def test_what_is_no_event_is_never_replayed(clumsy: Clumsy) -> None:
    town = clumsy.town
    await clumsy.bury_foreign(b"hello")
    letter = (await ids(town))["k"]
    problem = await post(town, f"/{letter}/replay", 409)
    assert "no event of Windlass" in problem["detail"]
    assert "discard" in problem["next"]
    assert await post(town, "/replay") == {"asked": 3, "left": 0, "foreign": 1}
    assert await ids(town, state="waiting") == {"k": letter}


async def test_a_letter_is_discarded_and_stays_to_be_seen(clumsy: Clumsy) -> None:
    town = clumsy.town
    letter = (await ids(town))["acme/b"]
    done = await post(town, f"/{letter}/discard", 200, reason="the pipeline is gone")
    assert (done["state"], done["changed_by"]) == ("discarded", "ann")
    assert (await ids(town, state="discarded"))["acme/b"] == letter


async def test_what_does_not_wait_is_left_alone_and_said_to_be_so(clumsy: Clumsy) -> None:
    town = clumsy.town
    a, b, _ = (await ids(town)).values()
    await post(town, f"/{a}/discard", 200, reason="x")
    await post(town, f"/{b}/replay")
    for path in (f"/{a}/replay", f"/{a}/discard", f"/{b}/replay"):
        problem = await post(town, path, 409, reason="again")
        assert "by ann" in problem["detail"], path
        assert "Nothing was done" in problem["detail"], path
        assert problem["next"], path


async def test_a_beginning_that_several_letters_have_is_not_guessed_at(town: Town) -> None:
    clumsy = Clumsy(town)
    await clumsy.bury(*(f"r/{number}" for number in range(40)))
    found = (await ids(town)).values()
    prefixes = [letter[:4] for letter in found]
    alone = next(prefix for prefix in prefixes if prefixes.count(prefix) == 1)
    assert (await get(town, f"/dead-letters/{alone}"))["id"].startswith(alone)
    assert (await get(town, "/dead-letters/0000", 404))["next"]


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/dead-letters/012", {}),
        ("/dead-letters/no-id", {}),
        ("/dead-letters/----", {}),
        (f"/dead-letters/{'0' * 37}", {}),
        ("/dead-letters", {"state": "sad"}),
        ("/dead-letters", {"cursor": "1~x"}),
        ("/dead-letters", {"limit": 0}),
    ],
)
async def test_a_query_that_makes_no_sense_is_refused(town: Town, path: str, query: dict[str, Any]) -> None:
    assert (await get(town, path, 400, **query))["detail"]


async def test_a_discard_needs_a_reason(clumsy: Clumsy) -> None:
    letter = (await ids(clumsy.town))["acme/a"]
    await post(clumsy.town, f"/{letter}/discard", 400)
    await post(clumsy.town, f"/{letter}/discard", 400, reason="")
    await post(clumsy.town, f"/{letter}/replay", 400, reason="x" * 501)


async def test_an_id_of_too_many_digits_is_nobodys(town: Town) -> None:
    await get(town, f"/dead-letters/{'0' * 36}", 404)


async def test_each_death_is_in_the_history(clumsy: Clumsy) -> None:
    page = await clumsy.town.web.until(
        "/api/v1/events?type=windlass.message.died.v1", lambda answer: len(answer.json()["events"]) == 3
    )
    assert {event["body"]["origin"] for event in page.json()["events"]} == {"windlass.pushes/3@1042"}
