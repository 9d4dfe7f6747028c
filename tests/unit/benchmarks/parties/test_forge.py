"""The push that every party is sent, and the client that sends it."""

import asyncio
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from benchmarks.parties.forge import BODY_BYTES, Hook, Line, NotTaken, answers, body_of

COMMIT, BEFORE = "c" * 40, "b" * 40
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"


def parts(wire: bytes) -> tuple[str, dict[str, str], bytes]:
    head, _, body = wire.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    return first, dict(line.split(": ", 1) for line in lines), body


@asynccontextmanager
async def answering(*answers: bytes) -> AsyncIterator[int]:
    """Serve these answers, one after another, on one connection; yield the port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in answers:
            head = await reader.readuntil(b"\r\n\r\n")
            _, fields, _ = parts(head)
            await reader.readexactly(int(fields.get("Content-Length", "0")))
            writer.write(answer)
            await writer.drain()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


def test_a_push_has_the_size_and_the_commit_of_a_real_one() -> None:
    body = body_of(COMMIT, BEFORE)
    event = json.loads(body)
    assert len(body) == BODY_BYTES
    assert (event["before"], event["after"], event["ref"]) == (BEFORE, COMMIT, "refs/heads/main")
    assert event["head_commit"] == event["commits"][0]


def test_a_push_is_signed_in_both_ways_over_the_body_that_is_sent() -> None:
    first, fields, body = parts(Hook(8400, "/hook?repository=acme", "secret").push(COMMIT, BEFORE).wire)
    assert first == "POST /hook?repository=acme HTTP/1.1"
    assert int(fields["Content-Length"]) == len(body)
    for header, kind in (("X-Hub-Signature", "sha1"), ("X-Hub-Signature-256", "sha256")):
        assert fields[header] == f"{kind}={hmac.new(b'secret', body, kind).hexdigest()}"


def test_the_same_commit_is_always_the_same_delivery() -> None:
    hook = Hook(8400, "/hook", "secret")
    assert hook.push(COMMIT, BEFORE) == hook.push(COMMIT, BEFORE)
    ids = [parts(hook.push(commit, BEFORE).wire)[1]["X-GitHub-Delivery"] for commit in (COMMIT, BEFORE)]
    assert len(set(ids)) == 2


async def test_answers_are_read_whole_so_that_the_next_push_can_follow() -> None:
    taken = b"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\n{}"
    nothing = b"HTTP/1.1 204 No Content\r\n\r\n"
    async with answering(CHUNKED, taken, nothing, CHUNKED) as port, Line(port) as line:
        push = Hook(port, "/hook", "secret").push(COMMIT, BEFORE)
        assert [await line.asked(push.wire) for _ in range(4)] == [
            (200, b"abcde"), (202, b"{}"), (204, b""), (200, b"abcde"),
        ]  # fmt: skip


async def test_a_push_that_is_refused_is_no_answer_to_measure() -> None:
    refusal = b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 4\r\n\r\nwait"
    async with answering(refusal) as port, Line(port) as line:
        with pytest.raises(NotTaken, match=r"429.*wait"):
            await line.deliver(Hook(port, "/hook", "secret").push(COMMIT, BEFORE))


async def test_nobody_listening_is_no_answer() -> None:
    async with answering() as port:
        pass
    assert await answers(port, "/readyz") == 0


async def test_a_connection_that_ends_early_is_no_answer() -> None:
    async with answering(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort") as port:
        assert await answers(port, "/readyz") == 0
