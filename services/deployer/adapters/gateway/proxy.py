"""Passing requests on to a release's process, and its answers back, as they come.

Every request opens a connection of its own: a kept one could be closed by the release just as it is
used, and a request that cannot be repeated would be lost. On loopback a connection costs 0.1 ms.
"""

import ipaddress
from collections.abc import Mapping
from http import HTTPStatus

import aiohttp
from aiohttp import web
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from services.deployer.adapters.gateway.problem import markers, problem
from services.deployer.adapters.gateway.route import LOOPBACK, Route

CONNECT_SECONDS_MAX = 5.0  # a full backlog; a port nobody listens on is refused at once

# RFC 9110, 7.6.1: what concerns one connection only.
HOP_BY_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
OURS = frozenset({"windlass-release", "windlass-revision"})  # nobody else may say them
NOT_ADDED = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")  # aiohttp would, if absent

Headers = CIMultiDict[str] | CIMultiDictProxy[str]


def open_session() -> aiohttp.ClientSession:
    """Return the client side: no cookies, no proxies, no decoding, no limit on a transfer's length."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, force_close=True),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS_MAX),
        auto_decompress=False,
    )


def upstream_url(route: Route, request: web.BaseRequest) -> URL:
    """Return where the request goes: path and query byte for byte as they came."""
    return URL(f"http://{LOOPBACK}:{route.upstream_port}{request.rel_url.raw_path_qs}", encoded=True)


def end_to_end(headers: Headers) -> CIMultiDict[str]:
    """Return the headers that are meant for the other end."""
    named = {name.strip().lower() for line in headers.getall("Connection", ()) for name in line.split(",")}
    dropped = HOP_BY_HOP | OURS | named
    return CIMultiDict((name, value) for name, value in headers.items() if name.lower() not in dropped)


def forwarded(request: web.BaseRequest) -> CIMultiDict[str]:
    """Return the request's headers for the release, telling whom it came from."""
    headers = end_to_end(request.headers)
    headers.popall("Expect", None)  # answered here
    peer = request.remote or ""
    before = headers.popall("X-Forwarded-For", []) if _is_loopback(peer) else []
    headers["X-Forwarded-For"] = ", ".join([*before, peer])
    for name, value in {"X-Forwarded-Host": request.host, "X-Forwarded-Proto": request.scheme}.items():
        if not _is_loopback(peer) or name not in headers:  # a proxy in front of us knows better
            headers[name] = value
    return headers


async def pass_on(
    session: aiohttp.ClientSession, route: Route, request: web.BaseRequest
) -> web.StreamResponse:
    """Have the release answer one request."""
    try:
        await _invite_body(request)
        async with session.request(
            request.method,
            upstream_url(route, request),
            headers=forwarded(request),
            data=request.content if request.body_exists else None,
            allow_redirects=False,
            skip_auto_headers=NOT_ADDED,
        ) as answer:
            return await _pass_back(answer, route, request)
    except (aiohttp.ClientError, OSError, TimeoutError) as exc:
        return problem(HTTPStatus.BAD_GATEWAY, f"The release gave no answer: {reason(exc)}.", route)


async def _pass_back(
    answer: aiohttp.ClientResponse, route: Route, request: web.BaseRequest
) -> web.StreamResponse:
    response = web.StreamResponse(
        status=answer.status, reason=answer.reason, headers=_marked(end_to_end(answer.headers), route)
    )
    await response.prepare(request)
    try:
        async for chunk in answer.content.iter_any():
            await response.write(chunk)
        await response.write_eof()
    except (aiohttp.ClientError, OSError):
        # Half of it has gone out: only a broken connection says that the rest is missing.
        if request.transport:
            request.transport.abort()
    return response


def _marked(headers: CIMultiDict[str], route: Route) -> CIMultiDict[str]:
    for name, value in markers(route).items():
        if name == "Server":
            headers.setdefault(name, value)
        else:
            headers[name] = value
    return headers


async def _invite_body(request: web.BaseRequest) -> None:
    """Answer `Expect: 100-continue`, without which some clients hold their body back."""
    if request.headers.get("Expect", "").lower() == "100-continue":
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0  # the answer proper has not begun


def reason(exc: Exception) -> str:
    """Return why a release could not be reached, without addresses."""
    known: Mapping[type[Exception], str] = {
        aiohttp.ClientConnectorError: "nothing listens on its port",
        aiohttp.ServerDisconnectedError: "it closed the connection without one",
        aiohttp.ClientResponseError: "what it sent is not HTTP",
        TimeoutError: "it did not take the connection",
    }
    return next((text for kind, text in known.items() if isinstance(exc, kind)), "the connection broke")


def _is_loopback(peer: str) -> bool:
    try:
        return ipaddress.ip_address(peer).is_loopback
    except ValueError:
        return False
