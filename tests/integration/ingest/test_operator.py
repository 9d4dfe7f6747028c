"""Registering repositories and asking for deployments, with the owner's token."""

import asyncio
import subprocess
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from shared.db import Cause, ServiceDatabase, tables
from shared.events import PlanRejected
from shared.ids import Commit, Pipeline, Repository
from tests.builders import named
from tests.contract.installation import TURNS_MAX
from tests.integration.ingest.forge import COMMIT, REMOTE, published, push_body, registered
from tests.integration.replicas import STORES
from tests.integration.web import HOLDER, TOKEN, Web

pytestmark = pytest.mark.parametrize("web", STORES, indirect=True)


async def learn(
    web: Web, pipeline: str, repository: str = "acme/shop", branch: str = "trunk", tag: str = ""
) -> None:
    """Have ingest hear where a pipeline comes from."""
    event = PlanRejected(
        tag=tag,
        push=named("push"),
        pipeline=Pipeline(pipeline),
        repository=Repository(repository),
        branch=branch,
        commit=Commit(COMMIT),
        problems=(),
    )
    said_by = ServiceDatabase(web.database, "synthesizer")
    async with said_by.transaction(Cause(named(pipeline)), "said") as tx:
        tx.emit(event)
    heard = sa.select(tables.inbox).where(tables.inbox.c.consumer_group == "ingest")
    for _ in range(TURNS_MAX):
        await asyncio.sleep(0)
        async with web.database.reading() as reading:
            if (await reading.execute(heard)).all():
                return
    raise AssertionError("it was never heard")


def repository_at(folder: Path) -> str:
    subprocess.run(["git", "init", folder], check=True, capture_output=True)
    return str(folder)


DOORS = [
    ("GET", "/api/v1/repositories"),
    ("POST", "/api/v1/repositories"),
    ("DELETE", "/api/v1/repositories/acme/shop"),
    ("POST", "/api/v1/pipelines/shop/deploy"),
]
NO_TOKENS = [None, "", "Bearer", "Bearer wrong", f"Basic {TOKEN}", "Bearer " + "x" * 999]


async def test_nothing_is_done_or_shown_without_the_token(web: Web) -> None:
    for (method, path), header in product(DOORS, NO_TOKENS):
        headers = {} if header is None else {"Authorization": header}
        answer = await web.stranger.request(method, path, headers=headers)
        assert answer.status_code == 401, (method, path, header)
        assert answer.json()["next"]


async def test_a_registered_repository_is_listed_without_its_secret(web: Web) -> None:
    forge = await registered(web)
    answer = await web.client.get("/api/v1/repositories")
    (shown,) = answer.json()["repositories"]
    assert shown["name"] == "acme/shop"
    assert shown["webhook_url"] == "http://windlass.test/webhooks/github?repository=acme%2Fshop"
    assert forge.secret not in answer.text


async def test_the_same_remote_again_is_told_how_to_see_it(web: Web) -> None:
    await registered(web)
    answer = await web.client.post("/api/v1/repositories", json={"remote": REMOTE})
    assert answer.status_code == 409
    assert "windlass repo list" in answer.json()["next"]


async def test_after_a_rotation_only_the_new_secret_signs(web: Web) -> None:
    old = await registered(web)
    answer = await web.client.post("/api/v1/repositories?rotate=true", json={"remote": REMOTE})
    new = type(old)(web, answer.json()["secret"])
    assert (await old.deliver(push_body())).status_code == 401
    assert (await new.deliver(push_body())).status_code == 202


async def test_a_forgotten_repository_is_a_stranger(web: Web) -> None:
    forge = await registered(web)
    assert (await web.client.delete("/api/v1/repositories/acme/shop")).status_code == 204
    assert (await forge.deliver(push_body())).status_code == 401
    again = await web.client.delete("/api/v1/repositories/acme/shop")
    assert (again.status_code, again.json()["title"]) == (404, "Unknown repository")


async def test_folders_of_one_name_get_numbers_and_chosen_names_must_be_free(
    web: Web, tmp_path: Path
) -> None:
    assert (await registered(web, repository_at(tmp_path / "a" / "shop"))).name == "shop"
    assert (await registered(web, repository_at(tmp_path / "b" / "shop"))).name == "shop-2"
    chosen = {"remote": repository_at(tmp_path / "c" / "shop"), "name": "shop"}
    assert (await web.client.post("/api/v1/repositories", json=chosen)).status_code == 409


UNFIT: list[Any] = [
    {"remote": "/no/such/folder"},
    {"remote": "ext::sh -c id"},
    {"remote": "--upload-pack=x"},
    {"remote": REMOTE, "branch": "--x"},
    {"remote": REMOTE, "name": "../x"},
    {"remote": 5},
    {},
    [],
]


async def test_what_cannot_be_registered_is_told_why(web: Web) -> None:
    for asked in UNFIT:
        answer = await web.client.post("/api/v1/repositories", json=asked)
        assert answer.status_code == 400, asked
        assert answer.json()["detail"]


async def test_a_deployment_asked_for_is_said_with_who_and_why(web: Web) -> None:
    await registered(web)
    answer = await web.client.post(
        "/api/v1/pipelines/shop/deploy", json={"commit": COMMIT, "reason": "a fix"}
    )
    assert answer.status_code == 202
    (said,) = await published(web)
    assert said["push"] == answer.json()["push"]
    assert (said["trigger"], said["pipeline"], said["commit"]) == ("manual", "shop", COMMIT)
    assert (said["pusher"], said["reason"], said["branch"]) == (HOLDER, "a fix", "main")


async def test_asked_twice_is_said_twice_but_for_the_same_key(web: Web) -> None:
    await registered(web)
    for key in (None, None, "k1", "k1"):
        headers = {"Idempotency-Key": key} if key else {}
        answer = await web.client.post("/api/v1/pipelines/shop/deploy", json={}, headers=headers)
        assert answer.status_code == 202
    assert len(await published(web)) == 3
    other = await web.client.post(
        "/api/v1/pipelines/shop/deploy", json={"commit": COMMIT}, headers={"Idempotency-Key": "k1"}
    )
    assert other.status_code == 409


async def test_a_known_pipeline_is_deployed_from_its_own_repository_and_branch(web: Web) -> None:
    await registered(web)
    await registered(web, "https://git.example/acme/tools")
    await learn(web, "shop")
    answer = await web.client.post("/api/v1/pipelines/shop/deploy", json={})
    assert answer.status_code == 202
    said = (await published(web))[-1]
    assert (said["repository"], said["branch"]) == ("acme/shop", "trunk")


async def test_a_pipeline_of_which_only_a_tag_was_seen_is_deployed_from_the_usual_branch(web: Web) -> None:
    await registered(web)
    await learn(web, "shop", branch="", tag="v1")
    answer = await web.client.post("/api/v1/pipelines/shop/deploy", json={})
    assert answer.status_code == 202
    assert ((await published(web))[-1]["branch"], (await published(web))[-1]["tag"]) == ("main", "")


async def test_a_tag_may_be_deployed_by_hand(web: Web) -> None:
    await registered(web)
    await learn(web, "shop")
    answer = await web.client.post("/api/v1/pipelines/shop/deploy", json={"tag": "v1"})
    assert answer.status_code == 202
    said = (await published(web))[-1]
    assert (said["branch"], said["tag"], said["commit"]) == ("", "v1", None)


async def test_an_unknown_pipeline_is_answered_with_those_that_are_known(web: Web) -> None:
    await registered(web)
    await learn(web, "shop")
    answer = await web.client.post("/api/v1/pipelines/shpo/deploy", json={})
    assert answer.status_code == 404
    assert "Did you mean shop?" in answer.json()["next"]
    named_repository = await web.client.post(
        "/api/v1/pipelines/new/deploy", params={"repository": "acme/shop"}, json={}
    )
    assert named_repository.status_code == 202


async def test_the_first_deployment_of_a_pipeline_is_told_how_to_name_its_repository(web: Web) -> None:
    for remote in (REMOTE, "https://git.example/acme/tools", "https://git.example/acme/ops-tools"):
        await registered(web, remote)
    await learn(web, "shop")
    answer = await web.client.post("/api/v1/pipelines/ops/deploy", json={})
    assert (answer.status_code, answer.json()["detail"]) == (404, "No pipeline is called 'ops' yet.")
    next_ = answer.json()["next"]
    assert "`windlass deploy ops --repository NAME`" in next_
    assert "acme/ops-tools, acme/shop, acme/tools" in next_
    hostile = await web.client.post("/api/v1/pipelines/ops;id/deploy", json={})
    assert "windlass deploy 'ops;id' --repository" in hostile.json()["next"]


async def test_a_pipeline_without_any_repository_is_told_how_to_register_one(web: Web) -> None:
    answer = await web.client.post("/api/v1/pipelines/ops/deploy", json={})
    assert answer.status_code == 404
    assert "`windlass repo add URL|PATH`" in answer.json()["next"]


@pytest.mark.parametrize("name", ["https://git.example/acme/tools", "https://git.example/tools"])
async def test_a_pipeline_called_as_a_new_repository_comes_from_there(web: Web, name: str) -> None:
    await registered(web)
    await registered(web, name)
    await learn(web, "shop")
    answer = await web.client.post("/api/v1/pipelines/tools/deploy", json={})
    assert answer.status_code == 202
    assert (await published(web))[-1]["repository"].rpartition("/")[2] == "tools"


async def test_of_two_repositories_called_as_the_pipeline_none_is_guessed(web: Web) -> None:
    for remote in ("https://git.example/acme/tools", "https://git.example/other/tools"):
        await registered(web, remote)
    assert (await web.client.post("/api/v1/pipelines/tools/deploy", json={})).status_code == 404


async def test_a_pipeline_that_is_none_is_not_looked_for_where_others_came_from(web: Web) -> None:
    await registered(web)
    await learn(web, "store")
    assert (await web.client.post("/api/v1/pipelines/shop/deploy", json={})).status_code == 404


@pytest.mark.parametrize(
    "asked",
    [
        {"commit": "HEAD"},
        {"commit": "4f4f"},
        {"branch": "-x"},
        {"tag": "-d"},
        {"tag": "v1", "branch": "main"},
        {"reason": "x" * 501},
    ],
)
async def test_a_deployment_of_nothing_that_git_could_name_is_refused(
    web: Web, asked: dict[str, str]
) -> None:
    await registered(web)
    answer = await web.client.post("/api/v1/pipelines/shop/deploy", json=asked)
    assert answer.status_code == 400
    assert await published(web) == []
