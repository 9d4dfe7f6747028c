"""What an alarm does to the stages it is about.

| An alarm that | while a run brings something new | otherwise |
|---|---|---|
| fires | the run is cancelled and rolled back; this stage and the next are blocked | both are blocked |
| fires on, for another reason maybe | nothing changes: a person may have let this run out | nothing changes |
| fires again before it was quiet for long enough | as when it fires | the blocker stays |
| clears | the blocker stays until it was quiet for a while, then the queue goes on | the same |
| is no longer known | nothing changes: neither good nor bad news | nothing changes |
| fires when a plan first names it | the stage is blocked before it begins anything | the same |
| of health fires | this stage and the next are blocked; the run goes on | both are blocked |

An alarm of health tells of what is live, here or elsewhere, and not of what a run brings: that is verified,
and rolled back if it is bad, by the run itself. A rollback that runs is never touched by an alarm. A run of
which no step has begun is cancelled and nothing is rolled back. Without anything to go back to, the
cancelled run ends with that as its failure; a rollback that fails leaves the stage blocked. A person may
lift a blocker.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from services.deployer.admission import Blocker
from services.deployer.gate import GATES
from services.deployer.records import RunRecord, StageRecord
from services.deployer.run_ending import about
from services.deployer.run_state import FORWARD, Trigger, advance
from services.deployer.step_state import UNTOUCHED
from services.deployer.store import GateStore
from shared.events import AlarmChanged, BlockerLifted, RunCancelling, StageBlocked
from shared.events.alarms import CLEAR, FIRING, OF_HEALTH
from shared.ids import Pipeline, Stage

if TYPE_CHECKING:
    from services.deployer.pipeline_moves import PipelineMoves
    from services.deployer.run_moves import RunMoves

QUIET_SECONDS = 60.0  # without it firing, until a cleared alarm's blocker is gone: it may flap


def blocker_of(alarm: str) -> str:
    """Return the name of an alarm's blocker."""
    return f"alarm {alarm}"


@dataclass(frozen=True, slots=True)
class AlarmMoves:
    """The moves of one pipeline, which is locked."""

    moves: PipelineMoves

    @property
    def gates(self) -> GateStore:
        """Return what stands before the stages."""
        return GateStore(self.moves.store.tx)

    async def changed(self, alarm: AlarmChanged) -> None:
        """Do what an alarm asks for in every stage that it is about, now that it stands otherwise."""
        if alarm.state in FIRING:
            for stage in self._under(alarm.alarm):
                await self._fire(stage, alarm.alarm, alarm.reason)
        elif alarm.state in CLEAR:
            await self._clear(alarm)

    async def declared(self) -> None:
        """Block the stages whose alarm fires already, unless a person lifted that already."""
        await self.gates.lock_alarms(*{stage.alarm for stage in self.moves.stages if stage.alarm})
        for stage in self.moves.stages:
            reason = await self.gates.firing(stage.alarm) if stage.alarm else None
            if reason is None:
                continue
            for reached in self._reach(stage):
                if not await self.gates.is_lifted(reached.key, blocker_of(stage.alarm), stage.alarm):
                    await self._block(stage, reached, reason)

    async def _fire(self, stage: StageRecord, alarm: str, reason: str) -> None:
        for reached in self._reach(stage):
            await self._block(stage, reached, reason)
        if alarm.startswith(OF_HEALTH):
            return
        for run in await self.moves.store.open_runs(stage.pipeline):
            if run.stage_key == stage.key and run.state in FORWARD:
                await self._undo(run, alarm, reason)

    async def _undo(self, run: RunRecord, alarm: str, reason: str) -> None:
        actor, why = blocker_of(alarm), reason or "it fires"
        state = advance(run.state, Trigger.CANCEL_ASKED)
        undo = _has_touched(await self.moves.moves_of(run))
        changed = await self.moves.store.change_run(
            run, state=state, cancel_actor=actor, cancel_reason=why, undo=undo
        )
        self.moves.stage_moves.say(changed, RunCancelling(**about(changed), actor=actor, reason=why))

    async def _block(self, stage: StageRecord, blocked: StageRecord, reason: str) -> None:
        """Keep a stage closed because of another one's alarm, or its own."""
        blocker = Blocker(
            name=blocker_of(stage.alarm),
            reason=reason or f"it fires for {stage.stage}",
            released_by=f"alarm {stage.alarm} clearing, or somebody who lifts it",
            since=self.moves.store.tx.now,
        )
        if await self.gates.block(blocked.key, blocker):
            said = StageBlocked(
                pipeline=Pipeline(blocked.pipeline),
                stage=Stage(blocked.stage),
                blocker=blocker.name,
                reason=blocker.reason,
                released_by=blocker.released_by,
            )
            self.moves.store.tx.emit(said, f"{blocked.key} {blocker.name}")  # by two alarms at once, say

    async def _clear(self, alarm: AlarmChanged) -> None:
        """Open whatever it closed, also where a newer plan has it reach no more."""
        ends_at = self.moves.store.tx.now + timedelta(seconds=QUIET_SECONDS)
        for blocked in self.moves.stages:
            name = blocker_of(alarm.alarm)
            if await self.gates.lift(blocked.key, name, ends_at):
                lifted = BlockerLifted(
                    pipeline=Pipeline(blocked.pipeline),
                    stage=Stage(blocked.stage),
                    blocker=name,
                    actor="",
                    reason=alarm.reason,
                    at=ends_at,
                )
                self.moves.store.tx.emit(lifted, blocked.key)

    def _under(self, alarm: str) -> Sequence[StageRecord]:
        return [stage for stage in self.moves.stages if stage.alarm == alarm]

    def _reach(self, stage: StageRecord) -> Sequence[StageRecord]:
        """Return the stage and the one after it: what is bad here must not go on."""
        after = (True, stage.place + 1)
        stages = self.moves.stages
        return [each for each in stages if each.key == stage.key or (each.in_plan, each.place) == after]


def _has_touched(run: RunMoves) -> bool:
    """Tell whether any step has begun, or was kept from a run before: at a gate alone nothing is done."""
    works = (step for step in run.stage.steps if step.type not in GATES)
    return any(run.steps[step.id].state not in UNTOUCHED for step in works)
