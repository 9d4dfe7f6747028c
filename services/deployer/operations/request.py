"""What an operation is decided from, and what comes of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from services.deployer.asked_run import AskedRuns
from services.deployer.pipeline_moves import PipelineMoves
from services.deployer.records import RunRecord, StageRecord
from services.deployer.run_state import HOLDS_LOCK
from services.deployer.store import Store
from shared.events import OperationRequested
from shared.ids import stage_key


@dataclass(frozen=True, slots=True)
class Done:
    """It is being done."""

    message: str = ""  # what will happen, in a sentence
    started: UUID | None = None  # the run that was made


@dataclass(frozen=True, slots=True)
class Refusal:
    """It is not possible now."""

    message: str  # why, and what would be


Outcome = Done | Refusal


@dataclass(frozen=True, slots=True)
class Request:
    """An operation, and the pipeline it is about, locked."""

    asked: OperationRequested
    moves: PipelineMoves

    @property
    def store(self) -> Store:
        """Return the store of the transaction."""
        return self.moves.store

    @property
    def here(self) -> str:
        """Return the stage's key."""
        return stage_key(self.asked.pipeline, self.asked.stage)

    @property
    def stage(self) -> StageRecord | None:
        """Return the stage; None: the pipeline has none of that name."""
        return next((stage for stage in self.moves.stages if stage.key == self.here), None)

    @property
    def runs(self) -> AskedRuns:
        """Return what makes the runs that are asked for."""
        assert self.stage is not None, "an operation on a run has a stage"
        return AskedRuns(self.moves.stage_moves, self.stage, self.asked)

    async def open_runs(self) -> Sequence[RunRecord]:
        """Return the stage's runs that are not final, oldest revision first."""
        return [run for run in await self.store.open_runs(self.asked.pipeline) if run.stage_key == self.here]

    async def holder(self) -> RunRecord | None:
        """Return the run that holds the stage's lock."""
        return next((run for run in await self.open_runs() if run.state in HOLDS_LOCK), None)

    def unknown_stage(self) -> Refusal:
        """Refuse, because there is no such stage."""
        stages = [stage for stage in self.moves.stages if stage.in_plan]
        names = ", ".join(stage.stage for stage in sorted(stages, key=lambda each: each.place))
        known = f"; it has {names}" if names else ""
        return Refusal(f"pipeline {self.asked.pipeline} has no stage {self.asked.stage}{known}")
