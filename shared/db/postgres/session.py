"""What every connection to PostgreSQL is told, and how long we wait for one.

The limits are the server's to keep: a process that is frozen or cut off cannot keep its own. Behind
PgBouncer they have to be set for the database role instead (`ignore_startup_parameters`), with
`pool_mode = session`: prepared statements, LISTEN and advisory locks belong to a session.
"""

from collections.abc import Mapping
from dataclasses import dataclass

CONNECT_SECONDS = 5.0  # a server that is there answers in milliseconds
SILENCE_SECONDS_MAX = 5.0  # past the statement's own limit; then the server is taken for gone
KEEPALIVE_SECONDS = 10  # idle until the first probe; three of them, five seconds apart, end a session
APPLICATION_NAME_CHARACTERS_MAX = 63  # PostgreSQL cuts longer ones itself, with a notice


@dataclass(frozen=True, slots=True)
class PostgresSettings:
    """How a process uses the server."""

    application_name: str = "windlass"  # the replica, for whoever looks at pg_stat_activity
    writers_max: int = 10  # open write transactions; more wait their turn
    readers_max: int = 3
    wait_seconds: float = 10.0  # for one of those connections
    idle_in_transaction_seconds: float = 15.0  # a frozen process must not hold a stage's lock for ever
    lock_seconds: float = 3.0  # whoever waits for a frozen one keeps a connection from all others meanwhile
    statement_seconds: float = 30.0  # a rebuild reads in pages; only a migration lasts longer, and lifts it


def server_settings(settings: PostgresSettings) -> Mapping[str, str]:
    """Return the settings of a session, in the server's words."""
    return {
        "application_name": settings.application_name[:APPLICATION_NAME_CHARACTERS_MAX],
        "idle_in_transaction_session_timeout": _milliseconds(settings.idle_in_transaction_seconds),
        "lock_timeout": _milliseconds(settings.lock_seconds),
        "statement_timeout": _milliseconds(settings.statement_seconds),
        "tcp_keepalives_idle": str(KEEPALIVE_SECONDS),
        "tcp_keepalives_interval": "5",
        "tcp_keepalives_count": "3",
        "synchronous_commit": "on",  # 202 means it is on disk (S6), whatever the server's default is
        "jit": "off",  # compiling a statement of ours costs more than running it
        "TimeZone": "UTC",
    }


def _milliseconds(seconds: float) -> str:
    return str(int(seconds * 1000))
