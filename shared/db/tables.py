"""The kernel's own tables."""

import sqlalchemy as sa

from shared.db.columns import INSTANT, metadata

outbox = sa.Table(
    "outbox",
    metadata,
    sa.Column("position", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
    sa.Column("id", sa.Uuid, nullable=False, unique=True),
    sa.Column("type", sa.String, nullable=False),
    sa.Column("topic", sa.String, nullable=False),
    sa.Column("key", sa.String, nullable=False),
    sa.Column("subject", sa.String, nullable=False),
    sa.Column("source", sa.String, nullable=False),
    sa.Column("time", INSTANT, nullable=False),
    sa.Column("correlation", sa.String, nullable=False),
    sa.Column("causation", sa.Uuid),
    sa.Column("traceparent", sa.String, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sqlite_autoincrement=True,  # a position is never given twice, also after a prune
)

inbox = sa.Table(
    "inbox",
    metadata,
    sa.Column("consumer_group", sa.String, primary_key=True),
    sa.Column("event", sa.Uuid, primary_key=True),
    sa.Column("heard_at", INSTANT, nullable=False),
    sa.Index("ix_inbox_heard_at", "heard_at"),
)

bus_cursors = sa.Table(
    "bus_cursors",
    metadata,
    sa.Column("consumer_group", sa.String, primary_key=True),
    sa.Column("position", sa.BigInteger, nullable=False),  # all up to here has been handled
)

work = sa.Table(
    "work",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("service", sa.String, nullable=False),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("share", sa.String, nullable=False),  # whose turn it uses up: the pipeline
    sa.Column("payload", sa.JSON, nullable=False),
    sa.Column("correlation", sa.String, nullable=False),
    sa.Column("traceparent", sa.String, nullable=False),
    sa.Column("state", sa.String, nullable=False),  # ready, claimed, done
    sa.Column("fence", sa.Integer, nullable=False),  # grows with every claim
    sa.Column("worker", sa.String),
    sa.Column("lease_until", INSTANT),
    sa.Column("attempts", sa.Integer, nullable=False),  # times it was handed back as not possible now
    sa.Column("not_before", INSTANT, nullable=False),
    sa.Column("cancel_reason", sa.String),
    sa.Column("created_at", INSTANT, nullable=False),
    sa.Column("finished_at", INSTANT),
    sa.Index(
        "ix_work_open",
        "service",
        "not_before",
        sqlite_where=sa.text("state <> 'done'"),
        postgresql_where=sa.text("state <> 'done'"),
    ),
)

attempt_logs = sa.Table(
    "attempt_logs",
    metadata,
    sa.Column("log", sa.String, primary_key=True),
    sa.Column("lines", sa.Integer, nullable=False),  # published so far
    sa.Column("closed", sa.Boolean, nullable=False),
)

# Messages that a group could not take, whole, so that they can be handed to it again.
dead_letters = sa.Table(
    "dead_letters",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),  # derived from group and event
    sa.Column("consumer_group", sa.String, nullable=False),
    sa.Column("event", sa.Uuid, nullable=False),
    sa.Column("type", sa.String, nullable=False),
    sa.Column("topic", sa.String, nullable=False),
    sa.Column("key", sa.String, nullable=False),
    sa.Column("subject", sa.String, nullable=False),
    sa.Column("source", sa.String, nullable=False),
    sa.Column("time", INSTANT, nullable=False),
    sa.Column("correlation", sa.String, nullable=False),
    sa.Column("causation", sa.Uuid),
    sa.Column("traceparent", sa.String, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("body_encoding", sa.String, nullable=False),  # "text", or "base64" of what is none
    sa.Column("headers", sa.JSON, nullable=False),
    sa.Column("origin", sa.String, nullable=False),
    sa.Column("position", sa.BigInteger, nullable=False),  # in the partition
    sa.Column("reason", sa.Text, nullable=False),  # of the last death
    sa.Column("attempts", sa.Integer, nullable=False),  # before the last death
    sa.Column("deaths", sa.Integer, nullable=False),
    sa.Column("died_at", INSTANT, nullable=False),  # the last time
    sa.Column("state", sa.String, nullable=False),  # shared/dead_letters/letter_state.py
    sa.Column("changed_at", INSTANT, nullable=False),
    sa.Column("changed_by", sa.String, nullable=False),  # who asked last; empty: nobody yet
    sa.Column("note", sa.Text, nullable=False),  # what they said, or why it was not done
    sa.Column("taken_until", INSTANT),  # a replica is handing it over, or died doing so
    sa.Index("ix_dead_letters_died_at", "died_at", "id"),
    sa.Index("ix_dead_letters_state", "state", "died_at", "id"),
)

data_folders = sa.Table(
    "data_folders",
    metadata,
    sa.Column("service", sa.String, primary_key=True),
    sa.Column("folder", sa.String, nullable=False),  # the identity of the one its processes live in
    sa.Column("host", sa.String, nullable=False),  # who noted it, for people
    sa.Column("noted_at", INSTANT, nullable=False),
)
