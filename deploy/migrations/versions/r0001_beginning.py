"""Every table there was at the beginning."""

import sqlalchemy as sa
from alembic import op

from shared.db import INSTANT

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:  # noqa: PLR0915 - a list, read once
    op.create_table(
        "access_tokens",
        sa.Column("token_sha256", sa.String(length=64), nullable=False),
        sa.Column("holder", sa.String(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("token_sha256", name=op.f("pk_access_tokens")),
        sa.UniqueConstraint("holder", name=op.f("uq_access_tokens_holder")),
    )
    op.create_table(
        "artifacts",
        sa.Column("build_key", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("built_by", sa.Integer(), nullable=False),
        sa.Column("duration_seconds", sa.Float(), nullable=False),
        sa.Column("log", sa.String(), nullable=False),
        sa.Column("built_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("build_key", name=op.f("pk_artifacts")),
    )
    op.create_table(
        "attempt_logs",
        sa.Column("log", sa.String(), nullable=False),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("closed", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("log", name=op.f("pk_attempt_logs")),
    )
    op.create_table(
        "build_requests",
        sa.Column("request", sa.Uuid(), nullable=False),
        sa.Column("build_key", sa.String(), nullable=False),
        sa.Column("pipeline", sa.String(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("artifact", sa.String(), nullable=False),
        sa.Column("answered", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("request", name=op.f("pk_build_requests")),
    )
    op.create_index(
        "ix_build_requests_open",
        "build_requests",
        ["build_key"],
        unique=False,
        sqlite_where=sa.text("NOT answered"),
        postgresql_where=sa.text("NOT answered"),
    )
    op.create_table(
        "builds",
        sa.Column("build_key", sa.String(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("order", sa.JSON(), nullable=False),
        sa.Column("began_at", INSTANT, nullable=False),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("build_key", "attempt", name=op.f("pk_builds")),
    )
    op.create_index(
        "one_build_of_a_key",
        "builds",
        ["build_key"],
        unique=True,
        sqlite_where=sa.text("state = 'building'"),
        postgresql_where=sa.text("state = 'building'"),
    )
    op.create_table(
        "bus_cursors",
        sa.Column("consumer_group", sa.String(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("consumer_group", name=op.f("pk_bus_cursors")),
    )
    op.create_table(
        "decisions",
        sa.Column("push", sa.Uuid(), nullable=False),
        sa.Column("pipeline", sa.String(), nullable=False),
        sa.Column("decision", sa.String(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=True),
        sa.Column("decided_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("push", "pipeline", name=op.f("pk_decisions")),
    )
    op.create_table(
        "holds",
        sa.Column("stage_key", sa.String(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("held_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("stage_key", "revision", name=op.f("pk_holds")),
    )
    op.create_table(
        "inbox",
        sa.Column("consumer_group", sa.String(), nullable=False),
        sa.Column("event", sa.Uuid(), nullable=False),
        sa.Column("heard_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("consumer_group", "event", name=op.f("pk_inbox")),
    )
    op.create_index("ix_inbox_heard_at", "inbox", ["heard_at"], unique=False)
    op.create_table(
        "ingest_deliveries",
        sa.Column("repository", sa.String(), nullable=False),
        sa.Column("delivery", sa.String(), nullable=False),
        sa.Column("body_sha256", sa.String(length=64), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("answer", sa.JSON(), nullable=False),
        sa.Column("received_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("repository", "delivery", name=op.f("pk_ingest_deliveries")),
    )
    op.create_index(
        op.f("ix_ingest_deliveries_received_at"), "ingest_deliveries", ["received_at"], unique=False
    )
    op.create_table(
        "ingest_pipelines",
        sa.Column("pipeline", sa.String(), nullable=False),
        sa.Column("repository", sa.String(), nullable=False),
        sa.Column("branch", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("pipeline", name=op.f("pk_ingest_pipelines")),
    )
    op.create_index(op.f("ix_ingest_pipelines_repository"), "ingest_pipelines", ["repository"], unique=False)
    op.create_table(
        "ingest_pushes",
        sa.Column("repository", sa.String(), nullable=False),
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("commit", sa.String(length=64), nullable=False),
        sa.Column("push", sa.Uuid(), nullable=False),
        sa.Column("received_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("repository", "ref", "commit", name=op.f("pk_ingest_pushes")),
    )
    op.create_index(op.f("ix_ingest_pushes_received_at"), "ingest_pushes", ["received_at"], unique=False)
    op.create_table(
        "ingest_repositories",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("remote", sa.String(), nullable=False),
        sa.Column("branch", sa.String(), nullable=True),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_ingest_repositories")),
        sa.UniqueConstraint("remote", name=op.f("uq_ingest_repositories_remote")),
    )
    op.create_table(
        "outbox",
        sa.Column("position", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
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
        sa.PrimaryKeyConstraint("position", name=op.f("pk_outbox")),
        sa.UniqueConstraint("id", name=op.f("uq_outbox_id")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "pipelines",
        sa.Column("pipeline", sa.String(), nullable=False),
        sa.Column("repository", sa.String(), nullable=False),
        sa.Column("tracks", sa.String(), nullable=False),
        sa.Column("newest_revision", sa.Integer(), nullable=False),
        sa.Column("newest_commit", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("pipeline", name=op.f("pk_pipelines")),
    )
    op.create_table(
        "plans",
        sa.Column("plan_hash", sa.String(), nullable=False),
        sa.Column("plan", sa.Text(), nullable=False),
        sa.Column("planned_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("plan_hash", name=op.f("pk_plans")),
    )
    op.create_table(
        "revision_artifacts",
        sa.Column("pipeline", sa.String(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("artifact", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("request", sa.Uuid(), nullable=True),
        sa.Column("digest", sa.String(), nullable=True),
        sa.Column("evidence", sa.JSON(), nullable=True),
        sa.PrimaryKeyConstraint("pipeline", "revision", "artifact", name=op.f("pk_revision_artifacts")),
        sa.UniqueConstraint("request", name=op.f("uq_revision_artifacts_request")),
    )
    op.create_table(
        "revisions",
        sa.Column("pipeline", sa.String(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("commit", sa.String(), nullable=False),
        sa.Column("plan_hash", sa.String(), nullable=False),
        sa.Column("plan", sa.Text(), nullable=False),
        sa.Column("planned_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("pipeline", "revision", name=op.f("pk_revisions")),
    )
    op.create_table(
        "runs",
        sa.Column("run", sa.Uuid(), nullable=False),
        sa.Column("pipeline", sa.String(), nullable=False),
        sa.Column("stage", sa.String(), nullable=False),
        sa.Column("stage_key", sa.String(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("ready", sa.Boolean(), nullable=False),
        sa.Column("comes_after", sa.String(), nullable=True),
        sa.Column("wait", sa.JSON(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("started_at", INSTANT, nullable=True),
        sa.Column("deadline_at", INSTANT, nullable=True),
        sa.Column("finished_at", INSTANT, nullable=True),
        sa.Column("verification", sa.Uuid(), nullable=True),
        sa.Column("verification_state", sa.String(), nullable=False),
        sa.Column("verification_evidence", sa.JSON(), nullable=True),
        sa.Column("cancel_actor", sa.String(), nullable=True),
        sa.Column("cancel_reason", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("run", name=op.f("pk_runs")),
    )
    op.create_index("ix_runs_pipeline_revision", "runs", ["pipeline", "revision"], unique=False)
    op.create_index("ix_runs_pipeline_state", "runs", ["pipeline", "state"], unique=False)
    op.create_index("ix_runs_stage_finished", "runs", ["stage_key", "finished_at"], unique=False)
    op.create_index(
        "one_run_holds_the_lock",
        "runs",
        ["stage_key"],
        unique=True,
        sqlite_where=sa.text("state IN ('Cancelling', 'In Progress', 'Rolling Back', 'Rolling Forward')"),
        postgresql_where=sa.text("state IN ('Cancelling', 'In Progress', 'Rolling Back', 'Rolling Forward')"),
    )
    op.create_index(
        "one_run_waits",
        "runs",
        ["stage_key"],
        unique=True,
        sqlite_where=sa.text("state = 'Not Started' AND ready"),
        postgresql_where=sa.text("state = 'Not Started' AND ready"),
    )
    op.create_table(
        "stages",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("pipeline", sa.String(), nullable=False),
        sa.Column("stage", sa.String(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("target", sa.String(), nullable=False),
        sa.Column("newest_run", sa.Uuid(), nullable=True),
        sa.Column("newest_revision", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_stages")),
    )
    op.create_index(op.f("ix_stages_pipeline"), "stages", ["pipeline"], unique=False)
    op.create_table(
        "status_history",
        sa.Column("sequence", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("topic", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("pipeline", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("time", INSTANT, nullable=False),
        sa.Column("correlation", sa.String(), nullable=False),
        sa.Column("causation", sa.Uuid(), nullable=True),
        sa.Column("traceparent", sa.String(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_status_history")),
        sa.UniqueConstraint("id", name=op.f("uq_status_history_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_status_history_correlation", "status_history", ["correlation", "sequence"], unique=False
    )
    op.create_index("ix_status_history_key", "status_history", ["key", "sequence"], unique=False)
    op.create_index("ix_status_history_pipeline", "status_history", ["pipeline", "sequence"], unique=False)
    op.create_table(
        "status_log_chunks",
        sa.Column("sequence", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("log", sa.String(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("time", INSTANT, nullable=False),
        sa.Column("correlation", sa.String(), nullable=False),
        sa.Column("stage", sa.String(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_status_log_chunks")),
        sa.UniqueConstraint("id", name=op.f("uq_status_log_chunks_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_status_log_chunks_correlation", "status_log_chunks", ["correlation", "sequence"], unique=False
    )
    op.create_index("ix_status_log_chunks_log", "status_log_chunks", ["log", "sequence"], unique=False)
    op.create_table(
        "status_operations",
        sa.Column("operation", sa.Uuid(), nullable=False),
        sa.Column("event", sa.Uuid(), nullable=False),
        sa.Column("asked_sha256", sa.String(length=64), nullable=False),
        sa.Column("asked_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("operation", name=op.f("pk_status_operations")),
    )
    op.create_table(
        "status_views",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("about", sa.String(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_status_views")),
    )
    op.create_index("ix_status_views_about", "status_views", ["kind", "about", "number", "id"], unique=False)
    op.create_index("ix_status_views_scope", "status_views", ["kind", "scope", "number", "id"], unique=False)
    op.create_table(
        "steps",
        sa.Column("run", sa.Uuid(), nullable=False),
        sa.Column("step", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("deadline_at", INSTANT, nullable=True),
        sa.Column("targets", sa.JSON(), nullable=True),
        sa.Column("verification", sa.Uuid(), nullable=True),
        sa.Column("verification_state", sa.String(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.Column("outcome_reason", sa.String(), nullable=True),
        sa.Column("outputs", sa.JSON(), nullable=True),
        sa.Column("evidence", sa.JSON(), nullable=True),
        sa.Column("started_at", INSTANT, nullable=True),
        sa.Column("finished_at", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("run", "step", name=op.f("pk_steps")),
    )
    op.create_index(
        "ix_steps_active",
        "steps",
        ["deadline_at"],
        unique=False,
        sqlite_where=sa.text("state IN ('Discarding', 'Running', 'Switching', 'Verifying')"),
        postgresql_where=sa.text("state IN ('Discarding', 'Running', 'Switching', 'Verifying')"),
    )
    op.create_table(
        "verifications",
        sa.Column("verification", sa.Uuid(), nullable=False),
        sa.Column("run", sa.Uuid(), nullable=False),
        sa.Column("work", sa.Uuid(), nullable=False),
        sa.Column("asked_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("verification", name=op.f("pk_verifications")),
    )
    op.create_index(op.f("ix_verifications_run"), "verifications", ["run"], unique=False)
    op.create_table(
        "work",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("service", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("share", sa.String(), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("correlation", sa.String(), nullable=False),
        sa.Column("traceparent", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("worker", sa.String(), nullable=True),
        sa.Column("lease_until", INSTANT, nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("not_before", INSTANT, nullable=False),
        sa.Column("cancel_reason", sa.String(), nullable=True),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("finished_at", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_work")),
    )
    op.create_index(
        "ix_work_open",
        "work",
        ["service", "not_before"],
        unique=False,
        sqlite_where=sa.text("state <> 'done'"),
        postgresql_where=sa.text("state <> 'done'"),
    )


def downgrade() -> None:
    raise NotImplementedError("the way back is the copy of the data folder made before the upgrade")
