"""The verifier, wired."""

import os
import ssl

from services.verifier.adapters.http_prober import HttpProber
from services.verifier.adapters.local_commands import LocalCommands
from services.verifier.adapters.local_observer import LocalObserver
from services.verifier.adapters.prober import Prober
from services.verifier.handlers import KIND, Handlers
from services.verifier.look_worker import Looker
from services.verifier.round_worker import Rounds
from services.verifier.settings import VerifierSettings
from services.verifier.watch import PROBES_AT_ONCE_MAX
from services.verifier.watch_worker import WatchWorker
from services.verifier.worker import VerifyWorker
from shared.bus import Subscription
from shared.db import Database, ServiceDatabase
from shared.events import (
    RunCancelled,
    RunCancelling,
    RunFailed,
    RunRollingBack,
    RunRollingForward,
    RunStarted,
    RunSucceeded,
    RunSuperseded,
    RunTimedOut,
    VerificationRequested,
)
from shared.process import LocalProcesses
from shared.service import Service
from shared.settings import passed_through
from shared.work import Workers


def build(database: Database, settings: VerifierSettings) -> Service:
    """Return the service on the real network."""
    processes = LocalProcesses()
    search_path = passed_through().get("PATH", os.defpath)
    folder = settings.data / "verifier" / settings.replica
    tls = ssl.create_default_context()
    rounds = Rounds(
        prober=HttpProber(database.clock, tls=tls),
        observer=LocalObserver(processes, database.clock),
        commands=LocalCommands(processes, folder, search_path, database.clock),
        clock=database.clock,
    )
    # Connections of their own: no verification, whatever hangs in it, keeps a look waiting.
    connections = settings.health_slots * PROBES_AT_ONCE_MAX
    return wire(database, settings, rounds, HttpProber(database.clock, tls=tls, connections_max=connections))


def wire(
    database: Database, settings: VerifierSettings, rounds: Rounds, health_prober: Prober | None = None
) -> Service:
    """Return the service with a given world to look at."""
    db = ServiceDatabase(database, "verifier")
    workers = Workers(db, settings.replica, settings.verifier_slots)
    worker = VerifyWorker(db, workers, rounds)
    handlers = Handlers(db)
    looker = Looker(health_prober or rounds.prober, rounds.observer, db.clock)
    watching = WatchWorker(db, looker, settings.health_slots)

    async def probe() -> None:
        await rounds.commands.end_leftovers()
        await workers.run({KIND: worker})

    return Service(
        Subscription(
            db,
            {
                VerificationRequested: handlers.verification_requested,
                RunStarted: handlers.run_started,
                RunRollingBack: handlers.run_started,
                RunRollingForward: handlers.run_started,
                RunCancelling: handlers.run_ended,
                RunSucceeded: handlers.run_ended,
                RunFailed: handlers.run_ended,
                RunTimedOut: handlers.run_ended,
                RunCancelled: handlers.run_ended,
                RunSuperseded: handlers.run_ended,
            },
        ),
        background=(probe, watching.run),
    )
