"""The verifier's one table."""

import sqlalchemy as sa

from shared.db import INSTANT, metadata

verifications = sa.Table(
    "verifications",
    metadata,
    sa.Column("verification", sa.Uuid, primary_key=True),
    sa.Column("run", sa.Uuid, nullable=False, index=True),  # whose end calls it off
    sa.Column("work", sa.Uuid, nullable=False),  # the order that probes
    sa.Column("asked_at", INSTANT, nullable=False),
)
