"""PostgreSQL as the database of an installation of several processes."""

from shared.db.postgres.adapter import PostgresDatabase
from shared.db.postgres.session import PostgresSettings

__all__ = ["PostgresDatabase", "PostgresSettings"]
