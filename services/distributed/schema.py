"""Whether the database has the schema that this release needs."""

from deploy.migrations import HEAD
from deploy.migrations.postgres import current
from shared.db.postgres import PostgresDatabase


async def why_unsuitable(database: PostgresDatabase) -> str:
    """Return what is the matter and the way out, or the empty string; TryAgain when the database is away."""
    found = await current(database)
    if found == HEAD:
        return ""
    return f"the schema is at {found or 'nothing'}, this release needs {HEAD}: run windlass migrate"
