"""What Alembic runs around the revisions, on the connection it is handed."""

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext

from deploy.migrations.alembic_run import import_tables
from shared.db import metadata
from shared.db.columns import Instant


def render(kind: str, item: Any, autogenerate: AutogenContext) -> str | Literal[False]:
    """Write our own column type by its name."""
    if kind == "type" and isinstance(item, Instant):
        autogenerate.imports.add("from shared.db import INSTANT")
        return "INSTANT"
    return False


import_tables()
context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_item=render,
    render_as_batch=True,  # SQLite alters a table by copying it
    transactional_ddl=True,
)
context.run_migrations()
