"""Status's tables: two histories that are only added to, and the views folded from them."""

import sqlalchemy as sa

from shared.db import INSTANT, metadata

SEQUENCE = sa.BigInteger().with_variant(sa.Integer, "sqlite")

history = sa.Table(
    "status_history",
    metadata,
    sa.Column("sequence", SEQUENCE, primary_key=True),  # the order they were heard in
    sa.Column("id", sa.Uuid, nullable=False, unique=True),
    sa.Column("type", sa.String, nullable=False),
    sa.Column("topic", sa.String, nullable=False),
    sa.Column("key", sa.String, nullable=False),
    sa.Column("position", sa.BigInteger, nullable=False),  # in the partition
    sa.Column("pipeline", sa.String, nullable=False),  # empty: about none
    sa.Column("subject", sa.String, nullable=False),
    sa.Column("source", sa.String, nullable=False),
    sa.Column("time", INSTANT, nullable=False),
    sa.Column("correlation", sa.String, nullable=False),
    sa.Column("causation", sa.Uuid),
    sa.Column("traceparent", sa.String, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Index("ix_status_history_pipeline", "pipeline", "sequence"),
    sa.Index("ix_status_history_correlation", "correlation", "sequence"),
    sa.Index("ix_status_history_key", "key", "sequence"),
    sa.Index("ix_status_history_type", "type", "sequence"),
    sa.Index("ix_status_history_pipeline_type", "pipeline", "type", "sequence", "key"),
    sqlite_autoincrement=True,
)

# The history of topic logs: apart, because it is large and is read by log and by line.
log_chunks = sa.Table(
    "status_log_chunks",
    metadata,
    sa.Column("sequence", SEQUENCE, primary_key=True),
    sa.Column("id", sa.Uuid, nullable=False, unique=True),
    sa.Column("log", sa.String, nullable=False),
    sa.Column("position", sa.BigInteger, nullable=False),
    sa.Column("time", INSTANT, nullable=False),
    sa.Column("correlation", sa.String, nullable=False),
    sa.Column("stage", sa.String, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Index("ix_status_log_chunks_log", "log", "sequence"),
    sa.Index("ix_status_log_chunks_correlation", "correlation", "sequence"),
    sqlite_autoincrement=True,
)

# Each row is fed by one partition only, so the order between partitions does not matter (L3).
views = sa.Table(
    "status_views",
    metadata,
    sa.Column("id", sa.String, primary_key=True),  # kind and key
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("scope", sa.String, nullable=False),  # what it is listed under
    sa.Column("about", sa.String, nullable=False),  # what else it is found by
    sa.Column("number", sa.BigInteger, nullable=False),  # its place in the list
    sa.Column("position", sa.BigInteger, nullable=False),  # of the last message folded in
    sa.Column("document", sa.Text, nullable=False),
    sa.Index("ix_status_views_scope", "kind", "scope", "number", "id"),
    sa.Index("ix_status_views_about", "kind", "about", "number", "id"),
)

operations = sa.Table(
    "status_operations",
    metadata,
    sa.Column("operation", sa.Uuid, primary_key=True),
    sa.Column("event", sa.Uuid, nullable=False),
    sa.Column("asked_sha256", sa.String(64), nullable=False),
    sa.Column("asked_at", INSTANT, nullable=False),
)
