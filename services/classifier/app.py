"""The classifier, wired."""

from services.classifier.handlers import Handlers
from services.classifier.settings import ClassifierSettings
from shared.bus import Subscription
from shared.db import Database, ServiceDatabase
from shared.events import RunFailed, RunTimedOut
from shared.service import Service


def build(database: Database, settings: ClassifierSettings) -> Service:
    """Return the service."""
    del settings  # there is nothing to set
    db = ServiceDatabase(database, "classifier")
    handlers = Handlers(db)
    return Service(Subscription(db, {RunFailed: handlers.run_failed, RunTimedOut: handlers.run_timed_out}))
