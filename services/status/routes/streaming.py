"""Streams (SSE) and waiting until something was written: woken by the commit, no polling on the way."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from fastapi.responses import StreamingResponse
from pydantic import TypeAdapter

from services.status.store.writing import NOTED
from shared.db import Database, Noted
from shared.problems import ProblemError, unavailable

STREAMS_MAX = 100  # at once; each keeps a connection and reads what it follows
HEARTBEAT_SECONDS = 15.0  # a silent stream says that it is there; also how late another replica's writes are

_JSON: TypeAdapter[Any] = TypeAdapter(Any)


class Changes:
    """Counts the commits that changed what can be read, and wakes those who wait for the next."""

    def __init__(self, database: Database) -> None:
        self.count = 0
        self._waiters: set[asyncio.Future[None]] = set()
        self.streams = 0
        database.on_commit(self._hear)

    @property
    def waiters(self) -> int:
        """Return how many wait for the next."""
        return len(self._waiters)

    async def after(self, count: int, seconds: float) -> bool:
        """Return once there were more than `count`; False when `seconds` passed first."""
        if self.count > count:
            return True
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.add(woken)
        try:
            async with asyncio.timeout(seconds):
                await woken
        except TimeoutError:
            return False
        finally:
            self._waiters.discard(woken)
        return True

    def doubt(self) -> None:
        """Have everyone look again, without hurry: another replica's commit may not have been heard of."""
        self.count += 1

    def _hear(self, noted: Noted) -> None:
        if NOTED not in noted:
            return
        self.count += 1
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)


@dataclass(frozen=True)
class Said:
    """One event of a stream; several streams may say it."""

    cursor: int
    name: str
    data: Any

    @cached_property
    def encoded(self) -> bytes:
        """Return it as it is sent."""
        return b"id: %d\nevent: %s\ndata: %s\n\n" % (
            self.cursor,
            self.name.encode(),
            _JSON.dump_json(self.data),  # JSON has no line ends in it
        )


@dataclass(frozen=True, slots=True)
class Page:
    """What a stream has to say now."""

    said: Sequence[Said]
    over: bool = False  # nothing will follow
    read_to: int = 0  # a cursor before which there is nothing else, though what there was is not said here


ReadOn = Callable[[int], Awaitable[Page]]


def stream(changes: Changes, start: int, read_on: ReadOn) -> StreamingResponse:
    """Answer with what `read_on` returns from `start` on, and with what is added later."""
    if changes.streams >= STREAMS_MAX:
        raise unavailable(f"{STREAMS_MAX} streams are open, which is the most there may be.")
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    body = _events(changes, start, read_on)
    return StreamingResponse(body, media_type="text/event-stream", headers=headers)


def cursor_of(last_event_id: str | None, start: int) -> int:
    """Return where a stream goes on that was broken off after `last_event_id`."""
    if last_event_id is None:
        return start
    if not last_event_id.isascii() or not last_event_id.isdecimal() or len(last_event_id) > 18:
        raise ProblemError(
            400,
            "unknown-cursor",
            "Last-Event-ID is not the id of an event of this stream.",
            next_="Leave it out to begin anew.",
        )
    return int(last_event_id)


async def _events(changes: Changes, cursor: int, read_on: ReadOn) -> AsyncIterator[bytes]:
    changes.streams += 1
    try:
        while True:
            count = changes.count
            page = await read_on(cursor)
            for said in page.said:
                cursor = said.cursor
                yield said.encoded
            if page.over:
                yield Said(cursor, "end", {}).encoded
                return
            cursor = max(cursor, page.read_to)
            if not page.said and not await changes.after(count, HEARTBEAT_SECONDS):
                changes.doubt()
                yield b": nothing new\n\n"
    finally:
        changes.streams -= 1
