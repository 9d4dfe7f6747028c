"""What Windlass says happened, as it happens: its event history, followed over the API's event stream."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

import httpx

from deploy.demo.report import Unmet

PATIENCE_SECONDS = 90.0  # for one thing to come about; it takes a tenth of that
SILENCE_SECONDS_MAX = 60.0
RECONNECT_SECONDS = 0.2

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Told:
    """One event."""

    id: str
    type: str  # short: `run.started`
    time: datetime
    subject: str
    body: dict[str, Any]

    def has(self, **fields: object) -> bool:
        """Tell whether the body says all of this."""
        return all(self.body.get(name) == value for name, value in fields.items())


@dataclass(slots=True)
class Story:
    """All events since the beginning."""

    http: httpx.AsyncClient  # with the base URL and token of the API
    hear: Callable[[Told], None]
    events: list[Told] = field(default_factory=list)
    _news: asyncio.Condition = field(default_factory=asyncio.Condition)
    _last: str = ""  # of the stream, to go on after it broke off

    async def follow(self) -> None:
        """Listen for ever."""
        while True:
            try:
                async for told in self._stream():
                    self.events.append(told)
                    self.hear(told)
                    async with self._news:
                        self._news.notify_all()
            except httpx.TransportError:
                pass
            await asyncio.sleep(RECONNECT_SECONDS)

    async def until(self, find: Callable[[], Found | None], what: str) -> Found:
        """Wait until `find` finds something; it is asked again after each event."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS), self._news:
                while (found := find()) is None:
                    await self._news.wait()
                return found
        except TimeoutError:
            raise Unmet(f"{what} has not been seen within {PATIENCE_SECONDS:g} s") from None

    def all(self, *types: str, **fields: object) -> Sequence[Told]:
        """Return the events of these types that say all of this."""
        return [told for told in self.events if told.type in types and told.has(**fields)]

    def first(self, *types: str, **fields: object) -> Told | None:
        """Return the first of them."""
        return next(iter(self.all(*types, **fields)), None)

    async def _stream(self) -> AsyncIterator[Told]:
        headers = {"Accept": "text/event-stream", **({"Last-Event-ID": self._last} if self._last else {})}
        timeout = httpx.Timeout(10.0, read=SILENCE_SECONDS_MAX)
        async with self.http.stream("GET", "/events?cursor=0", headers=headers, timeout=timeout) as response:
            response.raise_for_status()
            data = ""
            async for line in response.aiter_lines():
                key, _, value = line.partition(":")
                match key:
                    case "id":
                        self._last = value.strip()
                    case "data":
                        data += value
                    case "" if data:
                        yield _told(json.loads(data))
                        data = ""


def _told(document: dict[str, Any]) -> Told:
    return Told(
        document["id"],
        short_type(document["type"]),
        datetime.fromisoformat(document["time"]),
        document["subject"],
        document["body"],
    )


def short_type(name: str) -> str:
    """Return `run.started` of `windlass.run.started.v1`."""
    return name.removeprefix("windlass.").rpartition(".v")[0]
