"""WebSockets: frames passed on both ways until either side closes."""

import asyncio
from http import HTTPStatus

import aiohttp
from aiohttp import WSMsgType, web

from services.deployer.adapters.gateway.problem import markers, problem
from services.deployer.adapters.gateway.proxy import forwarded, reason, upstream_url
from services.deployer.adapters.gateway.route import Route

MESSAGE_BYTES_MAX = 16 * 1024 * 1024  # of one message; it is held in memory
HANDSHAKE_SECONDS_MAX = 30.0

Side = aiohttp.ClientWebSocketResponse | web.WebSocketResponse


def is_websocket(request: web.BaseRequest) -> bool:
    """Tell whether the client wants a WebSocket."""
    upgrade = request.headers.get("Upgrade", "").strip().lower()
    return upgrade == "websocket" and "upgrade" in request.headers.get("Connection", "").lower()


async def join(session: aiohttp.ClientSession, route: Route, request: web.BaseRequest) -> web.StreamResponse:
    """Connect the client with the release; the client's handshake ends as the release's does."""
    try:
        async with asyncio.timeout(HANDSHAKE_SECONDS_MAX):
            upstream = await _connect(session, route, request)
    except aiohttp.WSServerHandshakeError as exc:
        refusal = HTTPStatus(exc.status) if exc.status in set(HTTPStatus) else HTTPStatus.BAD_GATEWAY
        return problem(refusal, "The release refused the WebSocket.", route)
    except (aiohttp.ClientError, OSError, TimeoutError) as exc:
        return problem(HTTPStatus.BAD_GATEWAY, f"The release gave no answer: {reason(exc)}.", route)
    async with upstream:
        client = web.WebSocketResponse(
            protocols=[upstream.protocol] if upstream.protocol else (),
            autoping=False,
            autoclose=False,
            max_msg_size=MESSAGE_BYTES_MAX,
        )
        client.headers.update(markers(route))
        await client.prepare(request)
        await _relay_both(client, upstream)
    return client


async def _connect(
    session: aiohttp.ClientSession, route: Route, request: web.BaseRequest
) -> aiohttp.ClientWebSocketResponse:
    headers = forwarded(request)
    for name in [name for name in headers if name.lower().startswith("sec-websocket-")]:
        headers.popall(name, None)
    offered = request.headers.get("Sec-WebSocket-Protocol", "")
    return await session.ws_connect(
        upstream_url(route, request),
        protocols=[name.strip() for name in offered.split(",") if name.strip()],
        headers=headers,
        autoping=False,
        autoclose=False,
        max_msg_size=MESSAGE_BYTES_MAX,
    )


async def _relay_both(client: web.WebSocketResponse, upstream: aiohttp.ClientWebSocketResponse) -> None:
    ways = [asyncio.ensure_future(_relay(client, upstream)), asyncio.ensure_future(_relay(upstream, client))]
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
        await client.close(code=upstream.close_code or aiohttp.WSCloseCode.GOING_AWAY)


async def _relay(source: Side, sink: Side) -> None:
    while True:
        message = await source.receive()
        match message.type:
            case WSMsgType.TEXT:
                await sink.send_str(message.data)
            case WSMsgType.BINARY:
                await sink.send_bytes(message.data)
            case WSMsgType.PING:
                await sink.ping(message.data)
            case WSMsgType.PONG:
                await sink.pong(message.data)
            case WSMsgType.CLOSE:
                await sink.close(code=message.data, message=(message.extra or "").encode())
                return
            case _:
                return
