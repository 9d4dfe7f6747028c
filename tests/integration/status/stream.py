"""A stream as a client sees it; the test client of ASGI cannot read one that goes on."""

import asyncio
import json
from collections.abc import AsyncIterator, MutableMapping
from typing import Any, Self

from tests.integration.status.conftest import Town


class Stream:
    """One open stream."""

    def __init__(self, town: Town, path: str, **headers: str) -> None:
        self.answer = asyncio.get_running_loop().create_task(self._read(town, path, headers))
        self.events: asyncio.Queue[tuple[int, str, Any]] = asyncio.Queue()
        self.begun = asyncio.Event()  # it is settled where it begins

    async def _read(self, town: Town, path: str, headers: dict[str, str]) -> None:
        target, _, query = path.partition("?")
        given = {"authorization": str(town.web.client.headers["authorization"]), **headers}
        scope = {
            "type": "http",
            "method": "GET",
            "path": f"/api/v1{target}",
            "query_string": query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in given.items()],
        }
        await town.web.app(scope, self._receive, self._send)

    async def _receive(self) -> MutableMapping[str, Any]:
        await asyncio.Event().wait()
        raise AssertionError("nobody hangs up")

    async def _send(self, message: MutableMapping[str, Any]) -> None:
        self.begun.set()
        body = message.get("body", b"")
        for event in body.decode().split("\n\n"):
            fields = dict(line.split(": ", 1) for line in event.splitlines() if not line.startswith(":"))
            if fields:
                await self.events.put((int(fields["id"]), fields["event"], json.loads(fields["data"])))

    async def next(self) -> tuple[int, str, Any]:
        async with asyncio.timeout(40):
            return await self.events.get()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.answer.cancel()
        await asyncio.gather(self.answer, return_exceptions=True)


async def texts(stream: Stream) -> AsyncIterator[str]:
    while (event := await stream.next())[1] != "end":
        for line in event[2]["lines"]:
            yield line["text"]
