"""The builder's wiring: its table of contents."""

import asyncio
from datetime import datetime, timedelta

from services.builder.adapters.workspace import Bench
from services.builder.build_worker import BuildWorker
from services.builder.handlers import Builder
from services.builder.settings import BuilderSettings
from shared.artifacts import LocalArtifactStore
from shared.bus import Subscription
from shared.db import Database, ServiceDatabase
from shared.delivery import Handler
from shared.events import BuildRequested, Event, RunCancelled, RunFailed, RunTimedOut
from shared.git import GitMirrors
from shared.process import LocalProcesses
from shared.residence import Residence
from shared.service import Service
from shared.settings import passed_through
from shared.timers import Ticker
from shared.work import Workers

TIDIED_EVERY = timedelta(minutes=10)  # what killed builders, or such as woke too late, have left


def build(database: Database, settings: BuilderSettings) -> Service:
    """Wire the builder."""
    db = ServiceDatabase(database, "builder")
    artifacts = LocalArtifactStore(settings.data / "artifacts")
    builder = Builder(db, artifacts)
    workers = Workers(db, settings.replica, settings.builder_slots, settings.share_slots)
    mirrors = GitMirrors(settings.mirrors_folder, passed_through())
    bench = Bench(
        root=settings.data / "builder",
        source=mirrors,
        processes=LocalProcesses(),
        store=artifacts,
        clock=database.clock,
    )
    residence = Residence(db, settings.data, settings.replaces_folder)
    worker = BuildWorker(db, workers, bench)

    heard: dict[type[Event], Handler] = {
        BuildRequested: builder.build_requested,
        RunCancelled: builder.run_ended,
        RunFailed: builder.run_ended,
        RunTimedOut: builder.run_ended,
    }

    async def tidy() -> datetime:
        await worker.sweep()
        await artifacts.tidy()
        return database.clock.now() + TIDIED_EVERY

    async def work() -> None:
        try:
            async with residence.taken_up(nothing_to_note), asyncio.TaskGroup() as tasks:
                tasks.create_task(Ticker(database.clock, tidy).run())
                tasks.create_task(workers.run({"build": worker}))
        finally:
            await mirrors.close()

    return Service(Subscription(db, heard), background=(work,))


async def nothing_to_note() -> None:
    """Do nothing: a build has no effect but its artifact, and may run again elsewhere."""
