"""The deployer's SQL. Whoever writes about a pipeline's stages locks them first, in their order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from services.deployer import tables
from services.deployer.records import (
    RunRecord,
    StageRecord,
    StepRecord,
    run_record,
    stage_record,
    step_record,
)
from services.deployer.rollback import PastRun
from services.deployer.run_course import ArtifactState
from services.deployer.run_state import HOLDS_LOCK, TERMINAL, State
from services.deployer.stage_queue import Entry
from services.deployer.step_state import ACTIVE
from shared.db import Reading, Transaction
from shared.events import Evidence
from shared.faults import TryAgain
from shared.ids import stage_key
from shared.plan import Plan

PAST_RUNS_MAX = 200  # finished runs looked through for something to roll back to


@lru_cache(maxsize=64)
def _plan(_plan_hash: str, text: str) -> Plan:
    return Plan.model_validate_json(text)


@dataclass(frozen=True, slots=True)
class Revision:
    """A planned revision."""

    revision: int
    commit: str
    plan_hash: str
    plan: Plan


@dataclass(frozen=True, slots=True)
class ArtifactRecord:
    """An artifact of a revision."""

    artifact: str
    state: ArtifactState
    digest: str
    evidence: Evidence | None


@dataclass(frozen=True, slots=True)
class Store:
    """Reads and writes inside one transaction, or reads alone."""

    tx: Transaction

    async def lock_stages(self, pipeline: str) -> Sequence[StageRecord]:
        """Return the pipeline's stages in promotion order, locked until the transaction ends."""
        query = sa.select(tables.stages).where(tables.stages.c.pipeline == pipeline)
        result = await self.tx.execute(query.order_by(tables.stages.c.place).with_for_update())
        return [stage_record(row) for row in result]

    async def declare_stage(self, pipeline: str, stage: str, place: int, target: str) -> bool:
        """Make sure the stage exists as the plan says; True when that changed something."""
        key = stage_key(pipeline, stage)
        row = {"key": key, "pipeline": pipeline, "stage": stage, "place": place, "target": target}
        if await self.tx.insert_or_ignore(tables.stages, row):
            return True
        differs = sa.or_(tables.stages.c.place != place, tables.stages.c.target != target)
        changed = sa.update(tables.stages).where(tables.stages.c.key == key, differs)
        return (await self.tx.execute(changed.values(place=place, target=target))).rowcount > 0

    async def raise_newest(self, key: str, entry: Entry) -> None:
        """Move the stage's high-water mark."""
        values = {"newest_run": entry.run, "newest_revision": entry.revision}
        await self.tx.execute(sa.update(tables.stages).where(tables.stages.c.key == key).values(values))

    async def add_revision(self, pipeline: str, revision: Revision) -> None:
        """Keep the plan and list its artifacts as not yet asked for."""
        row = {
            "pipeline": pipeline,
            "revision": revision.revision,
            "commit": revision.commit,
            "plan_hash": revision.plan_hash,
            "plan": revision.plan.canonical().decode(),
            "planned_at": self.tx.now,
        }
        await self.tx.execute(sa.insert(tables.revisions).values(row))
        for artifact in revision.plan.artifacts:
            pending = {
                "pipeline": pipeline,
                "revision": revision.revision,
                "artifact": artifact.id,
                "state": ArtifactState.PENDING,
            }
            await self.tx.execute(sa.insert(tables.artifacts).values(pending))

    async def revision(self, pipeline: str, revision: int) -> Revision:
        """Return a planned revision."""
        return await read_revision(self.tx, pipeline, revision)

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
            "wait": run.wait.model_dump(mode="json") if run.wait else None,
            "version": run.version,
            "created_at": run.created_at,
            "verification_state": run.verification_state,
        }
        await self.tx.execute(sa.insert(tables.runs).values(row))

    async def change_run(self, run: RunRecord, **values: Any) -> RunRecord:
        """Write columns of a run that is still in `run.state`; returns it as it now is.

        Raises `TryAgain` when it moved meanwhile: the picture was stale.
        """
        unmoved = sa.and_(tables.runs.c.run == run.run, tables.runs.c.state == run.state)
        values["version"] = run.version + 1
        result = await self.tx.execute(sa.update(tables.runs).where(unmoved).values(values))
        if result.rowcount == 0:
            raise TryAgain(f"run {run.run} is no longer {run.state}")
        known = {key: value for key, value in values.items() if key in RunRecord.__dataclass_fields__}
        return replace(run, **known)

    async def run(self, run: UUID) -> RunRecord | None:
        """Return a run."""
        row = (await self.tx.execute(sa.select(tables.runs).where(tables.runs.c.run == run))).first()
        return run_record(row) if row else None

    async def open_runs(self, pipeline: str) -> Sequence[RunRecord]:
        """Return the pipeline's runs that are not final, oldest revision first."""
        open_ = sa.and_(tables.runs.c.pipeline == pipeline, tables.runs.c.state.in_(_OPEN))
        result = await self.tx.execute(sa.select(tables.runs).where(open_).order_by(tables.runs.c.revision))
        return [run_record(row) for row in result]

    async def deploy_run(self, key: str, revision: int) -> RunRecord | None:
        """Return the run that deploys `revision` in the stage."""
        deploys = sa.and_(tables.runs.c.stage_key == key, tables.runs.c.revision == revision)
        query = sa.select(tables.runs).where(deploys, tables.runs.c.kind == "deploy")
        row = (await self.tx.execute(query)).first()
        return run_record(row) if row else None

    async def past_runs(self, key: str) -> Sequence[PastRun]:
        """Return the stage's finished runs, the last first."""
        finished = sa.and_(tables.runs.c.stage_key == key, tables.runs.c.finished_at.is_not(None))
        query = sa.select(tables.runs).where(finished).order_by(tables.runs.c.finished_at.desc())
        result = await self.tx.execute(query.limit(PAST_RUNS_MAX))
        return [PastRun(row.run, row.revision, State(row.state)) for row in result]

    async def held_revisions(self, key: str) -> frozenset[int]:
        """Return the revisions kept out of the stage."""
        query = sa.select(tables.holds.c.revision).where(tables.holds.c.stage_key == key)
        return frozenset((await self.tx.execute(query)).scalars())

    async def hold(self, key: str, revision: int, reason: str) -> bool:
        """Keep a revision out of the stage; False when it is already."""
        row = {"stage_key": key, "revision": revision, "reason": reason, "held_at": self.tx.now}
        return await self.tx.insert_or_ignore(tables.holds, row)

    async def add_step(self, run: UUID, step: str) -> None:
        """Insert a pending step."""
        row = {"run": run, "step": step, "state": "Pending", "attempt": 0, "verification_state": ""}
        await self.tx.execute(sa.insert(tables.steps).values(row))

    async def steps(self, run: UUID) -> Mapping[str, StepRecord]:
        """Return the run's steps by id."""
        result = await self.tx.execute(sa.select(tables.steps).where(tables.steps.c.run == run))
        return {row.step: step_record(row) for row in result}

    async def change_step(self, step: StepRecord, **values: Any) -> None:
        """Write columns of a step that is still in `step.state`; raises `TryAgain` when it moved."""
        this = sa.and_(tables.steps.c.run == step.run, tables.steps.c.step == step.step)
        unmoved = sa.and_(this, tables.steps.c.state == step.state)
        result = await self.tx.execute(sa.update(tables.steps).where(unmoved).values(values))
        if result.rowcount == 0:
            raise TryAgain(f"step {step.step} of run {step.run} is no longer {step.state}")

    async def artifacts(self, pipeline: str, revision: int) -> Mapping[str, ArtifactRecord]:
        """Return the revision's artifacts by id."""
        return await read_artifacts(self.tx, pipeline, revision)

    async def ask_for_artifact(self, pipeline: str, revision: int, artifact: str, request: UUID) -> None:
        """Note which request will be answered with the artifact."""
        which = _artifact(pipeline, revision, artifact)
        values = {"state": ArtifactState.REQUESTED, "request": request}
        await self.tx.execute(sa.update(tables.artifacts).where(which).values(values))

    async def answer_request(
        self, request: UUID, *, digest: str = "", evidence: Evidence | None = None
    ) -> None:
        """Pin the digest, or keep why there is none; a stale answer changes nothing."""
        open_ = sa.and_(
            tables.artifacts.c.request == request, tables.artifacts.c.state == ArtifactState.REQUESTED
        )
        values = {
            "state": ArtifactState.BUILT if digest else ArtifactState.FAILED,
            "digest": digest or None,
            "evidence": evidence.model_dump(mode="json") if evidence else None,
        }
        await self.tx.execute(sa.update(tables.artifacts).where(open_).values(values))


async def read_revision(reading: Reading, pipeline: str, revision: int) -> Revision:
    """Return a planned revision."""
    this = sa.and_(tables.revisions.c.pipeline == pipeline, tables.revisions.c.revision == revision)
    row = (await reading.execute(sa.select(tables.revisions).where(this))).one()
    return Revision(row.revision, row.commit, row.plan_hash, _plan(row.plan_hash, row.plan))


async def read_artifacts(reading: Reading, pipeline: str, revision: int) -> Mapping[str, ArtifactRecord]:
    """Return a revision's artifacts by id."""
    these = sa.and_(tables.artifacts.c.pipeline == pipeline, tables.artifacts.c.revision == revision)
    result = await reading.execute(sa.select(tables.artifacts).where(these))
    return {
        row.artifact: ArtifactRecord(
            row.artifact,
            ArtifactState(row.state),
            row.digest or "",
            Evidence.model_validate(row.evidence) if row.evidence else None,
        )
        for row in result
    }


async def read_run(reading: Reading, run: UUID) -> RunRecord:
    """Return a run."""
    return run_record((await reading.execute(sa.select(tables.runs).where(tables.runs.c.run == run))).one())


async def read_step(reading: Reading, run: UUID, step: str) -> StepRecord:
    """Return a step."""
    this = sa.and_(tables.steps.c.run == run, tables.steps.c.step == step)
    return step_record((await reading.execute(sa.select(tables.steps).where(this))).one())


async def pipelines_at_work(reading: Reading) -> Sequence[str]:
    """Return the pipelines in which a run holds a lock or waits for one."""
    holds = tables.runs.c.state.in_([state.value for state in HOLDS_LOCK])
    waits = sa.and_(tables.runs.c.state == State.NOT_STARTED, tables.runs.c.ready)
    query = sa.select(tables.runs.c.pipeline).where(sa.or_(holds, waits)).distinct()
    return list((await reading.execute(query)).scalars())


async def next_deadline(reading: Reading, after: datetime) -> datetime | None:
    """Return the nearest deadline of a running run or an active step that lies ahead."""
    runs = sa.select(sa.func.min(tables.runs.c.deadline_at)).where(
        tables.runs.c.state.in_([state.value for state in HOLDS_LOCK]), tables.runs.c.deadline_at > after
    )
    steps = sa.select(sa.func.min(tables.steps.c.deadline_at)).where(
        tables.steps.c.state.in_([state.value for state in ACTIVE]), tables.steps.c.deadline_at > after
    )
    found = [(await reading.execute(query)).scalar() for query in (runs, steps)]
    return min((at for at in found if at is not None), default=None)


_OPEN = [state.value for state in State if state not in TERMINAL]


def _artifact(pipeline: str, revision: int, artifact: str) -> sa.ColumnElement[bool]:
    table = tables.artifacts.c
    return sa.and_(table.pipeline == pipeline, table.revision == revision, table.artifact == artifact)
