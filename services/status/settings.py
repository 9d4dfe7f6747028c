"""Status's settings."""

from shared.settings import Settings


class StatusSettings(Settings):
    """Read once, in `app.py`; it needs nothing of its own yet."""
