"""The verifier, wired."""

from services.verifier.adapters.http_prober import HttpProber
from services.verifier.adapters.prober import Prober
from services.verifier.handlers import KIND, Handlers
from services.verifier.settings import VerifierSettings
from services.verifier.worker import VerifyWorker
from shared.bus import Subscription
from shared.db import Database, ServiceDatabase
from shared.events import (
    RunCancelled,
    RunCancelling,
    RunFailed,
    RunSucceeded,
    RunSuperseded,
    RunTimedOut,
    VerificationRequested,
)
from shared.service import Service
from shared.work import Workers


def build(database: Database, settings: VerifierSettings) -> Service:
    """Return the service on the real network."""
    return wire(database, settings, HttpProber(database.clock))


def wire(database: Database, settings: VerifierSettings, prober: Prober) -> Service:
    """Return the service on a given network."""
    db = ServiceDatabase(database, "verifier")
    workers = Workers(db, settings.replica, settings.verifier_slots)
    worker = VerifyWorker(workers, prober, db.clock)
    handlers = Handlers(db)

    async def probe() -> None:
        await workers.run({KIND: worker})

    return Service(
        Subscription(
            db,
            {
                VerificationRequested: handlers.verification_requested,
                RunCancelling: handlers.run_ended,
                RunSucceeded: handlers.run_ended,
                RunFailed: handlers.run_ended,
                RunTimedOut: handlers.run_ended,
                RunCancelled: handlers.run_ended,
                RunSuperseded: handlers.run_ended,
            },
        ),
        background=(probe,),
    )
