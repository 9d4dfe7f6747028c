"""Status's table of contents: everything is heard, by the same method."""

from services.status.handlers import Projector
from services.status.projection import TARGETS
from services.status.routes.answering import Reader
from services.status.routes.dead_letters import DeadLetters
from services.status.routes.events import Events
from services.status.routes.health import HealthRoutes
from services.status.routes.history import History
from services.status.routes.logs import Logs
from services.status.routes.operations import Operations
from services.status.routes.pipelines import Pipelines
from services.status.routes.revisions import Revisions
from services.status.routes.runs import Runs
from services.status.routes.streaming import Changes
from services.status.settings import StatusSettings
from services.status.store.operations import OperationStore
from services.status.store.reading import ReadModel
from services.status.store.writing import Projection
from shared.access import Access
from shared.bus import Subscription
from shared.db import Database, ServiceDatabase
from shared.dead_letters.letters import Letters
from shared.service import Service
from shared.web.routes import joined


def build(database: Database, settings: StatusSettings) -> Service:
    """Wire status."""
    del settings  # nothing of it can be set yet
    db = ServiceDatabase(database, "status")
    projector = Projector(Projection(db))
    reader = Reader(ReadModel(db), Changes(database), Access(database))
    pipelines = Pipelines(reader)

    router = joined(
        pipelines.router(),
        Revisions(reader, pipelines).router(),
        HealthRoutes(reader, pipelines).router(),
        History(reader, pipelines).router(),
        Runs(reader).router(),
        Logs(reader).router(),
        Events(reader).router(),
        DeadLetters(reader, Letters(db)).router(),
        Operations(reader, pipelines, OperationStore(db)).router(),
    )

    heard = dict.fromkeys(TARGETS, projector.hear)
    together = dict.fromkeys(heard, projector.hear_together)
    return Service(Subscription(db, heard, patient=True, together=together), (projector.run,), router)
