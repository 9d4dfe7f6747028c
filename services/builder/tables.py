"""The builder's tables: requests, builds, and the index of what the artifact store holds."""

import sqlalchemy as sa

from shared.db import INSTANT, metadata

requests = sa.Table(
    "build_requests",
    metadata,
    sa.Column("request", sa.Uuid, primary_key=True),
    sa.Column("build_key", sa.String, nullable=False),
    sa.Column("pipeline", sa.String, nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("artifact", sa.String, nullable=False),
    sa.Column("answered", sa.Boolean, nullable=False),
    sa.Index(
        "ix_build_requests_open",
        "build_key",
        sqlite_where=sa.text("NOT answered"),
        postgresql_where=sa.text("NOT answered"),
    ),
)

builds = sa.Table(
    "builds",
    metadata,
    sa.Column("build_key", sa.String, primary_key=True),
    sa.Column("attempt", sa.Integer, primary_key=True),
    sa.Column("state", sa.String, nullable=False),  # building, built, failed
    sa.Column("order", sa.JSON, nullable=False),  # the request that began it
    sa.Column("began_at", INSTANT, nullable=False),
    sa.Column("ended_at", INSTANT),
    sa.Index(
        "one_build_of_a_key",
        "build_key",
        unique=True,
        sqlite_where=sa.text("state = 'building'"),
        postgresql_where=sa.text("state = 'building'"),
    ),
)

artifacts = sa.Table(
    "artifacts",
    metadata,
    sa.Column("build_key", sa.String, primary_key=True),
    sa.Column("digest", sa.String, nullable=False),
    sa.Column("size_bytes", sa.BigInteger, nullable=False),
    sa.Column("built_by", sa.Integer, nullable=False),  # the revision whose build made it
    sa.Column("duration_seconds", sa.Float, nullable=False),
    sa.Column("log", sa.String, nullable=False),
    sa.Column("built_at", INSTANT, nullable=False),
)
