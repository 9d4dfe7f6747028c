"""The database as the settings name it."""

from services.distributed.settings import DatabaseSettings
from shared.clock import SystemClock
from shared.db.postgres import PostgresDatabase, PostgresSettings

NO_SUCH_DATABASE = "3D000"


def connected(settings: DatabaseSettings, name: str) -> PostgresDatabase:
    """Return the database for a program of that name; nothing is opened yet."""
    url = settings.database.get_secret_value()
    return PostgresDatabase(url, SystemClock(), PostgresSettings(application_name=name))


def is_not_there(fault: BaseException | None) -> bool:
    """Tell whether the server answered, and has no database of that name."""
    while fault is not None:
        if getattr(fault, "sqlstate", "") == NO_SUCH_DATABASE:
            return True
        fault = getattr(fault, "orig", None) or fault.__cause__
    return False
