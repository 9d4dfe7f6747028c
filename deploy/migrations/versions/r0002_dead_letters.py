"""Dead letters whole, so that they can be handed over again; they were views without a body."""

import sqlalchemy as sa
from alembic import op

from shared.db import INSTANT

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "dead_letters",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("consumer_group", sa.String(), nullable=False),
        sa.Column("event", sa.Uuid(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("topic", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("time", INSTANT, nullable=False),
        sa.Column("correlation", sa.String(), nullable=False),
        sa.Column("causation", sa.Uuid(), nullable=True),
        sa.Column("traceparent", sa.String(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("body_encoding", sa.String(), nullable=False),
        sa.Column("headers", sa.JSON(), nullable=False),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("deaths", sa.Integer(), nullable=False),
        sa.Column("died_at", INSTANT, nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("changed_at", INSTANT, nullable=False),
        sa.Column("changed_by", sa.String(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("taken_until", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dead_letters")),
    )
    op.create_index("ix_dead_letters_died_at", "dead_letters", ["died_at", "id"], unique=False)
    op.create_index("ix_dead_letters_state", "dead_letters", ["state", "died_at", "id"], unique=False)
    op.execute("DELETE FROM status_views WHERE kind = 'dead_letter'")


def downgrade() -> None:
    raise NotImplementedError("the way back is the copy of the data folder made before the upgrade")
