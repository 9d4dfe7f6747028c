"""The services as a program wires them, on a database that is never opened; nothing is started."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

from services.embedded.app import SERVICES
from shared.clock import SystemClock
from shared.db.sqlite import SqliteDatabase
from shared.service import Service


@contextmanager
def wired() -> Iterator[tuple[SqliteDatabase, list[Service]]]:
    """Give all services, by name."""
    with tempfile.TemporaryDirectory() as folder:
        database = SqliteDatabase(Path(folder, "none.db"), SystemClock())
        yield database, [_build(name, database, Path(folder)) for name in sorted(SERVICES)]


def _build(name: str, database: SqliteDatabase, folder: Path) -> Service:
    settings = getattr(import_module(f"services.{name}.settings"), f"{name.title()}Settings")
    service: Service = import_module(f"services.{name}.app").build(database, settings(data=folder))
    return service
