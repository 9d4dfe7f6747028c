"""What trials stand on: a database with every table, made once in a process."""

import tempfile
from functools import cache
from pathlib import Path

import sqlalchemy as sa

from services.builder import tables as _builder  # noqa: F401 - registers the tables
from services.deployer import tables as _deployer  # noqa: F401
from services.ingest import tables as _ingest  # noqa: F401
from services.status import tables as _status  # noqa: F401
from services.verifier import tables as _verifier  # noqa: F401
from shared.db import metadata


@cache
def blank() -> bytes:
    """Return a database with every table and nothing in them."""
    with tempfile.TemporaryDirectory(prefix="windlass-simulation-") as folder:
        made = Path(folder) / "windlass.db"
        engine = sa.create_engine(f"sqlite:///{made}")
        metadata.create_all(engine)
        engine.dispose()
        return made.read_bytes()
