"""The builder's wiring: its table of contents."""

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
from shared.service import Service
from shared.settings import passed_through
from shared.work import Workers


def build(database: Database, settings: BuilderSettings) -> Service:
    """Wire the builder."""
    db = ServiceDatabase(database, "builder")
    artifacts = LocalArtifactStore(settings.data / "artifacts")
    builder = Builder(db, artifacts)
    workers = Workers(db, settings.worker, settings.builder_slots, settings.share_slots)
    mirrors = GitMirrors(settings.mirrors_folder, passed_through())
    bench = Bench(
        root=settings.data / "builder",
        source=mirrors,
        processes=LocalProcesses(),
        store=artifacts,
        clock=database.clock,
    )
    worker = BuildWorker(db, workers, bench)

    heard: dict[type[Event], Handler] = {
        BuildRequested: builder.build_requested,
        RunCancelled: builder.run_ended,
        RunFailed: builder.run_ended,
        RunTimedOut: builder.run_ended,
    }

    async def work() -> None:
        try:
            await worker.sweep()
            await artifacts.tidy()
            await workers.run({"build": worker})
        finally:
            await mirrors.close()

    return Service(Subscription(db, heard), background=(work,))
