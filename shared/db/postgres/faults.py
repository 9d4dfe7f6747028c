"""Which of PostgreSQL's errors pass, so that what was tried is tried again unchanged."""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from shared.faults import TryAgain

PASSING_CLASSES = (
    "08",  # the connection broke, or was never made
    "28",  # not let in: a password that was changed is no fault of whatever is to be done
    "3D",  # the server has no such database, or not yet
    "53",  # no room on the disk, no memory, too many connections
    "57P",  # the server is stopped, starts, or ended our session
)
PASSING_CODES = frozenset(
    {
        "25P03",  # our session was idle in a transaction for too long: this process hung
        "40001",  # could not be serialised
        "40P01",  # a deadlock, in which we lost
        "55P03",  # a lock was not to be had in time
        "57014",  # the statement took too long
        "58030",  # the server could not read or write a file
    }
)
READ_ONLY = "25006"  # of a write transaction: the server is a standby, or was made read-only


@contextmanager
def passing_faults(doing: str, *, read_only_passes: bool = True) -> Iterator[None]:
    """Raise `TryAgain` for what passes; mistakes of ours stay what they are."""
    try:
        yield
    except (sa.exc.TimeoutError, OSError) as error:  # no connection free; refused, reset, not in time
        raise TryAgain(f"the database could not {doing}: {_told(error)}") from error
    except sa.exc.DBAPIError as error:
        if not passes(error) or (code_of(error) == READ_ONLY and not read_only_passes):
            raise
        raise TryAgain(f"the database could not {doing}: {_told(error.orig)}") from error


def passes(error: sa.exc.DBAPIError) -> bool:
    """Tell whether the same may succeed later."""
    code = code_of(error)
    passing = code in PASSING_CODES or code == READ_ONLY or code.startswith(PASSING_CLASSES)
    return passing or error.connection_invalidated or _is_stale(error.orig)


def code_of(error: sa.exc.DBAPIError) -> str:
    """Return the error's SQLSTATE; empty for one that the driver made itself."""
    return getattr(error.orig, "sqlstate", None) or ""


def _is_stale(error: BaseException | None) -> bool:
    """Tell what only the driver saw: a connection closed before its use, a plan older than a migration."""
    return "connection is closed" in str(error) or type(error).__name__ == "InvalidCachedStatementError"


def _told(error: BaseException | None) -> str:
    """Return one line: the driver's errors carry their class before their sentence."""
    cause = error.__cause__ if isinstance(error, Exception) and error.__cause__ else error
    return " ".join(str(cause).split()) or type(cause).__name__
