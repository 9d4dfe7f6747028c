"""The deployer's SQL. Whoever writes about a pipeline's stages locks the pipeline first.

One lock, by the pipeline's name, and not one a stage: a revision may bring stages that have no row yet,
and a run's end in one stage decides about the next. What a transaction takes, it takes in this order:
its inbox row, the pipelines, the alarms that it hears of or goes by, orders of work, all else.

An alarm is locked as well because who hears of it looks for the pipelines that name it, and a plan that is
first to name it looks how it stands: of two who do so at once one must see what the other wrote. Whoever
finds, with the alarm locked, a pipeline that it should have locked before tries again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from services.deployer import tables
from services.deployer.records import (
    RunRecord,
    StageRecord,
    StepRecord,
    changed_run,
    changed_step,
    run_record,
    run_records,
    stage_record,
    step_record,
)
from services.deployer.rollback import PastRun
from services.deployer.run_picture import ArtifactState
from services.deployer.run_state import TERMINAL, UNSTARTED, State
from services.deployer.stage_queue import Entry
from services.deployer.step_state import ENDED
from services.deployer.store import statements as ask
from services.deployer.store.known import ArtifactRecord, Known, Revision, in_order, with_run
from shared.db import Reading, Transaction, hold
from shared.events import Evidence
from shared.faults import TryAgain
from shared.ids import stage_key
from shared.plan import Plan, StagePlan

PLANS_KEPT_MAX = 64  # parsed plans in memory; an active pipeline uses two or three


@dataclass(frozen=True, slots=True)
class Store:
    """Reads and writes of one transaction, which has locked the pipeline it is about."""

    tx: Transaction
    known: Known = field(default_factory=Known)
    limits: list[datetime] = field(default_factory=list)  # deadlines written: somebody must wake up for them

    @property
    def nearest_limit(self) -> datetime | None:
        """Return the nearest deadline that this transaction wrote."""
        return min(self.limits, default=None)

    async def lock(self, pipeline: str) -> None:
        """Let nobody else decide about the pipeline until the transaction ends."""
        if pipeline not in self.known.locked:
            await lock_pipeline(self.tx, pipeline)
            self.known.locked.add(pipeline)

    async def stages(self, pipeline: str) -> Sequence[StageRecord]:
        """Return the stages of a pipeline that is locked."""
        assert pipeline in self.known.locked, "what is not locked is somebody else's to change"
        if pipeline not in self.known.stages:
            rows = await self.tx.execute(ask.STAGES, {"of": pipeline})
            self.known.stages[pipeline] = [stage_record(row) for row in rows]
        return self.known.stages[pipeline]

    async def add_stage(self, pipeline: str, stage: StagePlan, place: int) -> None:
        """Give a stage a row that no plan in force has yet: it queues as usual, and no alarm is about it."""
        self.known.stages.clear()
        row = {"key": stage_key(pipeline, stage.name), "pipeline": pipeline, "stage": stage.name}
        said = {"place": place, "target": stage.target, "queue": "newest", "in_plan": False}
        await self.tx.insert_or_ignore(tables.stages, {**row, **said})

    async def declare_stage(self, pipeline: str, stage: StagePlan, place: int) -> bool:
        """Let a stage that has a row be as the plan says; True when that changed something."""
        self.known.stages.clear()
        key = stage_key(pipeline, stage.name)
        moved = {"this": key, "at": place, "on": stage.target, "under": stage.alarm, "by": stage.queue}
        said = {"place": place, "target": stage.target, "alarm": stage.alarm or None, "queue": stage.queue}
        return (await self.tx.execute(ask.MOVE_STAGE, {**moved, **said, "in_plan": True})).rowcount > 0

    async def drop_stages(self, pipeline: str, kept: Sequence[str]) -> None:
        """Let the newest plan have no others, and no alarm be about them."""
        others = [each for each in await self.stages(pipeline) if each.stage not in kept]
        if not any(each.alarm or each.in_plan for each in others):
            return
        self.known.stages.clear()
        gone = {"alarm": None, "in_plan": False}
        await self.tx.execute(ask.DROP_STAGES, {"of": pipeline, "these": list(kept), **gone})

    async def raise_newest(self, key: str, entry: Entry) -> None:
        """Move the stage's high-water mark."""
        values = {"this": key, "newest_run": entry.run, "newest_revision": entry.revision}
        await self.tx.execute(ask.RAISE_NEWEST, values)
        for pipeline, stages in self.known.stages.items():
            self.known.stages[pipeline] = [
                replace(each, newest=entry) if each.key == key else each for each in stages
            ]

    async def add_revision(self, pipeline: str, revision: Revision) -> None:
        """Keep the plan and list its artifacts as not yet asked for."""
        row = {
            "pipeline": pipeline,
            "revision": revision.revision,
            "commit": revision.commit,
            "plan_hash": revision.plan_hash,
            "plan": revision.plan.canonical().decode(),
            "planned_at": self.tx.now,
            "pusher": revision.pusher,
        }
        await self.tx.execute(sa.insert(tables.revisions), row)
        blank = {"pipeline": pipeline, "revision": revision.revision, "state": ArtifactState.PENDING}
        pending = [{**blank, "artifact": artifact.id} for artifact in revision.plan.artifacts]
        if pending:
            await self.tx.execute(sa.insert(tables.artifacts), pending)
        self.known.note_revision(pipeline, revision)

    async def limit_revision(self, pipeline: str, revision: int, deadline: datetime | None) -> None:
        """Give a revision that begins its way a time for all of it; None: no longer."""
        self.limits.extend([deadline] if deadline else [])
        values = {"of": pipeline, "number": revision, "deadline_at": deadline}
        await self.tx.execute(ask.LIMIT_REVISION, values)
        known = await self.revision(pipeline, revision)
        self.known.note_revision(pipeline, replace(known, deadline_at=deadline))

    async def late_revisions(self, pipeline: str) -> Mapping[int, datetime]:
        """Return those whose time is over with a run that has not begun, and when it was."""
        unstarted = {run.revision for run in await self.open_runs(pipeline) if run.state in UNSTARTED}
        moments = {revision: await self._moment(pipeline, revision) for revision in unstarted}
        return {revision: at for revision, at in moments.items() if at is not None and at <= self.tx.now}

    async def _moment(self, pipeline: str, revision: int) -> datetime | None:
        if (pipeline, revision) not in self.known.moments:  # its first open run was made just now
            await self.revision(pipeline, revision)
        return self.known.moments[pipeline, revision]

    async def revision(self, pipeline: str, revision: int) -> Revision:
        """Return a planned revision."""
        this = (pipeline, revision)
        if this not in self.known.revisions:
            self.known.note_revision(pipeline, await read_revision(self.tx, pipeline, revision))
        return self.known.revisions[this]

    async def add_run(self, run: RunRecord) -> None:
        """Insert a run, Not Started."""
        row = {
            "run": run.run,
            "pipeline": run.pipeline,
            "stage": run.stage,
            "stage_key": run.stage_key,
            "revision": run.revision,
            "kind": run.kind,
            "state": run.state,
            "ready": run.ready,
            "comes_after": run.comes_after or None,
            "wait": run.wait_said,
            "again_of": run.again_of,
            "asked_by": run.asked_by or None,
            "keeps": run.keeps,
            "in_line": run.in_line,
            "version": run.version,
            "created_at": run.created_at,
            "verification_state": run.verification_state,
        }
        await self.tx.execute(sa.insert(tables.runs), row)
        self._note_run(run)

    async def change_run(self, run: RunRecord, **values: Any) -> RunRecord:
        """Write columns of a run that is still in `run.state`; returns it as it now is.

        Raises `TryAgain` when it moved meanwhile: the picture was stale.
        """
        assert run.state not in TERMINAL, "a finished run never changes (S2)"
        known = self.known.open_run(run.run) or run  # which may have changed since the caller read it
        values["version"] = known.version + 1
        result = await self.tx.execute(ask.CHANGE_RUN, {"this": run.run, "was": run.state, **values})
        if result.rowcount == 0:
            self.known.open_runs.clear()
            raise TryAgain(f"run {run.run} is no longer {run.state}")
        self._note_limit(values)
        changed = changed_run(known, values)
        self._note_run(changed)
        return changed

    async def run(self, run: UUID) -> RunRecord | None:
        """Return a run."""
        known = self.known.open_run(run)
        if known is not None:
            return known
        row = (await self.tx.execute(ask.RUN, {"this": run})).first()
        return run_record(row) if row else None

    async def open_runs(self, pipeline: str) -> Sequence[RunRecord]:
        """Return the pipeline's runs that are not final, oldest revision first."""
        if pipeline not in self.known.open_runs:
            rows = (await self.tx.execute(ask.OPEN_RUNS, {"of": pipeline})).all()
            self.known.open_runs[pipeline] = in_order(run_records(rows))
            self._note_revisions(pipeline, rows)
        return self.known.open_runs[pipeline]

    async def deploy_runs(self, pipeline: str, revision: int) -> Mapping[str, RunRecord]:
        """Return the runs that deploy `revision`, by stage key."""
        rows = await self.tx.execute(ask.DEPLOY_RUNS, {"of": pipeline, "number": revision})
        return {row.stage_key: run_record(row) for row in rows}

    async def stages_before(self, pipeline: str) -> Mapping[UUID, tuple[str, State]]:
        """Return, for every unstarted run with a stage before its own, that stage and how it stands there."""
        rows = await self.tx.execute(ask.STAGES_BEFORE, {"of": pipeline})
        return {row.run: (row.stage, State(row.state)) for row in rows}

    async def past_runs(self, key: str) -> Sequence[PastRun]:
        """Return the stage's runs that ended with their revision in place, the last first."""
        rows = await self.tx.execute(ask.GOOD_ENDS, {"here": key})
        return [PastRun(row.run, row.revision, State(row.state)) for row in rows]

    async def bad_ends(self, key: str) -> Sequence[RunRecord]:
        """Return the runs that acted on the stage since anything was good there, the last first."""
        return [run_record(row) for row in await self.tx.execute(ask.BAD_ENDS, {"here": key})]

    async def last_run(self, key: str) -> RunRecord | None:
        """Return the stage's run that ended last; of none that was superseded."""
        row = (await self.tx.execute(ask.LAST_RUN, {"here": key})).first()
        return run_record(row) if row else None

    async def last_begun(self, key: str) -> RunRecord | None:
        """Return the stage's run that ended last of those that ever acted on it."""
        row = (await self.tx.execute(ask.LAST_BEGUN, {"here": key})).first()
        return run_record(row) if row else None

    async def revision_numbers(self, pipeline: str) -> Sequence[int]:
        """Return the pipeline's newest revisions, the newest first."""
        return list((await self.tx.execute(ask.NUMBERS, {"of": pipeline})).scalars())

    async def held_revisions(self, key: str) -> frozenset[int]:
        """Return the revisions kept out of the stage."""
        return frozenset((await self.tx.execute(ask.HELD, {"here": key})).scalars())

    async def hold(self, key: str, revision: int, reason: str) -> bool:
        """Keep a revision out of the stage; False when it is already."""
        row = {"stage_key": key, "revision": revision, "reason": reason, "held_at": self.tx.now}
        return await self.tx.insert_or_ignore(tables.holds, row)

    async def add_steps(self, run: UUID, steps: Sequence[str]) -> None:
        """Insert pending steps."""
        self.known.steps.pop(run, None)
        rows = [
            {"run": run, "step": step, "state": "Pending", "attempt": 0, "verification_state": ""}
            for step in steps
        ]
        if rows:
            await self.tx.execute(sa.insert(tables.steps), rows)

    async def steps(self, run: UUID) -> Mapping[str, StepRecord]:
        """Return the run's steps by id."""
        if run not in self.known.steps:
            self.known.steps[run] = await read_steps(self.tx, run)
        return self.known.steps[run]

    async def change_step(self, step: StepRecord, **values: Any) -> None:
        """Write columns of a step that is still in `step.state`; raises `TryAgain` when it moved."""
        assert step.state not in ENDED, "an ended step never changes"
        steps = self.known.steps.pop(step.run, None)
        this = {"of": step.run, "this": step.step, "was": step.state}
        result = await self.tx.execute(ask.CHANGE_STEP, {**this, **values})
        if result.rowcount == 0:
            raise TryAgain(f"step {step.step} of run {step.run} is no longer {step.state}")
        self._note_limit(values)
        if steps is not None:
            self.known.steps[step.run] = {**steps, step.step: changed_step(steps[step.step], values)}

    async def artifacts(self, pipeline: str, revision: int) -> Mapping[str, ArtifactRecord]:
        """Return the revision's artifacts by id."""
        these = (pipeline, revision)
        if not (await self.revision(pipeline, revision)).plan.artifacts:
            return {}
        if these not in self.known.artifacts:
            self.known.artifacts[these] = await read_artifacts(self.tx, pipeline, revision)
        return self.known.artifacts[these]

    async def ask_for_artifact(self, pipeline: str, revision: int, artifact: str, request: UUID) -> None:
        """Note which request will be answered with the artifact."""
        which = {"of": pipeline, "number": revision, "this": artifact}
        values = {"state": ArtifactState.REQUESTED, "request": request}
        await self.tx.execute(ask.ASK_FOR_ARTIFACT, {**which, **values})
        known = self.known.artifacts.get((pipeline, revision))
        if known is not None:
            asked = replace(known[artifact], state=ArtifactState.REQUESTED)
            self.known.artifacts[pipeline, revision] = {**known, artifact: asked}

    async def forget_unbuilt(self, pipeline: str, revision: int) -> None:
        """Let whichever run needs them ask anew for what was not built; an answer still to come is stale."""
        self.known.artifacts.clear()
        await self.tx.execute(ask.FORGET_UNBUILT, {"of": pipeline, "number": revision})

    async def answer_request(
        self, request: UUID, *, digest: str = "", evidence: Evidence | None = None
    ) -> None:
        """Pin the digest, or keep why there is none; a stale answer changes nothing."""
        self.known.artifacts.clear()
        values = {
            "asked": request,
            "state": ArtifactState.BUILT if digest else ArtifactState.FAILED,
            "digest": digest or None,
            "evidence": evidence.model_dump(mode="json") if evidence else None,
        }
        await self.tx.execute(ask.ANSWER_REQUEST, values)

    def _note_run(self, run: RunRecord) -> None:
        runs = self.known.open_runs.get(run.pipeline)
        if runs is not None:
            self.known.open_runs[run.pipeline] = with_run(runs, run)

    def _note_revisions(self, pipeline: str, rows: Sequence[sa.Row[Any]]) -> None:
        """Keep what was read of the revisions of open runs: all of it where the plan is in memory."""
        for row in rows:
            self.known.moments[pipeline, row.revision] = row.moment
            if (plan := _plans.get((pipeline, row.revision, row.plan_hash))) is not None:
                self.known.note_revision(pipeline, _revision(row.revision, row, plan, row.moment))

    def _note_limit(self, values: Mapping[str, Any]) -> None:
        self.limits.extend(values[name] for name in ("deadline_at", "wakes_at") if values.get(name))


async def lock_pipelines(store: Store, pipelines: Sequence[str]) -> None:
    """Lock several at once, in the one order that cannot make two wait for each other."""
    await hold(store.tx, *(f"deployer pipeline {pipeline}" for pipeline in pipelines))
    store.known.locked.update(pipelines)


async def lock_pipeline(connection: Reading, pipeline: str) -> None:
    """See `Store.lock`; for whoever has to lock before there is anything to read."""
    await hold(connection, f"deployer pipeline {pipeline}")


async def read_revision(reading: Reading, pipeline: str, revision: int) -> Revision:
    """Return a planned revision."""
    this = {"of": pipeline, "number": revision}
    row = (await reading.execute(ask.REVISION, this)).one()
    key = (pipeline, revision, row.plan_hash)
    if key not in _plans:
        text = (await reading.execute(ask.PLAN, this)).scalar_one()
        while len(_plans) >= PLANS_KEPT_MAX:
            del _plans[next(iter(_plans))]
        _plans[key] = Plan.model_validate_json(text)
    return _revision(revision, row, _plans[key], row.deadline_at)


def _revision(number: int, row: sa.Row[Any], plan: Plan, deadline_at: datetime | None) -> Revision:
    return Revision(number, row.commit, row.plan_hash, plan, row.pusher or "", deadline_at)


_plans: dict[tuple[str, int, str], Plan] = {}  # a planned revision never changes


async def read_artifacts(reading: Reading, pipeline: str, revision: int) -> Mapping[str, ArtifactRecord]:
    """Return a revision's artifacts by id."""
    rows = await reading.execute(ask.ARTIFACTS, {"of": pipeline, "number": revision})
    return {
        row.artifact: ArtifactRecord(
            row.artifact,
            ArtifactState(row.state),
            row.digest or "",
            Evidence.model_validate(row.evidence) if row.evidence else None,
        )
        for row in rows
    }


async def read_run(reading: Reading, run: UUID) -> RunRecord:
    """Return a run."""
    return run_record((await reading.execute(ask.RUN, {"this": run})).one())


async def read_steps(reading: Reading, run: UUID) -> Mapping[str, StepRecord]:
    """Return the run's steps by id."""
    return {row.step: step_record(row) for row in await reading.execute(ask.STEPS, {"of": run})}


async def read_active_steps(reading: Reading) -> Sequence[sa.Row[Any]]:
    """Return the rows of the steps whose worker may yet do something."""
    return (await reading.execute(sa.select(tables.steps).where(tables.ACTIVE_SQL))).all()


async def pipelines_at_work(reading: Reading) -> Sequence[str]:
    """Return the pipelines in which a run holds a lock or waits for one."""
    return list((await reading.execute(ask.AT_WORK)).scalars())


async def next_deadline(reading: Reading, after: datetime) -> datetime | None:
    """Return the nearest deadline of a running run or an active step that lies ahead."""
    found = [(await reading.execute(query, {"after": after})).scalar() for query in ask.NEXT_LIMITS]
    return min((at for at in found if at is not None), default=None)
