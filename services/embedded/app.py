"""The embedded program's table of contents: what is built, in which order it starts and ends."""

import asyncio
import sys
from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from deploy.migrations import bring_up_to_date
from services.deployer.app import local_target
from services.deployer.settings import DeployerSettings
from services.embedded import data_folder
from services.embedded.client_file import write_client_file
from services.embedded.settings import EmbeddedSettings
from shared import crash, logs
from shared.access import Access
from shared.bus.embedded import EmbeddedBus
from shared.clock import SystemClock
from shared.db.sqlite import SqliteDatabase
from shared.faults import Refused, TryAgain
from shared.service import Service
from shared.settings import Settings
from shared.web import server as web
from shared.web.afterwards import catch_up
from shared.web.application import make_app
from shared.web.faults import CannotStart
from shared.web.program import Part, side_by_side, until_told
from shared.web.vitals import Vitals

# Each has `services/<name>/app.py` with `build` and `settings.py` with `<Name>Settings`. They hear an
# event in this order: those that carry a push on come before those that take note of it.
SERVICES = ("deployer", "builder", "synthesizer", "verifier", "classifier", "ingest", "status")

DATABASE_FILE = "windlass.db"


def up(**given: Any) -> None:
    """Run everything until SIGTERM or SIGINT, with the settings given here before those found elsewhere.

    Raises `Refused` when that is not possible, in a sentence for whoever asked.
    """
    run(EmbeddedSettings.read(**given))


def down(**given: Any) -> None:
    """End what local stages serve, and the gateway before it; the next `up` brings back what was live.

    Raises `Refused` while a Windlass runs on the folder.
    """
    settings = EmbeddedSettings.read(**given)
    logs.configure(json=not sys.stderr.isatty(), level="warning")
    with data_folder.held(settings.data) as folder:
        target = local_target(DeployerSettings.read(data=folder), SystemClock())
        asyncio.run(target.end())


def run(settings: EmbeddedSettings) -> None:
    """Run everything with these settings."""
    crash.arm(settings.crash_at, settings.crash_trace)
    logs.configure(json=not sys.stderr.isatty(), level=settings.log_level)
    with data_folder.held(settings.data) as folder, web.bind(settings.host, settings.port) as listener:
        asyncio.run(_run(folder, listener))


async def _run(folder: Path, listener: web.Listener) -> None:
    database = SqliteDatabase(folder / DATABASE_FILE, SystemClock())
    url = web.url_of(listener)
    try:
        services = await _prepare(folder, database, url)
        server = web.WebServer(make_app(services, Vitals(database)))
        work = partial(side_by_side, _parts(database, services))
        afterwards = partial(catch_up, services, database.clock)
        await until_told(server, listener, work, afterwards, f"Windlass is ready at {url} (data in {folder})")
    finally:
        await database.close()


async def _prepare(folder: Path, database: SqliteDatabase, url: str) -> list[Service]:
    """Build the services, then the schema that they expect, then the owner's way in."""
    try:
        services = [_build(name, database, folder) for name in SERVICES]
        bring_up_to_date(database.writer)
        await write_client_file(folder, url, Access(database))
    except (Refused, TryAgain, OSError) as fault:
        raise CannotStart(f"Windlass cannot start on {folder}: {fault}.") from fault
    return services


def _build(name: str, database: SqliteDatabase, folder: Path) -> Service:
    settings_class: type[Settings] = getattr(
        import_module(f"services.{name}.settings"), f"{name.title()}Settings"
    )
    build: Callable[..., Service] = import_module(f"services.{name}.app").build
    return build(database, settings_class.read(data=folder))


def _parts(database: SqliteDatabase, services: Sequence[Service]) -> list[Part]:
    bus = EmbeddedBus(database, [service.subscription for service in services])
    return [bus.run, *(part for service in services for part in service.background)]
