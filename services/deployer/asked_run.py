"""The runs that people ask for: retries, rollbacks, roll-forwards.

Every function runs inside a transaction that has locked the pipeline, after the request was judged.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from services.deployer.records import RunRecord, StageRecord
from services.deployer.run_ending import about
from services.deployer.run_state import GAVE_WAY, OVERDUE, UNSTARTED
from services.deployer.stage_moves import StageMoves, unstarted_run
from services.deployer.stage_queue import Entry
from services.deployer.store import DefinitionStore, Revision, Store
from services.deployer.whereabouts import key_before
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
        if await self._is_let_through(made):  # else it is looked at as if it had come just now
            made = await self.moves.arrive_again(made)
        await self._again_after(made)
        return made

    async def _is_let_through(self, run: RunRecord) -> bool:
        standing = await DefinitionStore(self.store.tx, run.pipeline).standing(run.revision)
        return standing.let_through_at is not None

    async def _again_after(self, made: RunRecord) -> None:
        """Make anew, in the stages after, what ended there because its revision had not come yet.

        What a person has go on is no part of the deployment that had a time limit.
        """
        await self.store.limit_revision(made.pipeline, made.revision, None)
        newest = {stage.key: stage.newest for stage in await self.store.stages(made.pipeline)}
        for later in await self.moves.later_runs(made):
            if await self._comes_back(later, newest.get(later.stage_key)):
                place = (later.pipeline, later.stage, later.stage_key)
                anew = unstarted_run(
                    derive(made.run, f"run {later.stage}"), place, later.revision, "retry", made.created_at
                )
                retry = replace(anew, comes_after=later.comes_after, again_of=later.run)
                await self._add(replace(retry, asked_by=self.asked.actor))

    async def _comes_back(self, later: RunRecord, mark: Entry | None) -> bool:
        """Tell whether it ended unbegun for what is over now, and its revision came by no other run."""
        reached = mark.revision if mark else 0
        if later.state in GAVE_WAY:
            return reached < later.revision
        late = later.state in OVERDUE and later.deadline_at is None  # it never had one: it never began
        if not (late or later.ended_along) or reached > later.revision:
            return False
        return all(good.revision != later.revision for good in await self.store.past_runs(later.stage_key))

    async def restoring(self, id_: UUID, revision: int, undone: int | None) -> RunRecord:
        """Make the run that brings an earlier revision back, and hold what it goes back from."""
        if undone is not None:
            await self._hold(undone)
            await self._call_off(undone)
            await self.moves.cancel_later(self._here(undone), self.asked.actor, self.asked.reason)
        made = replace(self._unstarted(id_, revision, "rollback"), ready=True)
        return await self._add(made, restores=revision)

    async def later_of(self, revision: int) -> Sequence[RunRecord]:
        """Return a revision's runs in the stages after this one."""
        return await self.moves.later_runs(self._here(revision))

    def _here(self, revision: int) -> RunRecord:
        return self._unstarted(self.asked.operation, revision, "rollback")

    async def forward(self, id_: UUID, revision: int) -> RunRecord:
        """Make the run that goes past the queue; what it overtakes gives way."""
        plan = (await self.store.revision(self.stage.pipeline, revision)).plan
        unstarted = self._unstarted(id_, revision, "roll_forward")
        made = replace(unstarted, ready=True, comes_after=key_before(plan, self.stage.stage))
        await self._add(made)
        await self.store.forget_unbuilt(self.stage.pipeline, revision)  # its own run asks for that
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
        unstarted = unstarted_run(id_, place, revision, kind, self.store.tx.now)
        return replace(unstarted, asked_by=self.asked.actor)

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
