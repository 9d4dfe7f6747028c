"""`POST /webhooks/github`, as a forge and as strangers use it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from services.ingest.body import BODY_BYTES_MAX, FOR_SMALL_BYTES, SMALL_BYTES_MAX, BodyRoom
from shared.problems import MEDIA_TYPE, ProblemError
from tests.integration.ingest.conftest import ingest
from tests.integration.ingest.forge import COMMIT, Forge, published, push_body, registered
from tests.integration.replicas import OnSqlite
from tests.integration.web import Web, serve


def is_problem(answer: httpx.Response, status: int) -> bool:
    document = answer.json()
    told = {"type", "title", "status", "detail", "next"} == set(document) and all(document.values())
    return answer.status_code == status and answer.headers["content-type"] == MEDIA_TYPE and told


async def test_a_signed_push_is_on_disk_when_it_is_answered(web: Web) -> None:
    forge = await registered(web)
    answer = await forge.deliver(push_body())
    assert answer.status_code == 202
    (said,) = await published(web)
    assert answer.json() == {
        "result": "accepted",
        "push": said["push"],
        "repository": "acme/shop",
        "branch": "main",
        "commit": COMMIT,
    }
    assert said["remote"] == "https://git.example/acme/shop"
    assert (said["trigger"], said["pusher"], said["branch"]) == ("push", "ann", "main")


async def test_a_ping_is_answered_with_200(web: Web) -> None:
    answer = await (await registered(web)).deliver(b'{"zen":"Keep it simple"}', event="ping")
    assert (answer.status_code, answer.json()["result"]) == (200, "pong")


@pytest.mark.parametrize(
    ("event", "body"),
    [
        ("issues", b"{}"),
        ("push", push_body(deleted=True, after="0" * 40)),
        ("push", push_body(ref="refs/tags/v1", deleted=True)),
        ("push", push_body(ref="refs/pull/1/head")),
        ("push", push_body(ref="refs/heads/--upload-pack=x")),
    ],
)
async def test_what_asks_nothing_is_ignored_with_a_reason(web: Web, event: str, body: bytes) -> None:
    answer = await (await registered(web)).deliver(body, event=event)
    assert (answer.status_code, answer.json()["result"]) == (202, "ignored")
    assert answer.json()["reason"]
    assert await published(web) == []


async def test_a_pushed_tag_is_accepted_once(web: Web) -> None:
    forge = await registered(web)
    body = push_body(ref="refs/tags/v1")
    answers = [(await forge.deliver(body, delivery)).json() for delivery in ("1", "2")]
    assert [answer["result"] for answer in answers] == ["accepted", "known already"]
    (said,) = await published(web)
    assert (said["branch"], said["tag"], said["commit"]) == ("", "v1", COMMIT)


async def test_only_the_registered_branch_is_listened_to(web: Web) -> None:
    forge = await registered(web, branch="main")
    assert (await forge.deliver(push_body(ref="refs/tags/main"), "0")).json()["result"] == "ignored"
    assert (await forge.deliver(push_body(ref="refs/heads/x"), "1")).json()["result"] == "ignored"
    assert (await forge.deliver(push_body(), "2")).json()["result"] == "accepted"


async def test_a_redelivery_gets_the_same_answer_and_nothing_is_said_twice(web: Web) -> None:
    forge = await registered(web)
    answers = [await forge.deliver(push_body()) for _ in range(3)]
    assert {answer.text for answer in answers} == {answers[0].text}
    assert len(await published(web)) == 1


async def test_a_redelivery_in_a_later_life_is_known_too(tmp_path: Path) -> None:
    async with serve(tmp_path, ingest) as web:
        forge = await registered(web)
        first = await forge.deliver(push_body())
    async with serve(tmp_path, ingest) as web:
        again = await Forge(web, forge.secret).deliver(push_body())
        assert again.text == first.text
        assert len(await published(web)) == 1


async def test_a_delivery_id_used_for_another_body_is_a_conflict(web: Web) -> None:
    forge = await registered(web)
    await forge.deliver(push_body(), "1")
    assert is_problem(await forge.deliver(push_body(after="ab" * 20), "1"), 409)
    assert len(await published(web)) == 1


async def test_a_replay_under_a_new_delivery_id_is_known_already(web: Web) -> None:
    forge = await registered(web)
    first = await forge.deliver(push_body(), "1")
    replay = await forge.deliver(push_body(), "2")
    assert (replay.status_code, replay.json()["result"]) == (202, "known already")
    assert replay.json()["push"] == first.json()["push"]
    assert len(await published(web)) == 1


async def test_a_burst_with_redeliveries_in_it_says_each_push_once(web: Web) -> None:
    forge = await registered(web)
    bodies = [push_body(after=f"{number:040x}") for number in range(1, 61)]
    deliveries = [(body, f"d-{number}") for number, body in enumerate(bodies)] * 3
    answers = await asyncio.gather(*(forge.deliver(body, id_) for body, id_ in deliveries))
    assert {answer.status_code for answer in answers} == {202}
    said = [event["commit"] for event in await published(web)]
    assert sorted(said) == sorted(f"{number:040x}" for number in range(1, 61))


async def test_an_unknown_repository_and_a_wrong_signature_cannot_be_told_apart(web: Web) -> None:
    forge = await registered(web)
    unknown = await Forge(web, forge.secret, "acme/unknown").deliver(push_body())
    answers = [
        await forge.deliver(push_body(), X_Hub_Signature_256="sha256=" + "0" * 64),
        await forge.deliver(push_body(), X_Hub_Signature_256=None),
        await forge.deliver(push_body(), X_Hub_Signature_256=None, X_Hub_Signature="sha1=" + "0" * 40),
        await Forge(web, "another secret").deliver(b"not even JSON"),
        await web.stranger.post("/webhooks/github", content=push_body()),
        await Forge(web, forge.secret, "x" * 5_000).deliver(push_body()),
    ]
    assert is_problem(unknown, 401)
    told = {(answer.status_code, answer.text, str(sorted(answer.headers.items()))) for answer in answers}
    assert told == {(401, unknown.text, str(sorted(unknown.headers.items())))}
    assert await published(web) == []


NO_PUSHES = [b"{", b'{"ref": 1}', b"[" * 100_000, push_body(after="HEAD"), b"payload=%7B%7D"]


async def test_a_signed_body_that_is_no_push_is_told_what_to_do(web: Web) -> None:
    forge = await registered(web)
    for body in NO_PUSHES:
        assert is_problem(await forge.deliver(body), 400), body[:40]


async def test_a_delivery_needs_an_id(web: Web) -> None:
    forge = await registered(web)
    for delivery in (None, "", "a b", "x" * 101, "é".encode()):
        answer = await forge.deliver(push_body(), X_GitHub_Delivery=delivery)  # type: ignore[arg-type]
        assert is_problem(answer, 400), delivery


class Chunks:
    """A body sent without saying how long it is; counts what was taken of it."""

    def __init__(self, total: int) -> None:
        self.left = total
        self.sent = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while self.left > 0:
            chunk = b" " * min(self.left, 1024 * 1024)
            self.left -= len(chunk)
            self.sent += len(chunk)
            yield chunk


async def test_a_body_that_says_it_is_too_large_is_refused_unread(web: Web) -> None:
    forge = await registered(web)
    body = Chunks(26 * 1024 * 1024)
    answer = await forge.deliver(aiter(body), Content_Length=str(26 * 1024 * 1024))
    assert is_problem(answer, 413)
    assert body.sent <= 1024 * 1024  # the client offers the first chunk by itself


async def test_a_body_that_turns_out_too_large_is_refused_at_the_limit(web: Web) -> None:
    forge = await registered(web)
    body = Chunks(100 * 1024 * 1024)
    assert is_problem(await forge.deliver(aiter(body)), 413)
    assert body.sent <= BODY_BYTES_MAX + 2 * 1024 * 1024


def test_bodies_together_take_no_more_room_than_there_is() -> None:
    room = BodyRoom(left_bytes=100)
    with room.taken() as one:
        one.grow_to(60)
        with room.taken() as other:
            other.grow_to(40)
            with pytest.raises(Exception, match="Too many large requests"):
                other.grow_to(41)
        assert room.left_bytes == 40
    assert room.left_bytes == 100


def test_large_bodies_leave_room_for_small_ones() -> None:
    room = BodyRoom(left_bytes=FOR_SMALL_BYTES + SMALL_BYTES_MAX + 1)
    with room.taken() as large, room.taken() as small:
        large.grow_to(SMALL_BYTES_MAX + 1)
        with pytest.raises(ProblemError, match="Too many large requests"):
            large.grow_to(SMALL_BYTES_MAX + 2)
        small.grow_to(SMALL_BYTES_MAX)


async def test_a_full_disk_is_answered_with_503_and_nothing_is_acknowledged(web: Web) -> None:
    forge = await registered(web)
    assert isinstance(web.store, OnSqlite)
    raw = web.store.database._writer
    assert raw is not None
    pages = raw.execute("PRAGMA page_count").fetchone()[0]
    raw.execute(f"PRAGMA max_page_count={pages}")
    answers = [await forge.deliver(push_body(after=f"{n:040x}"), f"d-{n}") for n in range(1, 41)]
    refused = [answer for answer in answers if answer.status_code == 503]
    assert refused
    assert all(is_problem(answer, 503) and answer.headers["retry-after"] for answer in refused)
    accepted = [answer.json()["push"] for answer in answers if answer.status_code == 202]
    assert [event["push"] for event in await published(web)] == accepted
    raw.execute("PRAGMA max_page_count=1073741823")
    again = [await forge.deliver(push_body(after=f"{n:040x}"), f"d-{n}") for n in range(1, 41)]
    assert {answer.status_code for answer in again} == {202}
    assert len(await published(web)) == 40


async def test_the_secret_is_not_in_the_database_in_the_clear(web: Web, tmp_path: Path) -> None:
    forge = await registered(web)
    await forge.deliver(push_body())
    files = [(tmp_path / name).read_bytes() for name in ("windlass.db", "windlass.db-wal")]
    assert not any(forge.secret.encode() in content for content in files)
