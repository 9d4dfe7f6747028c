"""Ingest behind its real HTTP application."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.ingest.app import build
from services.ingest.settings import IngestSettings
from shared.db.sqlite import SqliteDatabase
from shared.service import Service
from tests.integration.web import Web, serve


def ingest(database: SqliteDatabase, folder: Path) -> Service:
    return build(database, IngestSettings(data=folder))


@pytest.fixture
async def web(tmp_path: Path) -> AsyncIterator[Web]:
    """A fresh installation."""
    async with serve(tmp_path, ingest) as web:
        yield web
