"""The synthesizer's wiring: its table of contents."""

from services.synthesizer.handlers import Synthesizer
from services.synthesizer.push_worker import BESIDE_MAX, PushWorker
from services.synthesizer.settings import SynthesizerSettings
from shared.bus import Subscription
from shared.db import Database, ServiceDatabase
from shared.delivery import Handler
from shared.events import Event, PushReceived
from shared.git import GitMirrors
from shared.service import Service
from shared.settings import passed_through
from shared.work import Beside, Workers


def build(database: Database, settings: SynthesizerSettings) -> Service:
    """Wire the synthesizer."""
    db = ServiceDatabase(database, "synthesizer")
    workers = Workers(db, settings.replica, settings.synthesizer_slots, share_slots=1)
    mirrors = GitMirrors(settings.mirrors_folder, passed_through())
    worker = PushWorker(db, workers, Beside(db, workers, BESIDE_MAX), mirrors)

    async def work() -> None:
        try:
            await workers.run({"synthesize": worker})
        finally:
            await mirrors.close()

    synthesizer = Synthesizer(db)
    heard: dict[type[Event], Handler] = {PushReceived: synthesizer.push_received}
    subscription = Subscription(db, heard, together={PushReceived: synthesizer.pushes_received})
    return Service(subscription, background=(work,))
