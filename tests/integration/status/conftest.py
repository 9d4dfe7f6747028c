"""Status behind its real HTTP application, and a mouth to tell it things."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest

from services.status.app import build
from services.status.settings import StatusSettings
from shared.db import Cause, Database, ServiceDatabase
from shared.events import Event
from shared.service import Service
from tests.builders import named
from tests.integration.replicas import in_order
from tests.integration.web import Web, serve

AMPLE_SECONDS = 40.0  # for whatever a test has said to be read, however slow the disk


def status(database: Database, folder: Path) -> Service:
    return build(database, StatusSettings(data=folder))


@dataclass
class Town:
    """A running status service and everybody else."""

    web: Web
    said: int = 0

    async def say(self, *events: Event) -> UUID:
        """Publish events, and return once they are all in the read model."""
        published = await self.publish(events)
        for position in published:
            answer = await self.web.client.get("/api/v1/pipelines", params={"min_position": str(position)})
            assert answer.is_success, answer.text
        return published[-1]

    async def publish(self, events: Sequence[Event]) -> list[UUID]:
        """Publish events, and return their ids: the positions behind them."""
        self.said += 1
        cause = Cause(named(f"said {self.said}"))
        async with ServiceDatabase(self.web.database, "everybody").transaction(cause, "said") as tx:
            return [tx.emit(event, str(number)) for number, event in enumerate(events)]


@pytest.fixture
async def town(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Town]:
    """A fresh installation: on SQLite, unless the test's module wants it on each database."""
    monkeypatch.setattr("services.status.routes.answering.CATCH_UP_SECONDS_MAX", AMPLE_SECONDS)
    store = await in_order(getattr(request, "param", "sqlite"), tmp_path)
    async with serve(tmp_path, status, store=store) as web:
        yield Town(web)
