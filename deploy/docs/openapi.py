"""The HTTP API's contract as a file, so that a change of it shows in review."""

import json
import tempfile
from pathlib import Path

from services.embedded.web import make_app
from services.ingest import app as ingest
from services.ingest.settings import IngestSettings
from services.status import app as status
from services.status.settings import StatusSettings
from shared.access import Access
from shared.clock import SystemClock
from shared.db.sqlite import SqliteDatabase


def render() -> str:
    """Return the OpenAPI document of the services that have an HTTP side; nothing is started."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        database = SqliteDatabase(data / "none.db", SystemClock())
        services = [
            ingest.build(database, IngestSettings(data=data)),
            status.build(database, StatusSettings(data=data)),
        ]
        document = make_app(Access(database), services).openapi()
    return json.dumps(document, indent=2, sort_keys=True) + "\n"
