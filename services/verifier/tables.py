"""The verifier's tables."""

import sqlalchemy as sa

from shared.db import INSTANT, metadata

verifications = sa.Table(
    "verifications",
    metadata,
    sa.Column("verification", sa.Uuid, primary_key=True),
    sa.Column("run", sa.Uuid, nullable=False, index=True),  # whose end calls it off
    sa.Column("work", sa.Uuid, nullable=False),  # the order that probes
    sa.Column("asked_at", INSTANT, nullable=False),
    sa.Column("soaks_until", INSTANT),  # it met its criteria and is watched until then
    sa.Column("restarts_when_met", sa.JSON),  # of its processes so far, by service
)

# A service that is live, looked after for as long as it is.
watches = sa.Table(
    "watches",
    metadata,
    sa.Column("pipeline", sa.String, primary_key=True),
    sa.Column("stage", sa.String, primary_key=True),
    sa.Column("service", sa.String, primary_key=True),
    sa.Column("run", sa.Uuid, nullable=False),  # that brought it
    sa.Column("version", sa.Integer, nullable=False),  # raised by whoever takes a look
    sa.Column("next_at", INSTANT, nullable=False),  # the next look; while one is taken: until when it is
    sa.Column("taken_at", INSTANT, nullable=False),  # the last look
    sa.Column("lingers", sa.Boolean, nullable=False),  # the last one took long
    sa.Column("health", sa.String, nullable=False),
    sa.Column("reason", sa.String, nullable=False),  # for it, in a sentence
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("private_addresses", sa.Boolean, nullable=False),
    sa.Column("target", sa.JSON, nullable=False),
    sa.Column("seen_so_far", sa.JSON, nullable=False),  # the last samples, and what is counted
    sa.Index("ix_watches_next_at", "next_at"),
    sa.Index("ix_watches_taken_at", "taken_at"),
)

watched_stages = sa.Table(
    "watched_stages",
    metadata,
    sa.Column("pipeline", sa.String, primary_key=True),
    sa.Column("stage", sa.String, primary_key=True),
    sa.Column("busy_run", sa.Uuid),  # that is under way
    sa.Column("run_position", sa.BigInteger),  # of the last beginning or end of a run
    sa.Column("run_at", INSTANT),
    sa.Column("success_position", sa.BigInteger),  # of the run that is live
    sa.Column("success_at", INSTANT),
    sa.Column("alarm", sa.String),  # as it was last said
)
