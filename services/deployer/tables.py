"""The deployer's tables. Two partial unique indexes are the stage's lock and its one-slot queue."""

import sqlalchemy as sa

from services.deployer.run_state import HOLDS_LOCK, State
from services.deployer.step_state import ACTIVE
from shared.db import INSTANT, metadata

_LOCKING = ", ".join(f"'{state.value}'" for state in sorted(HOLDS_LOCK))
HOLDS_LOCK_SQL = sa.text(f"state IN ({_LOCKING})")
_ACTIVE = ", ".join(f"'{state.value}'" for state in sorted(ACTIVE))
ACTIVE_SQL = sa.text(f"state IN ({_ACTIVE})")
_URGENT = "('rollback', 'roll_forward')"  # kinds that a person asked for past the queue
WAITS_SQL = sa.text(f"state = '{State.NOT_STARTED.value}' AND ready AND kind NOT IN {_URGENT}")
WAITS_ALONE_SQL = sa.text(f"{WAITS_SQL.text} AND NOT in_line")
URGENT_SQL = sa.text(f"state = '{State.NOT_STARTED.value}' AND kind IN {_URGENT}")

stages = sa.Table(
    "stages",
    metadata,
    sa.Column("key", sa.String, primary_key=True),  # pipeline/stage
    sa.Column("pipeline", sa.String, nullable=False, index=True),
    sa.Column("stage", sa.String, nullable=False),
    sa.Column("place", sa.Integer, nullable=False),  # in the newest plan, from 0
    sa.Column("in_plan", sa.Boolean, nullable=False, server_default=sa.true()),  # the plan in force has it
    sa.Column("target", sa.String, nullable=False),
    sa.Column("alarm", sa.String, index=True),  # what rolls back what runs here while it fires
    sa.Column("queue", sa.String, nullable=False, server_default="newest"),  # or fifo: the newest plan
    sa.Column("newest_run", sa.Uuid),  # the high-water mark: the newest revision ever ready here
    sa.Column("newest_revision", sa.Integer),
)

revisions = sa.Table(
    "revisions",
    metadata,
    sa.Column("pipeline", sa.String, primary_key=True),
    sa.Column("revision", sa.Integer, primary_key=True),
    sa.Column("commit", sa.String, nullable=False),
    sa.Column("plan_hash", sa.String, nullable=False),
    sa.Column("plan", sa.Text, nullable=False),  # its canonical JSON
    sa.Column("planned_at", INSTANT, nullable=False),
    sa.Column("pusher", sa.String),  # who asked for it
    sa.Column("deadline_at", INSTANT),  # of its whole way through the stages, once it has begun
    sa.Column("held_for", sa.JSON),  # the changes of the pipeline file that somebody must approve; null: none
    sa.Column("let_through_at", INSTANT),  # nothing of the pipeline file keeps it, or somebody approved it
    sa.Index(
        "ix_revisions_deadline",
        "deadline_at",
        sqlite_where=sa.text("deadline_at IS NOT NULL"),
        postgresql_where=sa.text("deadline_at IS NOT NULL"),
    ),
)

artifacts = sa.Table(
    "revision_artifacts",
    metadata,
    sa.Column("pipeline", sa.String, primary_key=True),
    sa.Column("revision", sa.Integer, primary_key=True),
    sa.Column("artifact", sa.String, primary_key=True),
    sa.Column("state", sa.String, nullable=False),
    sa.Column("request", sa.Uuid, unique=True),
    sa.Column("digest", sa.String),  # pinned: what every stage and every rollback deploys
    sa.Column("evidence", sa.JSON),
)

runs = sa.Table(
    "runs",
    metadata,
    sa.Column("run", sa.Uuid, primary_key=True),
    sa.Column("pipeline", sa.String, nullable=False),
    sa.Column("stage", sa.String, nullable=False),
    sa.Column("stage_key", sa.String, nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("state", sa.String, nullable=False),
    sa.Column("ready", sa.Boolean, nullable=False),  # came through the stage before: may wait here
    sa.Column("in_line", sa.Boolean, nullable=False, server_default=sa.false()),  # one of many: fifo
    sa.Column("comes_after", sa.String),  # the key of the stage before this one in the run's own plan
    sa.Column("wait", sa.JSON),
    sa.Column("wakes_at", INSTANT),  # when a waiting run is looked at again though nothing happened
    sa.Column("again_of", sa.Uuid),  # a retry: the run that is tried again
    sa.Column("keeps", sa.Boolean),  # a retry: what succeeded in that run is not done again
    sa.Column("version", sa.Integer, nullable=False),  # grows with every write: roles of its events
    sa.Column("created_at", INSTANT, nullable=False),
    sa.Column("started_at", INSTANT),
    sa.Column("deadline_at", INSTANT),
    sa.Column("still_since", INSTANT),  # it waits at a gate: its deadline stands still
    sa.Column("finished_at", INSTANT),
    sa.Column("verification", sa.Uuid),
    sa.Column("verification_state", sa.String, nullable=False),
    sa.Column("verification_evidence", sa.JSON),
    sa.Column("cancel_actor", sa.String),
    sa.Column("cancel_reason", sa.String),
    sa.Column("undo", sa.Boolean),  # an alarm ended it: whatever it had done is rolled back
    sa.Column("ended_along", sa.Boolean),  # unbegun, with the run before it: it comes back with that one
    sa.Column("asked_by", sa.String),  # the person who asked for it
    sa.Column("soaks_until", INSTANT),  # what it deployed met its criteria and is watched until then
    sa.Index(
        "one_run_holds_the_lock",
        "stage_key",
        unique=True,
        sqlite_where=HOLDS_LOCK_SQL,
        postgresql_where=HOLDS_LOCK_SQL,
    ),
    sa.Index(
        "one_run_waits",
        "stage_key",
        unique=True,
        sqlite_where=WAITS_ALONE_SQL,
        postgresql_where=WAITS_ALONE_SQL,
    ),
    sa.Index("ix_runs_waiting", "stage_key", sqlite_where=WAITS_SQL, postgresql_where=WAITS_SQL),
    sa.Index(
        "one_run_is_urgent", "stage_key", unique=True, sqlite_where=URGENT_SQL, postgresql_where=URGENT_SQL
    ),
    sa.Index("ix_runs_pipeline_state", "pipeline", "state"),
    sa.Index("ix_runs_pipeline_revision", "pipeline", "revision"),
    sa.Index("ix_runs_stage_finished", "stage_key", "finished_at"),
)

steps = sa.Table(
    "steps",
    metadata,
    sa.Column("run", sa.Uuid, primary_key=True),
    sa.Column("step", sa.String, primary_key=True),
    sa.Column("state", sa.String, nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("deadline_at", INSTANT),
    sa.Column("targets", sa.JSON),  # its candidate's addresses, once it is up
    sa.Column("verification", sa.Uuid),
    sa.Column("verification_state", sa.String, nullable=False),
    sa.Column("outcome", sa.String),  # how it ends once its worker has stopped or discarded
    sa.Column("outcome_reason", sa.String),
    sa.Column("given", sa.JSON),  # a gate: what people said there
    sa.Column("waits_since", INSTANT),  # a gate that it came to after it ran
    sa.Column("shown", sa.JSON),  # what people look at there: a test's results, or proposed changes
    sa.Column("outputs", sa.JSON),
    sa.Column("evidence", sa.JSON),
    sa.Column("started_at", INSTANT),
    sa.Column("finished_at", INSTANT),
    sa.Index("ix_steps_active", "deadline_at", sqlite_where=ACTIVE_SQL, postgresql_where=ACTIVE_SQL),
)

stops = sa.Table(
    "stops",
    metadata,
    sa.Column("key", sa.String, primary_key=True),  # pipeline/stage, or pipeline/* for all of them
    sa.Column("actor", sa.String, nullable=False),
    sa.Column("reason", sa.String, nullable=False),
    sa.Column("since", INSTANT, nullable=False),
)

blockers = sa.Table(
    "blockers",
    metadata,
    sa.Column("stage_key", sa.String, primary_key=True),
    sa.Column("name", sa.String, primary_key=True),  # "alarm shop-5xx"
    sa.Column("reason", sa.String, nullable=False),
    sa.Column("released_by", sa.String, nullable=False),
    sa.Column("since", INSTANT, nullable=False),
    sa.Column("ends_at", INSTANT),  # it is over, and keeps the stage closed until then all the same
)

alarms = sa.Table(
    "alarms",
    metadata,
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("state", sa.String, nullable=False),  # as it was last known: firing or clear
    sa.Column("reason", sa.String, nullable=False),
    sa.Column("since", INSTANT, nullable=False),
)

overrides = sa.Table(
    "window_overrides",
    metadata,
    sa.Column("stage_key", sa.String, primary_key=True),
    sa.Column("until", INSTANT, nullable=False),
    sa.Column("actor", sa.String, nullable=False),
    sa.Column("reason", sa.String, nullable=False),
)

holds = sa.Table(
    "holds",
    metadata,
    sa.Column("stage_key", sa.String, primary_key=True),
    sa.Column("revision", sa.Integer, primary_key=True),
    sa.Column("reason", sa.String, nullable=False),
    sa.Column("held_at", INSTANT, nullable=False),
)
