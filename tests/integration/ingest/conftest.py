"""Ingest behind its real HTTP application."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.ingest.app import build
from services.ingest.settings import IngestSettings
from shared.db import Database
from shared.service import Service
from tests.integration.replicas import in_order
from tests.integration.web import Web, serve


def ingest(database: Database, folder: Path) -> Service:
    return build(database, IngestSettings(data=folder))


@pytest.fixture
async def web(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Web]:
    """A fresh installation: on SQLite, unless the test wants it on each database."""
    store = await in_order(getattr(request, "param", "sqlite"), tmp_path)
    async with serve(tmp_path, ingest, store=store) as web:
        yield web
