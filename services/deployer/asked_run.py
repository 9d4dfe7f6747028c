"""The runs that people ask for: retries, rollbacks, roll-forwards.

Every function runs inside a transaction that has locked the pipeline, after the request was judged.
"""

from dataclasses import dataclass, replace
from uuid import UUID

from services.deployer.records import RunRecord, StageRecord
from services.deployer.run_ending import about
from services.deployer.run_state import GAVE_WAY, UNSTARTED
from services.deployer.stage_moves import StageMoves, unstarted_run
from services.deployer.store import Revision, Store
from shared.events import OperationRequested, RunQueued, StageHeld
from shared.events.runs import RunKind
from shared.ids import Commit, Pipeline, Stage, derive


@dataclass(frozen=True, slots=True)
class AskedRuns:
    """Makes them, for one stage."""

    moves: StageMoves
    stage: StageRecord
    asked: OperationRequested

    @property
    def store(self) -> Store:
        """Return the store of the transaction."""
        return self.moves.store

    async def again(self, run: RunRecord, id_: UUID) -> RunRecord:
        """Make the run that tries again; it waits at its place in the queue unless it can begin at once."""
        made = replace(
            self._unstarted(id_, run.revision, "retry"),
            comes_after=run.comes_after,
            again_of=run.run,
            keeps=self.asked.from_failed_step,
        )
        await self._add(made)
        await self.store.forget_unbuilt(run.pipeline, run.revision)  # nobody builds it for a run that is over
        made = await self.moves.arrive_again(made)
        await self._again_after(made)
        return made

    async def _again_after(self, made: RunRecord) -> None:
        """Make anew, in the stages after, what gave way there to a revision that never came."""
        newest = {stage.key: stage.newest for stage in await self.store.stages(made.pipeline)}
        for later in await self.moves.later_runs(made):
            mark = newest.get(later.stage_key)
            if later.state in GAVE_WAY and (mark is None or mark.revision < later.revision):
                place = (later.pipeline, later.stage, later.stage_key)
                anew = unstarted_run(
                    derive(made.run, f"run {later.stage}"), place, later.revision, "retry", made.created_at
                )
                await self._add(replace(anew, comes_after=later.comes_after, again_of=later.run))

    async def restoring(self, id_: UUID, revision: int, undone: int | None) -> RunRecord:
        """Make the run that brings an earlier revision back, and hold what it goes back from."""
        if undone is not None:
            await self._hold(undone)
            await self._call_off(undone)
        made = replace(self._unstarted(id_, revision, "rollback"), ready=True)
        return await self._add(made, restores=revision)

    async def forward(self, id_: UUID, revision: int) -> RunRecord:
        """Make the run that goes past the queue; what it overtakes gives way."""
        made = replace(self._unstarted(id_, revision, "roll_forward"), ready=True)
        await self._add(made)
        for other in await self.store.open_runs(self.stage.pipeline):
            here = other.stage_key == self.stage.key and other.run != made.run
            if not here or other.state not in UNSTARTED or other.revision > revision:
                continue
            if other.revision == revision:  # the same revision goes on from here to the next stage
                await self.moves.supersede_here(other, by=made.entry)
            else:
                await self.moves.supersede(other, by=made.entry)
        if self.stage.newest is None or revision > self.stage.newest.revision:
            await self.store.raise_newest(self.stage.key, made.entry)
        await self._again_after(made)
        return made

    def _unstarted(self, id_: UUID, revision: int, kind: RunKind) -> RunRecord:
        place = (self.stage.pipeline, self.stage.stage, self.stage.key)
        return unstarted_run(id_, place, revision, kind, self.store.tx.now)

    async def _add(self, run: RunRecord, restores: int | None = None) -> RunRecord:
        revision: Revision = await self.store.revision(run.pipeline, run.revision)
        await self.store.add_run(run)
        queued = RunQueued(
            **about(run),
            commit=Commit(revision.commit),
            plan_hash=revision.plan_hash,
            wait=None,
            restores=restores,
            retries=run.again_of,
            actor=self.asked.actor,
            reason=self.asked.reason,
        )
        self.moves.say(run, queued)
        return run

    async def _call_off(self, revision: int) -> None:
        """End what waits here of a revision that is put on hold: it would return by itself."""
        for run in await self.store.open_runs(self.stage.pipeline):
            if run.stage_key == self.stage.key and run.revision == revision and run.state in UNSTARTED:
                await self.moves.cancel_unstarted(run, self.asked.actor, self.asked.reason)

    async def _hold(self, revision: int) -> None:
        reason = f"{self.asked.actor} rolled it back" + (
            f": {self.asked.reason}" if self.asked.reason else ""
        )
        if await self.store.hold(self.stage.key, revision, reason):
            held = StageHeld(
                pipeline=Pipeline(self.stage.pipeline),
                stage=Stage(self.stage.stage),
                revision=revision,
                reason=reason,
            )
            self.store.tx.emit(held, str(self.asked.operation))
