"""What a hostile or clumsy webhook gets: a clear answer within bounds, and nobody else notices."""

import asyncio
import json
from collections.abc import AsyncIterator

import httpx
import pytest

from tests.e2e.quay import MEBIBYTE, NOTHING, Quay, Tenant, problem_of, push_body, signature

COMMIT = "c0ffee" + "0" * 34
TOO_LARGE = 26 * MEBIBYTE

SIGNATURES = {
    "none": "",
    "empty": "sha256=",
    "wrong": "sha256=" + "0" * 64,
    "another algorithm": "sha1=" + "0" * 40,
    "not text": "\xff\xfe",
    "long": "sha256=" + "0" * 6000,
}
NAMES = ["nobody", "", "%00", "%F0%9F%92%A9", "%ED%A0%80", "..%2F..%2Fetc", "'%20OR%20''='", "x" * 5000]
NO_PUSHES = {
    "nothing": b"",
    "broken off": b"{",
    "not text": b"\xff\xfe\x00",
    "a list": b"[]",
    "null": b"null",
    "a form": b"ref=refs/heads/main",
    "deep lists": b"[" * 200_000,
    "deep mappings": b'{"ref":' * 100_000 + b"1" + b"}" * 100_000,
    "deep inside": b'{"pusher": ' + b"[" * 50_000 + b"]" * 50_000 + b"}",
    "a number for a ref": push_body(COMMIT, ref=7),
    "a long ref": push_body(COMMIT, ref="refs/heads/" + "x" * 5_000),
    "a text for a switch": push_body(COMMIT, deleted="no"),
    "a text for a person": push_body(COMMIT, pusher="ada"),
    "no commit": push_body(COMMIT, after=None),
    "a name for a commit": push_body("HEAD"),
    "an option for a commit": push_body("--upload-pack=touch"),
    "a commit and a line end": push_body(f"{COMMIT}\n"),
    "half a character": b'{"ref": "\\ud800", "after": "' + COMMIT.encode() + b'"}',
    "huge numbers": b'{"ref": 1e999999, "after": ' + b"9" * 100_000 + b"}",
}
IGNORED = {
    "another event": ("issues", b'{"action": "opened"}', "only push is"),
    "no event": ("", push_body(COMMIT), "only push is"),
    "nonsense for an event": ("pu sh\xe9" * 2_000, b"{}", "only push is"),
    "a note": ("push", push_body(COMMIT, ref="refs/notes/commits"), "not a branch or a tag"),
    "a tag that goes": ("push", push_body(COMMIT, ref="refs/tags/v1", deleted=True), "was deleted"),
    "a deletion": ("push", push_body(NOTHING, deleted=True), "deleted"),
    "an option for a branch": ("push", push_body(COMMIT, "--upload-pack=x"), "not a name"),
    "dots": ("push", push_body(COMMIT, "a..b"), "not a name"),
    "two lines": ("push", push_body(COMMIT, "a\nb"), "not a name"),
    "no name": ("push", push_body(COMMIT, ""), "not a name"),
}

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]


@pytest.fixture
def forge(quay: Quay) -> Tenant:
    """Give a repository whose webhook is tried on: the healthy one's own."""
    return quay.neighbour.tenant


async def test_what_is_not_signed_is_refused(forge: Tenant) -> None:
    body = push_body(COMMIT)
    presented = SIGNATURES | {"of another body": signature(forge.hook.secret, push_body(NOTHING))}

    answers = {
        name: await forge.deliver(body, headers={"X-Hub-Signature-256": header})
        for name, header in presented.items()
    }

    assert {name: answer.status_code for name, answer in answers.items()} == dict.fromkeys(presented, 401)
    assert {problem_of(answer)["type"] for answer in answers.values()} == {"urn:windlass:problem:not-signed"}


async def test_an_unknown_repository_cannot_be_told_from_a_wrong_signature(forge: Tenant) -> None:
    body = push_body(COMMIT)
    unsigned = {"X-Hub-Signature-256": signature("guessed", body), "X-GitHub-Event": "push"}
    door = forge.hook.url.partition("?")[0]
    doors = [forge.hook.url, door, *(f"{door}?repository={name}" for name in NAMES)]

    answers = [await forge.quay.stranger.post(each, content=body, headers=unsigned) for each in doors]

    told = [(each.status_code, each.content, _headers(each)) for each in answers]
    assert told == [told[0]] * len(doors)
    assert answers[0].status_code == httpx.codes.UNAUTHORIZED


def _headers(answer: httpx.Response) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name != "date"}


async def test_26_megabytes_that_are_announced_are_not_read(forge: Tenant) -> None:
    answer = await forge.deliver(b"{" + b" " * TOO_LARGE + b"}")

    assert answer.status_code == httpx.codes.REQUEST_ENTITY_TOO_LARGE
    problem_of(answer)


async def test_26_megabytes_that_are_not_announced_are_refused_at_the_limit(forge: Tenant) -> None:
    async def unannounced() -> AsyncIterator[bytes]:
        for _ in range(TOO_LARGE // MEBIBYTE):
            yield b" " * MEBIBYTE

    answer = await forge.quay.stranger.post(forge.hook.url, content=unannounced())

    assert answer.status_code == httpx.codes.REQUEST_ENTITY_TOO_LARGE
    problem_of(answer)


async def test_many_large_bodies_at_once_take_bounded_memory(quay: Quay, forge: Tenant) -> None:
    body = b" " * (20 * MEBIBYTE)
    unsigned = {"X-Hub-Signature-256": SIGNATURES["wrong"]}

    flood = asyncio.gather(*(forge.deliver(body, headers=unsigned) for _ in range(8)))
    answers, _ = await asyncio.gather(flood, quay.neighbour.deploys())

    assert {answer.status_code for answer in answers} <= {401, 503}
    assert all("retry-after" in answer.headers for answer in answers if answer.status_code == 503)


async def test_bodies_that_never_end_hold_up_nobody(quay: Quay, forge: Tenant) -> None:
    url = httpx.URL(forge.hook.url)
    announced = 24 * MEBIBYTE
    head = (
        f"POST {url.raw_path.decode()} HTTP/1.1\r\nHost: x\r\n"
        f"X-Hub-Signature-256: {SIGNATURES['wrong']}\r\nContent-Length: {announced}\r\n\r\n"
    ).encode()
    sent = [b"{"] * 60 + [b" " * (announced - 1)] * 3
    connections = [await asyncio.open_connection(url.host, url.port) for _ in sent]
    for (_, writer), body in zip(connections, sent, strict=True):
        writer.write(head + body)
        await writer.drain()

    await quay.neighbour.deploys()

    for _, writer in connections:
        writer.transport.abort()  # nobody reads what it still has to say


async def test_a_signed_body_that_is_no_push_is_told_so(forge: Tenant) -> None:
    answers = {name: await forge.deliver(body) for name, body in NO_PUSHES.items()}

    assert {name: answer.status_code for name, answer in answers.items()} == dict.fromkeys(NO_PUSHES, 400)
    for name, answer in answers.items():
        assert "not a GitHub push" in problem_of(answer)["detail"], name
        assert len(answer.content) < 5_000, name


async def test_what_asks_nothing_is_ignored_with_a_reason(forge: Tenant) -> None:
    before = await _pushes(forge)

    answers = {name: await forge.deliver(body, event) for name, (event, body, _) in IGNORED.items()}

    assert {name: answer.status_code for name, answer in answers.items()} == dict.fromkeys(IGNORED, 202)
    for name, (_, _, reason) in IGNORED.items():
        assert answers[name].json()["result"] == "ignored", name
        assert reason in answers[name].json()["reason"], name
    assert await _pushes(forge) == before


async def test_a_ping_is_answered_with_pong(forge: Tenant) -> None:
    answer = await forge.deliver(json.dumps({"zen": "Keep it simple."}).encode(), "ping")

    assert (answer.status_code, answer.json()["result"]) == (200, "pong")


async def _pushes(forge: Tenant) -> list[str]:
    shown = await forge.quay.get("pushes", repository=forge.name)
    return [push["push"] for push in shown["pushes"]]
