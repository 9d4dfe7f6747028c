"""One service at work on real bus, work and SQLite: say events to it, and hear what it says."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar
from uuid import UUID, uuid5

from shared.bus import Subscription
from shared.bus.embedded import EmbeddedBus
from shared.db import Cause, Database, ServiceDatabase, metadata
from shared.db.sqlite import SqliteDatabase
from shared.events import EVENT_TYPES, Event, Message
from shared.service import Service
from tests.hurried_clock import HurriedClock

ROOT = UUID(int=11)

Said = TypeVar("Said", bound=Event)


class Scene:
    """A service and what was said, by it and to it."""

    def __init__(self, folder: Path, build: Callable[[Database], Service]) -> None:
        self.folder = folder
        self.clock = HurriedClock()
        self.database = SqliteDatabase(folder / "windlass.db", self.clock)
        self.said: list[Event] = []
        self._told = 0
        self._heard = asyncio.Event()
        service = build(self.database)
        metadata.create_all(self.database.writer)
        scribe = Subscription(
            ServiceDatabase(self.database, "scribe"), dict.fromkeys(EVENT_TYPES.values(), self._write_down)
        )
        bus = EmbeddedBus(self.database, [service.subscription, scribe])
        self._tasks = [asyncio.ensure_future(part()) for part in (bus.run, *service.background)]

    async def say(self, event: Event) -> None:
        """Publish an event as another service would."""
        self._told += 1
        cause = Cause(uuid5(ROOT, f"{self._told}"))
        async with ServiceDatabase(self.database, "another").transaction(cause, "test") as tx:
            tx.emit(event)

    async def hear(self, kind: type[Said], wanted: Callable[[Said], bool], count: int = 1) -> list[Said]:
        """Wait for this many events of a type that are wanted."""
        async with asyncio.timeout(45):
            while True:
                found = [event for event in self.said if isinstance(event, kind) and wanted(event)]
                if len(found) >= count:
                    return found
                self._heard.clear()
                await self._heard.wait()

    async def end(self) -> None:
        """Stop the service."""
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with suppress(asyncio.CancelledError):
                await task
        await self.database.close()

    async def _write_down(self, message: Message[Event]) -> None:
        async with ServiceDatabase(self.database, "scribe").hearing(message) as tx:
            if not tx.seen_before:
                self.said.append(message.body)
        self._heard.set()
