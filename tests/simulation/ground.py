"""The file that trials stand on: in memory where that is possible, made anew for each from one blank."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import sqlalchemy as sa

from services.builder import tables as _builder  # noqa: F401 - registers the tables
from services.deployer import tables as _deployer  # noqa: F401
from services.status import tables as _status  # noqa: F401
from services.verifier import tables as _verifier  # noqa: F401
from shared.db import metadata

IN_MEMORY = Path("/dev/shm")  # where there is one; nothing of a trial is worth a disk


@contextmanager
def file() -> Iterator[Path]:
    """Give a database with every table and nothing in them."""
    within = str(IN_MEMORY) if IN_MEMORY.is_dir() else None
    with tempfile.TemporaryDirectory(prefix="windlass-simulation-", dir=within) as folder:
        made = Path(folder) / "windlass.db"
        made.write_bytes(_blank())
        yield made


@cache
def _blank() -> bytes:
    with tempfile.TemporaryDirectory(prefix="windlass-simulation-") as folder:
        made = Path(folder) / "windlass.db"
        engine = sa.create_engine(f"sqlite:///{made}")
        metadata.create_all(engine)
        engine.dispose()
        return made.read_bytes()
