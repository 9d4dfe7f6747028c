"""The database as the settings name it."""

from services.distributed.settings import DatabaseSettings
from shared.clock import SystemClock
from shared.db.postgres import PostgresDatabase, PostgresSettings


def connected(settings: DatabaseSettings, name: str) -> PostgresDatabase:
    """Return the database for a program of that name; nothing is opened yet."""
    url = settings.database.get_secret_value()
    return PostgresDatabase(url, SystemClock(), PostgresSettings(application_name=name))
