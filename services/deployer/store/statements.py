"""What the deployer asks of its tables, as statements built once: building one costs more than running it."""

import sqlalchemy as sa

from services.deployer import tables
from services.deployer.run_course import ArtifactState
from services.deployer.run_state import LIVE, TERMINAL, State

PAST_RUNS_MAX = 200  # good ends looked through for something to roll back to
NUMBERS_MAX = 100  # revisions looked through for one to roll forward to

_arg = sa.bindparam
_stages, _revisions, _artifacts = tables.stages.c, tables.revisions.c, tables.artifacts.c
_runs, _steps, _holds = tables.runs.c, tables.steps.c, tables.holds.c
_OPEN = [state.value for state in State if state not in TERMINAL]
_GOOD = [state.value for state in LIVE]

STAGES = sa.select(tables.stages).where(_stages.pipeline == _arg("of")).order_by(_stages.key)
MOVE_STAGE = sa.update(tables.stages).where(
    _stages.key == _arg("this"),
    sa.or_(
        _stages.place != _arg("at"),
        _stages.target != _arg("on"),
        sa.func.coalesce(_stages.alarm, "") != _arg("under"),
    ),
)
FORGET_ALARMS = sa.update(tables.stages).where(
    _stages.pipeline == _arg("of"),
    tables.stages.c.alarm.is_not(None),
    _stages.stage.not_in(_arg("these", expanding=True)),
)
RAISE_NEWEST = sa.update(tables.stages).where(_stages.key == _arg("this"))
REVISION = sa.select(
    _revisions.commit, _revisions.plan_hash, _revisions.pusher, _revisions.deadline_at
).where(_revisions.pipeline == _arg("of"), _revisions.revision == _arg("number"))
LIMIT_REVISION = sa.update(tables.revisions).where(
    _revisions.pipeline == _arg("of"), _revisions.revision == _arg("number")
)
PLAN = sa.select(_revisions.plan).where(
    _revisions.pipeline == _arg("of"), _revisions.revision == _arg("number")
)
RUN = sa.select(tables.runs).where(_runs.run == _arg("this"))
OPEN_RUNS = (
    sa.select(tables.runs)
    .where(_runs.pipeline == _arg("of"), _runs.state.in_(_OPEN))
    .order_by(_runs.revision)
)
DEPLOY_RUNS = (  # a retry takes its run's place
    sa.select(tables.runs)
    .where(
        _runs.pipeline == _arg("of"), _runs.revision == _arg("number"), _runs.kind.in_(("deploy", "retry"))
    )
    .order_by(_runs.created_at)
)
_before = tables.runs.alias("before")
STAGES_BEFORE = (
    sa.select(_runs.run, _before.c.stage, _before.c.state)
    .where(
        _runs.pipeline == _arg("of"),
        tables.runs.c.state == State.NOT_STARTED.value,
        _before.c.pipeline == _runs.pipeline,
        _before.c.revision == _runs.revision,
        _before.c.stage_key == _runs.comes_after,
        _before.c.kind.in_(("deploy", "retry", "roll_forward")),
    )
    .order_by(_before.c.created_at)
)
GOOD_ENDS = (
    sa.select(_runs.run, _runs.revision, _runs.state)
    .where(_runs.stage_key == _arg("here"), _runs.state.in_(_GOOD))
    .order_by(_runs.finished_at.desc(), _runs.revision.desc())
    .limit(PAST_RUNS_MAX)
)
LAST_RUN = (
    sa.select(tables.runs)
    .where(
        _runs.stage_key == _arg("here"),
        _runs.finished_at.is_not(None),
        tables.runs.c.state != State.SUPERSEDED.value,
    )
    .order_by(_runs.finished_at.desc(), _runs.created_at.desc())
    .limit(1)
)
LAST_BEGUN = LAST_RUN.where(_runs.started_at.is_not(None))
NUMBERS = (
    sa.select(_revisions.revision)
    .where(_revisions.pipeline == _arg("of"))
    .order_by(_revisions.revision.desc())
    .limit(NUMBERS_MAX)
)
GOOD_RUN = (
    sa.select(_runs.run)
    .where(_runs.stage_key == _arg("here"), _runs.revision == _arg("number"), _runs.state.in_(_GOOD))
    .order_by(_runs.finished_at.desc())
    .limit(1)
)
CHANGE_RUN = sa.update(tables.runs).where(_runs.run == _arg("this"), tables.runs.c.state == _arg("was"))
HELD = sa.select(_holds.revision).where(_holds.stage_key == _arg("here"))
STEPS = sa.select(tables.steps).where(_steps.run == _arg("of"))
CHANGE_STEP = sa.update(tables.steps).where(
    _steps.run == _arg("of"), _steps.step == _arg("this"), tables.steps.c.state == _arg("was")
)
ARTIFACTS = sa.select(tables.artifacts).where(
    _artifacts.pipeline == _arg("of"), _artifacts.revision == _arg("number")
)
ASK_FOR_ARTIFACT = sa.update(tables.artifacts).where(
    _artifacts.pipeline == _arg("of"),
    _artifacts.revision == _arg("number"),
    _artifacts.artifact == _arg("this"),
)
ANSWER_REQUEST = sa.update(tables.artifacts).where(
    _artifacts.request == _arg("asked"), tables.artifacts.c.state == ArtifactState.REQUESTED.value
)
FORGET_UNBUILT = (
    sa.update(tables.artifacts)
    .where(
        _artifacts.pipeline == _arg("of"),
        _artifacts.revision == _arg("number"),
        tables.artifacts.c.state != ArtifactState.BUILT.value,
    )
    .values(state=ArtifactState.PENDING.value, request=sa.null(), evidence=sa.null())
)
# The conditions of the partial indexes, as they stand there: only so are the indexes used.
_here = sa.select(_runs.run).where(_runs.stage_key == _stages.key)
AT_WORK = (
    sa.select(_stages.pipeline)
    .where(
        sa.or_(
            _here.where(tables.HOLDS_LOCK_SQL).exists(),
            _here.where(tables.WAITS_SQL).exists(),
            _here.where(tables.URGENT_SQL).exists(),
        )
    )
    .distinct()
)
NEXT_LIMITS = (
    sa.select(sa.func.min(_runs.deadline_at)).where(tables.HOLDS_LOCK_SQL, _runs.deadline_at > _arg("after")),
    sa.select(sa.func.min(_steps.deadline_at)).where(tables.ACTIVE_SQL, _steps.deadline_at > _arg("after")),
    sa.select(sa.func.min(_runs.wakes_at)).where(tables.WAITS_SQL, _runs.wakes_at > _arg("after")),
)
