"""The schema's history, and bringing a database up to date with it.

At every start the database is asked which revision it has; only a database that is behind pays for
loading Alembic. A migration is one transaction: killed in the middle, it has not begun.
"""

from pathlib import Path

import sqlalchemy as sa

from shared.faults import Refused

HEAD = "0001"  # the newest revision in versions/; a test holds it to that
FOLDER = Path(__file__).parent


def bring_up_to_date(engine: sa.Engine) -> None:
    """Apply what is missing; Refused for a file that cannot be used or that a newer Windlass has written."""
    try:
        _bring_up_to_date(engine)
    except sa.exc.DatabaseError as error:
        raise Refused(f"the database cannot be used: {error.orig}") from error


def _bring_up_to_date(engine: sa.Engine) -> None:
    found = current(engine)
    if found == HEAD:
        return
    from deploy.migrations import alembic_run  # noqa: PLC0415 - a quarter of a second, at first start only

    if found is not None and found not in alembic_run.revisions():
        raise Refused(
            f"the database was written by a newer Windlass (schema {found}, this one knows up to {HEAD}): "
            "start that one, or a copy of the data folder made before"
        )
    alembic_run.upgrade(engine)


def current(engine: sa.Engine) -> str | None:
    """Return the revision that the database has; None for an empty one."""
    with engine.connect() as connection:
        if not sa.inspect(connection).has_table("alembic_version"):
            return None
        found: str | None = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
        return found
