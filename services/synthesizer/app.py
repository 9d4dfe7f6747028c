"""The synthesizer's wiring: its table of contents."""

from services.synthesizer.handlers import Synthesizer
from services.synthesizer.push_worker import PushWorker
from services.synthesizer.settings import SynthesizerSettings
from shared.bus import Subscription
from shared.db import Database, ServiceDatabase
from shared.events import PushReceived
from shared.git import GitMirrors
from shared.service import Service
from shared.settings import passed_through
from shared.work import Workers


def build(database: Database, settings: SynthesizerSettings) -> Service:
    """Wire the synthesizer."""
    db = ServiceDatabase(database, "synthesizer")
    workers = Workers(db, settings.replica, settings.synthesizer_slots, share_slots=1)
    mirrors = GitMirrors(settings.mirrors_folder, passed_through())
    worker = PushWorker(db, workers, mirrors)

    async def work() -> None:
        try:
            await workers.run({"synthesize": worker})
        finally:
            await mirrors.close()

    subscription = Subscription(db, {PushReceived: Synthesizer(db).push_received})
    return Service(subscription, background=(work,))
