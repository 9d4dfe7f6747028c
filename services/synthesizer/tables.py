"""The synthesizer's tables."""

import sqlalchemy as sa

from shared.db import INSTANT, metadata

pipelines = sa.Table(
    "pipelines",
    metadata,
    sa.Column("pipeline", sa.String, primary_key=True),
    sa.Column("repository", sa.String, nullable=False),  # the one that had the slug first
    sa.Column("tracks", sa.String, nullable=False),  # as of the newest plan: `Tracks.stored`
    sa.Column("newest_revision", sa.Integer, nullable=False),
    sa.Column("newest_commit", sa.String, nullable=False),
)

marks = sa.Table(
    "marks",
    metadata,
    sa.Column("pipeline", sa.String, primary_key=True),
    sa.Column("ref", sa.String, primary_key=True),  # "refs/heads/main"
    sa.Column("commit", sa.String, nullable=False),  # how far it has come
    sa.Column("revision", sa.Integer, nullable=False),  # what that became, or differs from in nothing
    sa.Column("untouched", sa.Boolean, nullable=False),  # it became none
)

plans = sa.Table(
    "plans",
    metadata,
    sa.Column("plan_hash", sa.String, primary_key=True),
    sa.Column("plan", sa.Text, nullable=False),  # its canonical JSON
    sa.Column("planned_at", INSTANT, nullable=False),
)

decisions = sa.Table(
    "decisions",
    metadata,
    sa.Column("push", sa.Uuid, primary_key=True),
    sa.Column("pipeline", sa.String, primary_key=True),  # one decision per push and pipeline (S3)
    sa.Column("decision", sa.String, nullable=False),  # planned, rejected, skipped
    sa.Column("revision", sa.Integer),
    sa.Column("decided_at", INSTANT, nullable=False),
)
