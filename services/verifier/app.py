"""The verifier, wired."""

import os
import ssl
from collections.abc import Callable
from dataclasses import replace
from functools import cache

from services.verifier.adapters.first_use import OnFirstUse
from services.verifier.adapters.local_commands import LocalCommands
from services.verifier.adapters.local_observer import LocalObserver
from services.verifier.adapters.prober import CONNECTIONS_MAX, Prober
from services.verifier.handlers import KIND, Handlers
from services.verifier.look_worker import Looker
from services.verifier.round_worker import Rounds
from services.verifier.settings import VerifierSettings
from services.verifier.watch import PROBES_AT_ONCE_MAX
from services.verifier.watch_worker import WatchWorker
from services.verifier.worker import VerifyWorker
from shared.bus import Subscription
from shared.clock import Clock
from shared.db import Database, ServiceDatabase
from shared.events import (
    RunCancelled,
    RunCancelling,
    RunFailed,
    RunRollingBack,
    RunRollingForward,
    RunStarted,
    RunSucceeded,
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
    tls = cache(ssl.create_default_context)
    prober = _prober(database.clock, tls, CONNECTIONS_MAX)
    rounds = Rounds(
        prober=prober,
        observer=LocalObserver(processes, database.clock),
        commands=LocalCommands(processes, folder, search_path, database.clock),
        clock=database.clock,
    )
    # Connections of their own: no verification, whatever hangs in it, keeps a look waiting.
    connections = settings.health_slots * PROBES_AT_ONCE_MAX
    health_prober = _prober(database.clock, tls, connections)
    wired = wire(database, settings, rounds, health_prober)
    return replace(wired, put_off=(prober.made, health_prober.made))


def _prober(clock: Clock, tls: Callable[[], ssl.SSLContext], connections_max: int) -> OnFirstUse:
    def made() -> Prober:
        # With its certificates a fourteenth of a second, which no start waits for.
        from services.verifier.adapters.http_prober import HttpProber  # noqa: PLC0415

        return HttpProber(clock, tls=tls(), connections_max=connections_max)

    return OnFirstUse(made)


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
            },
        ),
        background=(probe, watching.run),
    )
