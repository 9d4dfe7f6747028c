"""PostgreSQL as the database of an installation of several processes."""

from shared.db.postgres.adapter import PostgresDatabase, lock_key
from shared.db.postgres.session import PostgresSettings

__all__ = ["PostgresDatabase", "PostgresSettings", "lock_key"]
