"""Reads what a claimed order asks for. What can no longer change of a run is read once in a process."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from services.deployer.late_values import filled_in
from services.deployer.records import StepRecord
from services.deployer.step_order import StepOrder
from services.deployer.store import read_artifacts, read_revision, read_run, read_steps
from shared.db import Reading, ServiceDatabase
from shared.ids import Digest
from shared.language.expression import Mistake
from shared.plan import Plan, StagePlan
from shared.work import Claim

RUNS_KEPT_MAX = 256  # as many as can be about something at once, and some


@dataclass(frozen=True, slots=True)
class Settled:
    """What cannot change of a run that has come to its steps."""

    run: UUID
    revision: int
    plan: Plan
    stage: StagePlan
    artifacts: Mapping[str, Digest]  # built, each of them, before the first step was ordered


@dataclass(frozen=True, slots=True)
class StepOrders:
    """The orders of steps as their carriers are told them."""

    db: ServiceDatabase
    _settled: dict[UUID, Settled] = field(default_factory=dict)

    async def of(self, claim: Claim) -> tuple[StepOrder, Mistake | None]:
        """Return what is to be done; with a mistake, when a value is lacking that it cannot be done without.

        What earlier steps gave is read anew for each order: they are over before this one is ordered.
        """
        payload = claim.order.payload
        run, id_ = UUID(payload["run"]), payload["step"]
        settled = self._settled.get(run)
        earlier: Mapping[str, StepRecord] = {}
        if settled is None or _is_late(settled, id_):
            async with self.db.reading() as reading:
                settled = settled or self._kept(await _read(reading, run))
                earlier = await read_steps(reading, run) if _is_late(settled, id_) else {}
        return _order(settled, id_, payload["attempt"], earlier)

    def _kept(self, settled: Settled) -> Settled:
        if all(settled.artifacts.values()):
            while len(self._settled) >= RUNS_KEPT_MAX:
                del self._settled[next(iter(self._settled))]
            self._settled[settled.run] = settled
        return settled


async def _read(reading: Reading, id_: UUID) -> Settled:
    run = await read_run(reading, id_)
    revision = await read_revision(reading, run.pipeline, run.revision)
    pinned = await read_artifacts(reading, run.pipeline, run.revision)
    stage = next(stage for stage in revision.plan.stages if stage.name == run.stage)
    artifacts = {artifact: Digest(record.digest) for artifact, record in pinned.items()}
    return Settled(id_, run.revision, revision.plan, stage, artifacts)


def _is_late(settled: Settled, id_: str) -> bool:
    return any(step.late for step in settled.stage.steps if step.id == id_)


def _order(
    settled: Settled, id_: str, attempt: int, earlier: Mapping[str, StepRecord]
) -> tuple[StepOrder, Mistake | None]:
    step = next(step for step in settled.stage.steps if step.id == id_)
    filled = filled_in(step, earlier, settled.artifacts)
    order = StepOrder(
        pipeline=settled.plan.pipeline,
        stage=settled.stage.name,
        run=settled.run,
        revision=settled.revision,
        commit=settled.plan.commit,
        branch=settled.plan.branch,
        tag=settled.plan.tag,
        step=step if isinstance(filled, Mistake) else filled,
        attempt=attempt,
        repository=settled.plan.repository,
        remote=settled.plan.remote,
        artifacts=settled.artifacts,
    )
    return order, filled if isinstance(filled, Mistake) else None
