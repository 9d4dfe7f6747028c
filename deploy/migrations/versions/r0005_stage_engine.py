"""Operations on stages, gates, attempts and the deployment's own time limit."""

import sqlalchemy as sa
from alembic import op

from shared.db import INSTANT

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

URGENT = "('rollback', 'roll_forward')"
WAITS = f"state = 'Not Started' AND ready AND kind NOT IN {URGENT}"
IS_URGENT = f"state = 'Not Started' AND kind IN {URGENT}"
WAITS_ALONE = f"{WAITS} AND NOT in_line"
ACTIVE = (
    "state IN ('Applying', 'Backing Off', 'Discarding', 'Doubtful', 'Running', 'Switching', 'Verifying', "
    "'Waiting')"
)


def upgrade() -> None:
    _add_columns()
    _add_tables()
    _let_through()
    _index("ix_revisions_deadline", "revisions", "deadline_at", "deadline_at IS NOT NULL", unique=False)
    op.drop_index("one_run_waits", table_name="runs")
    _index("one_run_waits", "runs", "stage_key", WAITS_ALONE, unique=True)
    _index("ix_runs_waiting", "runs", "stage_key", WAITS, unique=False)
    _index("one_run_is_urgent", "runs", "stage_key", IS_URGENT, unique=True)
    op.drop_index("ix_steps_active", table_name="steps")
    _index("ix_steps_active", "steps", "deadline_at", ACTIVE, unique=False)


def _let_through() -> None:
    """Say of every revision there is that nothing of its pipeline file keeps it: nothing was asked before."""
    op.execute("UPDATE revisions SET let_through_at = planned_at")


def downgrade() -> None:
    raise NotImplementedError("the way back is the copy of the data folder made before the upgrade")


def _add_columns() -> None:
    with op.batch_alter_table("runs") as runs:
        runs.add_column(sa.Column("wakes_at", INSTANT))
        runs.add_column(sa.Column("again_of", sa.Uuid()))
        runs.add_column(sa.Column("keeps", sa.Boolean()))
        runs.add_column(sa.Column("still_since", INSTANT))
        runs.add_column(sa.Column("undo", sa.Boolean()))
        runs.add_column(sa.Column("ended_along", sa.Boolean()))
        runs.add_column(sa.Column("in_line", sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table("stages") as stages:
        stages.add_column(sa.Column("alarm", sa.String()))
        stages.add_column(sa.Column("in_plan", sa.Boolean(), nullable=False, server_default=sa.true()))
        stages.add_column(sa.Column("queue", sa.String(), nullable=False, server_default="newest"))
        stages.create_index(op.f("ix_stages_alarm"), ["alarm"])
    with op.batch_alter_table("steps") as steps:
        steps.add_column(sa.Column("given", sa.JSON()))
        steps.add_column(sa.Column("waits_since", INSTANT))
        steps.add_column(sa.Column("shown", sa.JSON()))
    with op.batch_alter_table("revisions") as revisions:
        revisions.add_column(sa.Column("pusher", sa.String()))
        revisions.add_column(sa.Column("deadline_at", INSTANT))
        revisions.add_column(sa.Column("held_for", sa.JSON()))
        revisions.add_column(sa.Column("let_through_at", INSTANT))
    with op.batch_alter_table("access_tokens") as access_tokens:
        access_tokens.add_column(sa.Column("alarm", sa.String()))
        access_tokens.add_column(sa.Column("granted_by", sa.String()))
    with op.batch_alter_table("ingest_pipelines") as pipelines:
        pipelines.add_column(sa.Column("alarms", sa.JSON()))


def _add_tables() -> None:
    op.create_table(
        "stops",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("since", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_stops")),
    )
    op.create_table(
        "blockers",
        sa.Column("stage_key", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("released_by", sa.String(), nullable=False),
        sa.Column("since", INSTANT, nullable=False),
        sa.Column("ends_at", INSTANT),
        sa.PrimaryKeyConstraint("stage_key", "name", name=op.f("pk_blockers")),
    )
    op.create_table(
        "alarms",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("since", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_alarms")),
    )
    op.create_table(
        "ingest_alarms",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("event", sa.Uuid(), nullable=False),
        sa.Column("told_at", INSTANT, nullable=False),
        sa.Column("named", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_ingest_alarms")),
    )
    op.create_table(
        "window_overrides",
        sa.Column("stage_key", sa.String(), nullable=False),
        sa.Column("until", INSTANT, nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("stage_key", name=op.f("pk_window_overrides")),
    )


def _index(name: str, table: str, column: str, where: str, *, unique: bool) -> None:
    condition = sa.text(where)
    op.create_index(name, table, [column], unique=unique, sqlite_where=condition, postgresql_where=condition)
