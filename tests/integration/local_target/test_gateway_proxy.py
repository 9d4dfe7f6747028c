"""The gateway in front of a server: what passes, what does not, and what is said when nobody answers."""

import asyncio
import gzip
import json
from contextlib import suppress
from pathlib import Path

import aiohttp
import pytest
from aiohttp import WSMsgType, web

from tests.integration.local_target.gateway_site import Site, fetch, raw_release, release

MIB = 1024 * 1024


async def echo(request: web.BaseRequest) -> web.StreamResponse:
    """Tell what arrived."""
    body = await request.read()
    document = {
        "method": request.method,
        "target": request.rel_url.raw_path_qs,
        "headers": [[name.lower(), value] for name, value in request.headers.items()],
        "body": body.decode(),
    }
    return web.Response(body=json.dumps(document).encode(), content_type="application/json")


async def test_an_answer_carries_the_release_and_nobody_else_can_say_it(
    site: Site, http: aiohttp.ClientSession
) -> None:
    async def liar(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(headers={"Windlass-Release": "a lie", "Windlass-Revision": "0"})

    async with release(liar) as port:
        await site.pass_to(port, "r1")
        answer = await fetch(http, site.url)
        assert answer.headers.getall("Windlass-Release") == ["r1"]
        assert answer.headers.getall("Windlass-Revision") == ["1"]


async def test_a_request_arrives_byte_for_byte(site: Site, http: aiohttp.ClientSession) -> None:
    async with release(echo) as port:
        await site.pass_to(port)
        target = "/a%2Fb/../c;x=1?q=%20+&empty=&%C3%A4"
        answer = await fetch(http, site.url + target, "PUT", data=b"body", headers={"X-One": "1"})
        seen = answer.document
        headers = dict(seen["headers"])
        assert (seen["method"], seen["target"], seen["body"]) == ("PUT", target, "body")
        assert headers["host"] == f"127.0.0.1:{site.port}"
        assert headers["content-length"] == "4"
        assert headers["x-one"] == "1"
        assert headers["x-forwarded-for"] == "127.0.0.1"
        assert headers["x-forwarded-proto"] == "http"
        assert headers["x-forwarded-host"] == f"127.0.0.1:{site.port}"


async def test_what_concerns_one_connection_does_not_pass(site: Site) -> None:
    async with release(echo) as port:
        await site.pass_to(port)
        head = (
            b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close, X-Secret\r\nX-Secret: 1\r\nTE: trailers\r\n"
            b"Keep-Alive: 5\r\nProxy-Authorization: x\r\nX-Kept: 1\r\nX-Forwarded-For: 10.0.0.9\r\n\r\n"
        )
        answer = await site.say(head)
        seen = dict(json.loads(answer.partition(b"\r\n\r\n")[2])["headers"])
        assert {"x-secret", "te", "keep-alive", "proxy-authorization"}.isdisjoint(seen)
        assert seen["x-kept"] == "1"
        assert seen["x-forwarded-for"] == "10.0.0.9, 127.0.0.1"
        assert "user-agent" not in seen
        assert "accept-encoding" not in seen


async def test_an_encoded_answer_and_its_cookies_pass_untouched(
    site: Site, http: aiohttp.ClientSession
) -> None:
    packed = gzip.compress(b"hello" * 100, mtime=0)

    async def packing(request: web.BaseRequest) -> web.StreamResponse:
        answer = web.Response(status=207, reason="As You Like", body=packed)
        answer.headers["Content-Encoding"] = "gzip"
        answer.headers.add("Set-Cookie", "a=1")
        answer.headers.add("Set-Cookie", "b=2")
        return answer

    async with release(packing) as port:
        await site.pass_to(port)
        answer = await fetch(http, site.url)
        assert (answer.status, answer.reason) == (207, "As You Like")
        assert answer.body == packed
        assert answer.headers.getall("Set-Cookie") == ["a=1", "b=2"]
        assert answer.headers["Content-Length"] == str(len(packed))


async def test_a_head_and_an_empty_answer_keep_their_lengths(site: Site, http: aiohttp.ClientSession) -> None:
    async def sized(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=204) if request.path == "/none" else web.Response(body=b"x" * 1234)

    async with release(sized) as port:
        await site.pass_to(port)
        head = await fetch(http, site.url, "HEAD")
        assert head.headers["Content-Length"] == "1234"
        assert head.body == b""
        assert (await fetch(http, f"{site.url}/none")).status == 204
        assert len((await fetch(http, site.url)).body) == 1234


async def test_a_redirect_is_the_clients_to_follow(site: Site, http: aiohttp.ClientSession) -> None:
    async def elsewhere(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=302, headers={"Location": "http://169.254.169.254/"})

    async with release(elsewhere) as port:
        await site.pass_to(port)
        answer = await fetch(http, site.url)
        assert (answer.status, answer.headers["Location"]) == (302, "http://169.254.169.254/")


async def test_an_answer_arrives_as_it_is_made(site: Site, http: aiohttp.ClientSession) -> None:
    go_on = asyncio.Event()

    async def slowly(request: web.BaseRequest) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await answer.prepare(request)
        await answer.write(b"data: one\n\n")
        await go_on.wait()
        await answer.write(b"data: two\n\n")
        return answer

    async with release(slowly) as port:
        await site.pass_to(port)
        async with http.get(site.url) as answer:
            assert await answer.content.readany() == b"data: one\n\n"
            go_on.set()
            assert await answer.content.read() == b"data: two\n\n"


async def test_a_large_body_passes_in_bounded_memory(site: Site, http: aiohttp.ClientSession) -> None:
    size = 96 * MIB

    async def weigh(request: web.BaseRequest) -> web.StreamResponse:
        weight = 0
        async for chunk in request.content.iter_any():
            weight += len(chunk)
        answer = web.StreamResponse(headers={"Content-Length": str(weight)})
        await answer.prepare(request)
        for _ in range(weight // MIB):
            await answer.write(bytes(MIB))
        return answer

    async def much() -> object:
        for _ in range(size // MIB):
            yield bytes(MIB)

    async with release(weigh) as port:
        await site.pass_to(port)
        before = peak_memory((await site.gateway.sync()).process)
        async with http.post(site.url, data=much()) as answer:
            weight = sum([len(chunk) async for chunk in answer.content.iter_any()])
        assert weight == size
        assert peak_memory((await site.gateway.sync()).process) - before < 16 * MIB


def peak_memory(process: int) -> int:
    status = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM"))


async def test_a_client_that_asks_first_is_told_to_go_on(site: Site) -> None:
    async with release(echo) as port:
        await site.pass_to(port)
        reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
        writer.write(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(b"hi")
        assert (await reader.readline()) == b"HTTP/1.1 200 OK\r\n"
        writer.close()


async def test_a_release_that_is_gone_is_a_502_that_names_it(site: Site, http: aiohttp.ClientSession) -> None:
    await site.pass_to(1)
    answer = await fetch(http, site.url)
    assert answer.status == 502
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["Windlass-Release"] == "r1"
    assert answer.document["detail"] == "The release gave no answer: nothing listens on its port."


@pytest.mark.parametrize(
    ("said", "why"),
    [
        pytest.param(b"", "it closed the connection without one", id="nothing"),
        pytest.param(b"what do you want?\r\n\r\n", "what it sent is not HTTP", id="not HTTP"),
    ],
)
async def test_what_is_no_answer_becomes_a_502(
    site: Site, http: aiohttp.ClientSession, said: bytes, why: str
) -> None:
    async with raw_release(said) as port:
        await site.pass_to(port)
        answer = await fetch(http, site.url)
        assert answer.status == 502
        assert answer.document["detail"] == f"The release gave no answer: {why}."


async def test_half_an_answer_is_never_taken_for_a_whole_one(site: Site, http: aiohttp.ClientSession) -> None:
    async with raw_release(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf") as port:
        await site.pass_to(port)
        with pytest.raises(aiohttp.ClientPayloadError):
            await fetch(http, site.url)
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"
    async with raw_release(chunked) as port:
        await site.pass_to(port)
        with pytest.raises(aiohttp.ClientPayloadError):
            await fetch(http, site.url)


async def test_a_request_in_flight_ends_with_the_release_that_began_it(
    site: Site, http: aiohttp.ClientSession
) -> None:
    go_on = asyncio.Event()

    async def old(request: web.BaseRequest) -> web.StreamResponse:
        await go_on.wait()
        return web.Response(body=b"old")

    async def new(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(body=b"new")

    async with release(old) as old_port, release(new) as new_port:
        await site.pass_to(old_port, "old")
        begun = asyncio.ensure_future(fetch(http, site.url))
        await site.until_in_flight({"old": 1})
        await site.pass_to(new_port, "new")
        assert (await fetch(http, site.url)).body == b"new"
        assert await site.in_flight() == {"old": 1}
        assert not await site.gateway.drained(site.name, "old", 0.01)
        draining = asyncio.ensure_future(site.gateway.drained(site.name, "old", 10))
        go_on.set()
        assert await draining
        assert (await begun).body == b"old"


async def test_one_connection_is_answered_by_the_release_of_the_moment(
    site: Site, http: aiohttp.ClientSession
) -> None:
    def says(text: bytes) -> web.Response:
        return web.Response(body=text)

    async def old(request: web.BaseRequest) -> web.StreamResponse:
        return says(b"old")

    async def new(request: web.BaseRequest) -> web.StreamResponse:
        return says(b"new")

    async with release(old) as old_port, release(new) as new_port:
        await site.pass_to(old_port, "old")
        reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
        for expected, port in ((b"old", old_port), (b"new", new_port), (b"old", old_port)):
            await site.pass_to(port, expected.decode())
            writer.write(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            head = await reader.readuntil(b"\r\n\r\n")
            assert b"Windlass-Release: " + expected in head
            assert await reader.readexactly(3) == expected
        writer.close()


async def test_a_client_that_leaves_takes_its_request_along(site: Site) -> None:
    begun, left = asyncio.Event(), asyncio.Event()

    async def waiting(request: web.BaseRequest) -> web.StreamResponse:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            left.set()
        return web.Response()

    async with release(waiting) as port:
        await site.pass_to(port)
        _, writer = await asyncio.open_connection("127.0.0.1", site.port)
        writer.write(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        await begun.wait()
        assert await site.in_flight() == {"r1": 1}
        writer.close()
        async with asyncio.timeout(45):
            await left.wait()
        await site.until_in_flight({})


async def chat(request: web.BaseRequest) -> web.StreamResponse:
    """Answer each message with itself, and hang up at `bye`."""
    socket = web.WebSocketResponse(protocols=["two", "three"])
    await socket.prepare(request)
    async for message in socket:
        if message.type is WSMsgType.BINARY:
            await socket.send_bytes(message.data)
        elif message.data == "bye":
            await socket.close(code=4001, message=b"as asked")
        else:
            await socket.send_str(f"{message.data} {request.query_string}")
    return socket


async def test_a_websocket_speaks_both_ways_and_ends_with_the_releases_code(
    site: Site, http: aiohttp.ClientSession
) -> None:
    async with release(chat) as port:
        await site.pass_to(port)
        async with http.ws_connect(f"{site.url}/chat?room=1", protocols=["one", "two"]) as socket:
            assert socket.protocol == "two"
            await socket.send_str("hello")
            assert await socket.receive_str() == "hello room=1"
            await socket.send_bytes(b"\0\1")
            assert await socket.receive_bytes() == b"\0\1"
            await socket.ping()
            assert await site.in_flight() == {"r1": 1}
            await socket.send_str("bye")
            last = await socket.receive()
            assert (last.type, socket.close_code) == (WSMsgType.CLOSE, 4001)
        await site.until_in_flight({})


async def test_a_websocket_that_the_client_drops_is_dropped_at_the_release(
    site: Site, http: aiohttp.ClientSession
) -> None:
    ended = asyncio.Event()

    async def noting(request: web.BaseRequest) -> web.StreamResponse:
        try:
            return await chat(request)
        finally:
            ended.set()

    async with release(noting) as port:
        await site.pass_to(port)
        socket = await http.ws_connect(site.url)
        await socket.send_str("hello")
        await socket.receive_str()
        await socket.close()
        async with asyncio.timeout(45):
            await ended.wait()


async def test_a_refused_websocket_is_refused_to_the_client(site: Site, http: aiohttp.ClientSession) -> None:
    async def refuse(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=403)

    async with release(refuse) as port:
        await site.pass_to(port)
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await http.ws_connect(site.url)
        assert refused.value.status == 403
    with pytest.raises(aiohttp.WSServerHandshakeError) as unanswered:
        await http.ws_connect(site.url)
    assert unanswered.value.status == 502


@pytest.mark.parametrize(
    "request_bytes",
    [
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 TLS\r\n\r\n", id="another protocol"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: h\r\nX: " + b"a" * 100_000 + b"\r\n\r\n", id="a long header"),
        pytest.param(
            b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            id="two lengths",
        ),
    ],
)
async def test_a_malformed_request_is_refused_and_the_next_client_is_served(
    site: Site, http: aiohttp.ClientSession, request_bytes: bytes
) -> None:
    async with release(echo) as port:
        await site.pass_to(port)
        with suppress(ConnectionError):
            assert b" 400 " in await site.say(request_bytes)
        assert (await fetch(http, site.url)).status == 200


async def test_it_is_no_proxy_to_elsewhere(site: Site) -> None:
    async with release(echo) as port:
        await site.pass_to(port)
        answer = await site.say(b"CONNECT example.org:443 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        assert b" 405 " in answer.partition(b"\r\n")[0]
        absolute = b"GET http://127.0.0.1:1/x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
        answer = await site.say(absolute)
        assert json.loads(answer.partition(b"\r\n\r\n")[2])["target"] == "/x"
