"""Tokens of people: who may give them, and to whom."""

import asyncio
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
import structlog

from services.ingest.routes import tokens
from shared.access import Access, access_tokens
from tests.integration.replicas import STORES
from tests.integration.web import HOLDER, Web

pytestmark = pytest.mark.parametrize("web", STORES, indirect=True)


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def ask(web: Web, name: str, headers: dict[str, str] | None = None, **more: Any) -> httpx.Response:
    """Ask for somebody's token; as the owner, unless somebody else's headers are given."""
    client = web.client if headers is None else web.stranger
    return await client.post("/api/v1/tokens", json={"name": name, **more}, headers=headers)


async def person(web: Web, name: str, **more: Any) -> dict[str, str]:
    """Give a person a token; return the headers they send."""
    granted = await ask(web, name, **more)
    assert granted.status_code == 201, granted.text
    return bearer(granted.json()["token"])


async def may_look(web: Web, headers: dict[str, str]) -> bool:
    return (await web.stranger.get("/api/v1/repositories", headers=headers)).status_code == 200


async def test_a_second_person_gets_a_token_of_their_own_of_which_only_the_hash_is_kept(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    structlog.reset_defaults()  # whatever a program that ran in this process left behind
    monkeypatch.setattr(tokens, "log", structlog.get_logger())
    with structlog.testing.capture_logs() as logs:
        headers = await person(web, "bob")
    token = headers["Authorization"].removeprefix("Bearer ")
    assert await Access(web.database).holder(token) == "bob"
    assert await may_look(web, headers)
    assert token not in str(web.store.look(sa.select(access_tokens)))
    assert token not in str(logs)
    (said,) = [each for each in logs if each["event"] == "token.granted"]
    assert (said["holder"], said["by"], said["replaced"]) == ("bob", HOLDER, False)


async def test_a_name_that_is_taken_is_refused_and_its_token_goes_on(web: Web) -> None:
    headers = await person(web, "bob")
    again = await ask(web, "bob")
    assert again.status_code == 409
    assert "a token of bob already" in again.json()["detail"]
    assert "--replace" in again.json()["next"]
    assert await may_look(web, headers)


async def test_replaced_the_old_token_is_worth_nothing(web: Web) -> None:
    old = await person(web, "bob")
    new = await person(web, "bob", replace=True)
    assert [await may_look(web, each) for each in (old, new)] == [False, True]


@pytest.mark.parametrize("replace", [False, True])
@pytest.mark.parametrize("name", ["BOB", HOLDER.upper()])
async def test_a_name_that_differs_only_in_its_capitals_is_taken(web: Web, name: str, replace: bool) -> None:
    await person(web, "bob")
    refused = await ask(web, name, replace=replace)
    assert refused.status_code == 409
    assert "capitals" in refused.json()["detail"]


async def test_a_token_made_beside_the_database_is_not_replaced_from_afar(web: Web) -> None:
    refused = await ask(web, HOLDER, replace=True)
    assert refused.status_code == 409
    assert (await web.client.get("/api/v1/repositories")).status_code == 200


async def test_whoever_was_given_a_token_gives_none_to_people(web: Web) -> None:
    """Who could make up a second person would pass every gate that asks for two."""
    bob = await person(web, "bob")
    refused = await ask(web, "carol", bob)
    assert refused.status_code == 403
    assert HOLDER in refused.json()["next"]
    assert (await ask(web, "bob", bob, replace=True)).status_code == 403
    assert (await ask(web, "grafana", bob, alarm="shop-5xx")).status_code == 201


async def test_nobody_else_gets_a_token(web: Web) -> None:
    monitor = await person(web, "grafana", alarm="*")
    for headers in ({}, bearer("wrong")):
        assert (await ask(web, "carol", headers)).status_code == 401
    assert (await ask(web, "carol", monitor)).status_code == 403
    assert len(web.store.look(sa.select(access_tokens))) == 2


@pytest.mark.parametrize(
    "name", ["", "a b", "bob\n", "b\u00f6b", "\u0430nn", "x" * 101, "a/b", "<b>", None, 5]
)
async def test_what_is_no_name_gets_no_token(web: Web, name: Any) -> None:
    assert (await ask(web, name)).status_code == 400


async def test_of_two_who_ask_for_one_name_at_once_one_gets_it(web: Web) -> None:
    asked = await asyncio.gather(*(ask(web, name) for name in ("bob", "Bob", "bob")))
    assert sorted(each.status_code for each in asked) == [201, 409, 409]
