"""Services behind their real HTTP application, on the embedded bus and a database, in this process."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from fastapi import FastAPI

from shared.access import Access
from shared.bus.embedded import EmbeddedBus
from shared.clock import ManualClock
from shared.db import Database
from shared.service import Service
from shared.web.application import make_app
from shared.web.vitals import Vitals
from tests.builders import START
from tests.contract.installation import TURNS_MAX, running
from tests.integration.replicas import OnSqlite, Replicas

TOKEN = "the owner's"
HOLDER = "ann"

Build = Callable[[Database, Path], Service]


@dataclass(frozen=True)
class Web:
    """A running installation and a client that has its token."""

    client: httpx.AsyncClient
    stranger: httpx.AsyncClient  # has none
    store: Replicas
    database: Database
    clock: ManualClock
    app: FastAPI

    async def until(self, path: str, holds: Callable[[httpx.Response], bool]) -> httpx.Response:
        """Ask until the answer is as wanted; the loop turns in between, time does not pass."""
        answer = await self.client.get(path)
        for _ in range(TURNS_MAX):
            if holds(answer):
                return answer
            await asyncio.sleep(0)
            answer = await self.client.get(path)
        raise AssertionError(f"{path} never answered as wanted; at last {answer.text}")


@asynccontextmanager
async def serve(folder: Path, *builds: Build, store: Replicas | None = None) -> AsyncIterator[Web]:
    """Run services on `store`, else on SQLite in `folder`, fresh or as an earlier life left it."""
    store = store or OnSqlite(folder, ManualClock(START))
    clock, database = store.clock, store.database
    services = [build(database, folder) for build in builds]
    access = Access(database)
    await access.grant(HOLDER, TOKEN)
    app = make_app(services, Vitals(database))
    bus = EmbeddedBus(database, [service.subscription for service in services])
    parts = [part() for service in services for part in service.background]
    async with (
        httpx.AsyncClient(
            transport=httpx.ASGITransport(app),
            base_url="http://windlass.test",
            headers={"Authorization": f"Bearer {TOKEN}"},
        ) as client,
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://windlass.test") as stranger,
        running(bus.run(), *(_forever(part) for part in parts)),
    ):
        yield Web(client, stranger, store, database, clock, app)
    await store.close()


async def _forever(part: Awaitable[None]) -> None:
    await part
