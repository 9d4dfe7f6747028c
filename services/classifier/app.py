"""The classifier, wired."""

from services.classifier.handlers import Handlers
from services.classifier.settings import ClassifierSettings
from shared.bus import Subscription
from shared.db import Database, ServiceDatabase
from shared.delivery import Handler
from shared.diagnosis.loading import load
from shared.events import AttemptFailed, Event, RunFailed, RunTimedOut
from shared.service import Service


def build(database: Database, settings: ClassifierSettings) -> Service:
    """Return the service."""
    del settings  # there is nothing to set
    db = ServiceDatabase(database, "classifier")
    handlers = Handlers(db)
    hears: dict[type[Event], Handler] = {
        RunFailed: handlers.run_failed,
        RunTimedOut: handlers.run_timed_out,
        AttemptFailed: handlers.attempt_failed,
    }
    return Service(Subscription(db, hears), put_off=(load,))
