"""Soaks, and the services that are watched for as long as they are live."""

import sqlalchemy as sa
from alembic import op

from shared.db import INSTANT

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("verifications", sa.Column("soaks_until", INSTANT))
    op.add_column("verifications", sa.Column("restarts_when_met", sa.JSON()))
    op.add_column("runs", sa.Column("asked_by", sa.String()))
    op.add_column("runs", sa.Column("soaks_until", INSTANT))
    _add_watches()
    # Where an event of a type is rare, whoever asks for it does not read all others to find it.
    op.create_index("ix_status_history_type", "status_history", ["type", "sequence"])
    columns = ["pipeline", "type", "sequence", "key"]  # the key last: of one stage's it tells without the row
    op.create_index("ix_status_history_pipeline_type", "status_history", columns)


def downgrade() -> None:
    raise NotImplementedError("the way back is the copy of the data folder made before the upgrade")


def _add_watches() -> None:
    op.create_table(
        "watches",
        sa.Column("pipeline", sa.String(), nullable=False),
        sa.Column("stage", sa.String(), nullable=False),
        sa.Column("service", sa.String(), nullable=False),
        sa.Column("run", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("next_at", INSTANT, nullable=False),
        sa.Column("taken_at", INSTANT, nullable=False),
        sa.Column("lingers", sa.Boolean(), nullable=False),
        sa.Column("health", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("private_addresses", sa.Boolean(), nullable=False),
        sa.Column("target", sa.JSON(), nullable=False),
        sa.Column("seen_so_far", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("pipeline", "stage", "service", name=op.f("pk_watches")),
    )
    op.create_index("ix_watches_next_at", "watches", ["next_at"])
    op.create_index("ix_watches_taken_at", "watches", ["taken_at"])
    op.create_table(
        "watched_stages",
        sa.Column("pipeline", sa.String(), nullable=False),
        sa.Column("stage", sa.String(), nullable=False),
        sa.Column("busy_run", sa.Uuid()),
        sa.Column("run_position", sa.BigInteger()),
        sa.Column("run_at", INSTANT),
        sa.Column("success_position", sa.BigInteger()),
        sa.Column("success_at", INSTANT),
        sa.Column("alarm", sa.String()),
        sa.PrimaryKeyConstraint("pipeline", "stage", name=op.f("pk_watched_stages")),
    )
