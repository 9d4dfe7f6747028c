"""Carries out what `definition` is about: revisions are let through, held, answered, or give way.

Every function runs inside a transaction that has locked the pipeline.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from services.deployer import definition
from services.deployer.alarm_moves import AlarmMoves
from services.deployer.declaration_moves import declare_stages
from services.deployer.definition import HeldFor, Planned
from services.deployer.records import RunRecord
from services.deployer.run_ending import about
from services.deployer.stage_queue import Entry
from services.deployer.store import DefinitionStore, Store
from shared.events import DefinitionAnswered, DefinitionHeld, Wait
from shared.language.change_words import sentence

if TYPE_CHECKING:
    from services.deployer.pipeline_moves import PipelineMoves


@dataclass(frozen=True, slots=True)
class DefinitionMoves:
    """The revisions of one pipeline that have not begun their way."""

    moves: PipelineMoves
    pipeline: str

    @property
    def store(self) -> Store:
        """Return the store of the transaction."""
        return self.moves.store

    @property
    def definitions(self) -> DefinitionStore:
        """Return what is known of the pipeline's definitions."""
        return DefinitionStore(self.store.tx, self.pipeline)

    async def withheld(self) -> Sequence[RunRecord]:
        """Return the first run of every revision that has not begun its way, oldest first."""
        return [run for run in await self.store.open_runs(self.pipeline) if run.is_withheld]

    async def held_for(self, run: RunRecord) -> HeldFor | None:
        """Return what has to be approved before a run may begin, as it was said last."""
        return (await self.definitions.standing(run.revision)).held_for

    async def go_on(self) -> None:
        """Let revisions through that nothing keeps, the oldest first: it changes what is compared."""
        withheld = await self.withheld()
        for run in withheld:
            held = await self._judged(run)
            if held is None:
                await self._let_through(run)
                continue
            newer = await self._newer(run, withheld)
            if newer is not None:
                await self.moves.stage_moves.supersede(run, by=newer)
                continue
            await self._hold(run, held)
            if await self._is_fifo(run):
                break

    async def wait(self, run: RunRecord) -> Wait:
        """Return what a run waits for whose revision has not begun its way."""
        now, first = self.store.tx.now, (await self.withheld())[0]
        held = await self.held_for(run)
        return definition.wait_for(held, now) if held else definition.wait_in_line(first.revision, now)

    async def approve(self, run: RunRecord, actor: str, comment: str) -> None:
        """Note that somebody lets the revision through; it goes on with whatever can go on."""
        self._say_answer(run, actor, "approved", comment)
        await self.definitions.let_through(run.revision)

    async def reject(self, run: RunRecord, actor: str, comment: str) -> None:
        """End the revision's way before it has begun."""
        self._say_answer(run, actor, "rejected", comment)
        why = f": {comment}" if comment else ""
        reason = f"the changes of the pipeline file were rejected{why}"
        await self.moves.stage_moves.cancel_unstarted(run, actor, reason)
        await self.moves.stage_moves.cancel_later(run, actor, reason)

    async def _judged(self, run: RunRecord) -> HeldFor | None:
        """Return what has to be approved, found anew when it is compared with another revision by now."""
        standing = await self.definitions.standing(run.revision)
        if standing.let_through_at is not None:
            return None
        newest = await self.definitions.newest()
        if standing.held_for is not None and standing.held_for.against == newest:
            return standing.held_for
        old = await self._planned(newest) if newest is not None else None
        return definition.held_for(await self._planned(run.revision), old)

    async def _planned(self, number: int) -> Planned:
        revision = await self.store.revision(self.pipeline, number)
        return Planned(number, revision.plan, revision.plan_hash)

    async def _newer(self, run: RunRecord, withheld: Sequence[RunRecord]) -> Entry | None:
        """Return the newer revision that makes it pointless to ask about this one."""
        through = await self.definitions.newest()
        if through is not None and through > run.revision:
            runs = await self.store.deploy_runs(self.pipeline, through)
            return runs.get(run.stage_key, next(iter(runs.values()))).entry
        if await self._is_fifo(run):
            return None
        newest = withheld[-1]
        return newest.entry if newest.revision > run.revision else None

    async def _is_fifo(self, run: RunRecord) -> bool:
        """Tell whether every commit is deployed where it would begin; what was let through last says so."""
        stages = await self.store.stages(self.pipeline)
        return any(stage.key == run.stage_key and stage.queue == "fifo" for stage in stages)

    async def _let_through(self, run: RunRecord) -> None:
        """Let the file count from here on, and bring the revision to its first stage."""
        standing = await self.definitions.standing(run.revision)
        if standing.let_through_at is None:
            await self.definitions.let_through(run.revision)
        if await self.definitions.newest() == run.revision:
            await declare_stages(self.store, (await self.store.revision(self.pipeline, run.revision)).plan)
        fresh = replace(self.moves, stages=await self.store.stages(self.pipeline))
        await AlarmMoves(fresh).declared()
        if run.again_of is None:
            await fresh.stage_moves.arrive(run)
        else:
            await fresh.stage_moves.arrive_again(run)

    async def _hold(self, run: RunRecord, held: HeldFor) -> None:
        before = await self.held_for(run)
        if before == held:
            return
        await self.definitions.hold(run.revision, held)
        if before is not None and before.shown == held.shown:
            return
        revision = await self.store.revision(self.pipeline, run.revision)
        said = DefinitionHeld(
            **about(run),
            mode=held.needed.mode,
            changes=tuple(map(sentence, held.needed.changes)),
            further=held.needed.further,
            plan_hash=revision.plan_hash,
            shown=held.shown,
        )
        self.moves.stage_moves.say(run, said)

    def _say_answer(
        self, run: RunRecord, actor: str, verdict: Literal["approved", "rejected"], comment: str
    ) -> None:
        answered = DefinitionAnswered(**about(run), actor=actor, verdict=verdict, comment=comment)
        self.moves.stage_moves.say(run, answered)
