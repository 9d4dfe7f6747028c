"""Ingest's tables."""

import sqlalchemy as sa

from shared.db import INSTANT, metadata

repositories = sa.Table(
    "ingest_repositories",
    metadata,
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("remote", sa.String, nullable=False, unique=True),
    sa.Column("branch", sa.String),  # the only one listened to; null: all
    sa.Column("secret", sa.LargeBinary, nullable=False),  # encrypted
    sa.Column("created_at", INSTANT, nullable=False),
)

deliveries = sa.Table(
    "ingest_deliveries",
    metadata,
    sa.Column("repository", sa.String, primary_key=True),
    sa.Column("delivery", sa.String, primary_key=True),  # the forge's id, or "manual:<push>"
    sa.Column("body_sha256", sa.String(64), nullable=False),
    sa.Column("status", sa.Integer, nullable=False),
    sa.Column("answer", sa.JSON, nullable=False),
    sa.Column("received_at", INSTANT, nullable=False, index=True),
)

pushes = sa.Table(
    "ingest_pushes",
    metadata,
    sa.Column("repository", sa.String, primary_key=True),
    sa.Column("ref", sa.String, primary_key=True),
    sa.Column("commit", sa.String(64), primary_key=True),
    sa.Column("push", sa.Uuid, nullable=False),
    sa.Column("received_at", INSTANT, nullable=False, index=True),
)

# As last told: what monitors send again and again is one event.
alarms = sa.Table(
    "ingest_alarms",
    metadata,
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("state", sa.String, nullable=False),
    sa.Column("reason", sa.String, nullable=False),
    sa.Column("event", sa.Uuid, nullable=False),
    sa.Column("told_at", INSTANT, nullable=False),
    sa.Column("named", sa.Boolean, nullable=False),  # first told with a token for it alone
)

pipelines = sa.Table(
    "ingest_pipelines",
    metadata,
    sa.Column("pipeline", sa.String, primary_key=True),
    sa.Column("repository", sa.String, nullable=False, index=True),
    sa.Column("branch", sa.String, nullable=False),
    sa.Column("alarms", sa.JSON),  # by stage, as last planned; null: no plan was heard of yet
)
