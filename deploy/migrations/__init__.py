"""Bringing a database's schema up to date."""

from pathlib import Path

import sqlalchemy as sa

from shared.db import metadata


def bring_up_to_date(file: Path) -> None:
    """Create what is missing."""
    engine = sa.create_engine(f"sqlite:///{file}")
    metadata.create_all(engine)
    engine.dispose()
