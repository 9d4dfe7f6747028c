"""Ingest's table of contents."""

from services.ingest.accept_queue import AcceptQueue
from services.ingest.adapters.vault import FileVault
from services.ingest.body import BodyRoom
from services.ingest.handlers import Ingest
from services.ingest.routes.alarms import Alarms
from services.ingest.routes.deployments import Deployments
from services.ingest.routes.repositories import Registry
from services.ingest.routes.tokens import Tokens
from services.ingest.routes.webhooks import Webhooks
from services.ingest.settings import IngestSettings
from services.ingest.store import IngestStore
from shared.access import Access, AlarmAccess
from shared.bus import Subscription
from shared.db import Database, ServiceDatabase
from shared.delivery import Handler
from shared.events import Event, PlanRejected, RevisionPlanned
from shared.service import Service
from shared.timers import Ticker
from shared.web.routes import joined


def build(database: Database, settings: IngestSettings) -> Service:
    """Wire ingest."""
    db = ServiceDatabase(database, "ingest")
    store = IngestStore(db)
    vault = FileVault(settings.data / "ingest" / "secret.key")
    queue = AcceptQueue(store)
    access = Access(database)
    ingest = Ingest(store)

    router = joined(
        Webhooks(store, vault, queue, BodyRoom()).router(),
        Registry(store, vault, settings).router(access),
        Deployments(store).router(access),
        Alarms(store).router(AlarmAccess(access)),
        Tokens(access, store).router(),
    )

    heard: dict[type[Event], Handler] = {
        RevisionPlanned: ingest.revision_planned,
        PlanRejected: ingest.plan_rejected,
    }
    ticker = Ticker(database.clock, store.resume)
    together = dict.fromkeys(heard, ingest.revisions_told)
    subscription = Subscription(db, heard, patient=True, together=together)
    return Service(subscription, (queue.run, ticker.run), router)
