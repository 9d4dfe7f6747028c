"""Reading the API of a fleet whose processes come and go."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import httpx

PAGE = 200  # events asked for at once
AGAIN_SECONDS = 0.3
ANSWERED_SECONDS_MAX = 90.0  # longer than any fault lasts, and coming back from it takes
LOOK_SECONDS = 2.0

Document = dict[str, Any]

FINISHED = frozenset(f"windlass.run.{end}.v1" for end in
                     ("succeeded", "failed", "timed_out", "cancelled", "superseded"))  # fmt: skip
# What may come to a run's document when it is over: what the failure is called, how builds of a
# revision that was superseded end, and the title, which is its revision's.
MAY_FOLLOW = frozenset({"failure", "artifacts", "title"})
NAMED = "failure.classified"  # in the timeline: that what the failure is called was found out


@dataclass
class Asking:
    """Asks until there is an answer."""

    http: httpx.AsyncClient  # with its base URL and token

    async def get(self, path: str, **query: Any) -> Document:
        """Return a document; what is not there is not waited for."""
        async with asyncio.timeout(ANSWERED_SECONDS_MAX):
            while True:
                try:
                    answer = await self.http.get(path, params=query)
                except httpx.TransportError:
                    answer = None
                if answer is not None and answer.status_code < httpx.codes.INTERNAL_SERVER_ERROR:
                    answer.raise_for_status()
                    document: Document = answer.json()
                    return document
                await asyncio.sleep(AGAIN_SECONDS)

    async def events(self, cursor: int = 0) -> AsyncIterator[Document]:
        """Yield the history behind a cursor, up to now."""
        while True:
            page = await self.get("/events", cursor=cursor, limit=PAGE)
            for event in page["events"]:
                yield event
            if page["next"] == cursor:
                return
            cursor = page["next"]


@dataclass
class FinishedRuns:
    """Every run as it was when it was first seen to be over: it must stay so (S2)."""

    asking: Asking
    seen: dict[str, Document] = field(default_factory=dict)
    _cursor: int = 0

    async def follow(self) -> None:
        """Look for ever."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """Take down the runs that are over by now."""
        async for event in self.asking.events(self._cursor):
            if event["type"] in FINISHED and event["body"]["run"] not in self.seen:
                run = event["body"]["run"]
                self.seen[run] = await self.asking.get(f"/runs/{run}")
            self._cursor = event["sequence"]

    async def changed(self) -> list[str]:
        """Return in what runs differ now."""
        found = []
        for run, before in self.seen.items():
            now = await self.asking.get(f"/runs/{run}")
            whose = f"run {run} of {before['pipeline']}/{before['stage']}"
            found += [f"{whose} was over, and {change}" for change in changes(before, now)]
        return found


def changes(before: Document, now: Document) -> list[str]:
    """Return what differs in the document of a run that was over before, and must not."""
    was, is_now = _lasting(before), _lasting(now)
    return [
        f"its {key} changed from {was[key]!r} to {is_now.get(key)!r}"
        for key in was
        if was[key] != is_now.get(key)
    ]


def _lasting(run: Document) -> Document:
    lasting = {key: value for key, value in run.items() if key not in MAY_FOLLOW}
    lasting["timeline"] = [moment for moment in run["timeline"] if moment["what"] != NAMED]
    return lasting
