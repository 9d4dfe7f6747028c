"""What the deployer asks of its tables, as statements built once: building one costs more than running it."""

import sqlalchemy as sa

from services.deployer import tables
from services.deployer.run_picture import ArtifactState
from services.deployer.run_state import LIVE, RETRIED, TERMINAL, State

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
        tables.stages.c.queue != _arg("by"),
        sa.not_(tables.stages.c.in_plan),
    ),
)
DROP_STAGES = sa.update(tables.stages).where(
    _stages.pipeline == _arg("of"), _stages.stage.not_in(_arg("these", expanding=True))
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
_of_run = sa.and_(_revisions.pipeline == _runs.pipeline, _revisions.revision == _runs.revision)
OPEN_RUNS = (  # and of the revision of each what else is asked for one by one
    sa.select(
        tables.runs,
        _revisions.deadline_at.label("moment"),
        _revisions.commit,
        _revisions.plan_hash,
        _revisions.pusher,
    )
    .outerjoin(tables.revisions, _of_run)
    .where(_runs.pipeline == _arg("of"), _runs.state.in_(_OPEN))
)
# Two runs may be made, or end, at the same instant: then whichever is still open came later, and of two that
# are over the one that people asked for. What is left is decided by the run's id, so that it is decided.
_open_last = _runs.finished_at.is_(None)
DEPLOY_RUNS = (  # a retry takes its run's place
    sa.select(tables.runs)
    .where(
        _runs.pipeline == _arg("of"), _runs.revision == _arg("number"), _runs.kind.in_(("deploy", "retry"))
    )
    .order_by(_runs.created_at, _open_last, _runs.finished_at, _runs.kind, _runs.run)
)
_before = tables.runs.alias("before")
STAGES_BEFORE = (
    sa.select(_runs.run, _before.c.stage, _before.c.state)
    .where(
        _runs.pipeline == _arg("of"),
        tables.runs.c.state == State.NOT_STARTED.value,
        _before.c.pipeline == _runs.pipeline,
        _before.c.revision == _runs.revision,
        sa.func.coalesce(_before.c.stage_key, "") == _runs.comes_after,  # by revision: a stage has had many
        _before.c.kind.in_(("deploy", "retry", "roll_forward")),
    )
    .order_by(
        _before.c.created_at,
        _before.c.finished_at.is_(None),
        _before.c.finished_at,
        _before.c.kind,
        _before.c.run,
    )
)
_LATEST_END = (
    _runs.finished_at.desc(),
    _runs.started_at.desc(),
    _runs.created_at.desc(),
    _runs.kind.desc(),
    _runs.revision.desc(),
    _runs.run.desc(),
)
GOOD_ENDS = (
    sa.select(_runs.run, _runs.revision, _runs.state)
    .where(_runs.stage_key == _arg("here"), _runs.state.in_(_GOOD))
    .order_by(*_LATEST_END)
    .limit(PAST_RUNS_MAX)
)
_good = tables.runs.alias("good")
_last_good = (
    sa.select(sa.func.max(_good.c.finished_at))
    .where(_good.c.stage_key == _arg("here"), _good.c.state.in_(_GOOD))
    .scalar_subquery()
)
BAD_ENDS = (  # of runs that began after the last good one
    sa.select(tables.runs)
    .where(
        _runs.stage_key == _arg("here"),
        tables.runs.c.state.in_([state.value for state in RETRIED]),
        sa.or_(_last_good.is_(None), _runs.started_at >= _last_good),
        _runs.started_at.is_not(None),
    )
    .order_by(*_LATEST_END)
    .limit(PAST_RUNS_MAX)
)
LAST_RUN = (
    sa.select(tables.runs)
    .where(
        _runs.stage_key == _arg("here"),
        _runs.finished_at.is_not(None),
        tables.runs.c.state != State.SUPERSEDED.value,
    )
    .order_by(*_LATEST_END)
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
    .order_by(*_LATEST_END)
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
_withheld = sa.select(_runs.run).where(  # of a revision that has not begun its way; `RunRecord.is_withheld`
    _runs.pipeline == _stages.pipeline,
    tables.runs.c.state == State.NOT_STARTED.value,
    _runs.kind.in_(("deploy", "retry")),
    _runs.comes_after.is_(None),
    sa.not_(_runs.ready),
)
_limited = (  # a run that has not begun, of a deployment that has a limit
    sa.select(_runs.run)
    .join(tables.revisions, _of_run)
    .where(tables.runs.c.state == State.NOT_STARTED.value, _revisions.deadline_at.is_not(None))
)
AT_WORK = (
    sa.select(_stages.pipeline)
    .where(
        sa.or_(
            _here.where(tables.HOLDS_LOCK_SQL).exists(),
            _here.where(tables.WAITS_SQL).exists(),
            _here.where(tables.URGENT_SQL).exists(),
            _withheld.exists(),
            _limited.where(_runs.pipeline == _stages.pipeline).exists(),
        )
    )
    .distinct()
)
NEXT_LIMITS = (
    sa.select(sa.func.min(_runs.deadline_at)).where(tables.HOLDS_LOCK_SQL, _runs.deadline_at > _arg("after")),
    sa.select(sa.func.min(_steps.deadline_at)).where(tables.ACTIVE_SQL, _steps.deadline_at > _arg("after")),
    sa.select(sa.func.min(_runs.wakes_at)).where(tables.WAITS_SQL, _runs.wakes_at > _arg("after")),
    sa.select(sa.func.min(_revisions.deadline_at)).where(_revisions.deadline_at > _arg("after")),
)
