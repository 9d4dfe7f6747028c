"""Ingest's settings."""

from shared.settings import Settings


class IngestSettings(Settings):
    """Read once, in `app.py`."""

    public_url: str = ""  # how forges reach us, for the webhook URLs shown; empty: as the operator did
