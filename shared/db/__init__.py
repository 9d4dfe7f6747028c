"""The database: transactions with an inbox and an outbox in them, on SQLite or PostgreSQL.

No table of any service lies here, only those that the kernel itself keeps.
"""

from shared.db.columns import INSTANT, metadata
from shared.db.database import (
    Cause,
    Database,
    Noted,
    Parameters,
    Reading,
    Rows,
    ServiceDatabase,
    Taker,
    Transaction,
    cause_of,
)
from shared.db.locks import hold, lock_key

__all__ = [
    "INSTANT",
    "Cause",
    "Database",
    "Noted",
    "Parameters",
    "Reading",
    "Rows",
    "ServiceDatabase",
    "Taker",
    "Transaction",
    "cause_of",
    "hold",
    "lock_key",
    "metadata",
]
