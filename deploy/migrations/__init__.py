"""The schema's history, and bringing a database up to date with it.

At every start the database is asked which revision it has; only a database that is behind pays for
loading Alembic. A migration is one transaction: killed in the middle, it has not begun.
"""

from pathlib import Path

import sqlalchemy as sa

from shared.faults import Refused

HEAD = "0006"  # the newest revision in versions/; a test holds it to that
FOLDER = Path(__file__).parent


def bring_up_to_date(engine: sa.Engine) -> None:
    """Apply what is missing; Refused for a file that cannot be used or that a newer Windlass has written."""
    try:
        if current(engine) != HEAD:
            with engine.begin() as connection:
                apply_missing(connection)
    except sa.exc.DatabaseError as error:
        raise Refused(f"the database cannot be used: {error.orig}") from error


def apply_missing(connection: sa.Connection) -> list[str]:
    """Apply what is missing, in the transaction that is open; return the revisions applied, in order."""
    from deploy.migrations import alembic_run  # noqa: PLC0415 - a quarter of a second, at first start only

    found = current(connection)
    known = alembic_run.revisions()
    if found is not None and found not in known:
        store = "data folder" if connection.dialect.name == "sqlite" else "database"
        raise Refused(
            f"the database was written by a newer Windlass (schema {found}, this one knows up to {HEAD}): "
            f"start that one, or a copy of the {store} made before"
        )
    missing = known[known.index(found) + 1 :] if found else known
    if missing:
        alembic_run.upgrade(connection)
    return missing


def current(bind: sa.Engine | sa.Connection) -> str | None:
    """Return the revision that the database has; None for an empty one."""
    if isinstance(bind, sa.Engine):
        with bind.connect() as connection:
            return current(connection)
    if not sa.inspect(bind).has_table("alembic_version"):
        return None
    found: str | None = bind.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
    return found
