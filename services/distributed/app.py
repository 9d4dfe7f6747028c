"""The distributed program's table of contents: what is built, and in which order it starts and ends."""

import asyncio
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from importlib import import_module
from typing import Any

from services.distributed import library_log
from services.distributed.connection import connected
from services.distributed.ending import BoundedServer
from services.distributed.gate import Gate
from services.distributed.life import Life
from services.distributed.settings import DistributedSettings
from shared import crash, logs
from shared.bus.kafka.bus import KafkaBus
from shared.bus.kafka.settings import KafkaSettings
from shared.db.postgres import PostgresDatabase
from shared.faults import Refused
from shared.residence import kept_from_up
from shared.service import Service
from shared.settings import Settings
from shared.web import server as web
from shared.web.afterwards import catch_up
from shared.web.application import make_app
from shared.web.faults import CannotStart
from shared.web.program import until_told
from shared.web.vitals import Vitals

# What they start lives on in the data folder, which is theirs alone then.
RESIDENTS = frozenset({"builder", "deployer"})


def serve(names: Sequence[str], **given: Any) -> None:
    """Run these services until SIGTERM or SIGINT, with the settings given before those found elsewhere.

    Raises `Refused` when that is not possible, in a sentence for whoever asked; it is possible without
    a broker, a database or a schema, which are waited for.
    """
    settings, kafka = DistributedSettings.read(**given), KafkaSettings.read()
    crash.arm(settings.crash_at, settings.crash_trace)
    logs.configure(json=not sys.stderr.isatty(), level=settings.log_level)
    library_log.listen()
    with _home(names, settings), web.bind(settings.host, settings.port) as listener:
        try:
            asyncio.run(_serve(names, settings, kafka, listener))
        except BaseExceptionGroup as group:
            raise _sentence(group) from None


def _home(names: Sequence[str], settings: DistributedSettings) -> AbstractContextManager[None]:
    """Return the hold on the data folder of services that live in it."""
    if RESIDENTS.isdisjoint(names):
        return nullcontext()
    return kept_from_up(settings.data, f"`windlass serve {' '.join(names)}` (replica {settings.replica})")


async def _serve(
    names: Sequence[str], settings: DistributedSettings, kafka: KafkaSettings, listener: web.Listener
) -> None:
    database = connected(settings, f"windlass {settings.replica} {' '.join(names)}")
    try:
        services = [_build(name, database, settings) for name in names]
        bus = KafkaBus(database, [each.subscription for each in services], kafka, settings.replica)
        life = Life(database, bus, services, settings.replica)
        vitals = Vitals(database, {"start": life.why_not_begun, "bus": life.why_not_consuming}, [life.count])
        server = BoundedServer(Gate(make_app(services, vitals), life), settings.shutdown_seconds)
        where = f"at {web.url_of(listener)} as replica {settings.replica}"
        greeting = f"Windlass serves {', '.join(names)} {where}"
        await until_told(server, listener, life.run, partial(catch_up, services, database.clock), greeting)
    finally:
        await database.close()


def _build(name: str, database: PostgresDatabase, settings: DistributedSettings) -> Service:
    module = import_module(f"services.{name}.settings")
    settings_class: type[Settings] = getattr(module, f"{name.title()}Settings")
    build: Callable[..., Service] = import_module(f"services.{name}.app").build
    return build(database, settings_class.read(replica=settings.replica))


def _sentence(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return what is to be told: the refusal in it, if that is what ended us."""
    found: BaseException | None = group.subgroup(Refused)
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    return CannotStart(str(found)) if found else group
