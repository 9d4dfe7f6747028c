"""`/api/v1/pipelines`: pipelines, their stages, and what ran in them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from services.status.approvals import Approval, approvals
from services.status.explanation import Reason, why
from services.status.projection import Kind
from services.status.routes.answering import Cursor, Limit, Reader, next_of, place_of, unknown
from services.status.routes.examples import OPERATION, STAGE, answers
from services.status.stage_standing import standing, stop_of
from services.status.timeline import said_by
from services.status.views import (
    OperationView,
    PipelineView,
    RollbackByItself,
    RunInShort,
    RunView,
    StageView,
    Stop,
    View,
)
from services.status.views.stage import ROLLBACK_TOLD
from shared.events import Wait
from shared.ids import WHOLE, stage_key

RUNS_USUAL = 20
OPERATIONS_USUAL = 20


class StageShown(StageView):
    """A stage as it stands, and why."""

    approvals: list[Approval] = Field(description="What waits for somebody to approve or reject it")
    why: list[Reason] = Field(
        description="What happens, what waits and what is kept, in sentences; never empty"
    )


class PipelineShown(PipelineView):
    """A pipeline with its stages in promotion order."""

    now: list[StageShown] = Field(description="Its stages as they stand")
    stop: Stop | None = Field(description="What keeps all of its stages from beginning anything")


class PipelineList(View):
    """All pipelines, by name."""

    pipelines: list[PipelineShown] = Field(description="The pipelines")


class RunSummary(View):
    """A run without its story."""

    run: UUID = Field(description="Its id: /api/v1/runs/{run} tells all of it")
    stage: str = Field(description="Its stage")
    revision: int = Field(description="Its revision")
    kind: str = Field(description="deploy, retry, rollback or roll_forward")
    commit: str = Field(description="The revision's commit")
    state: str = Field(description="Its state, in the fixed words")
    final: bool = Field(description="Whether that never changes any more")
    queued_at: datetime = Field(description="When it came to be")
    started_at: datetime | None = Field(description="When it got hold of the stage")
    finished_at: datetime | None = Field(description="When it ended")
    deadline: datetime | None = Field(description="When its time is over; null until it starts")
    queued_seconds: float | None = Field(description="From `queued_at` until it started, or ended")
    waiting_seconds: float = Field(description="What it waited since it started, without the wait now")
    running_seconds: float | None = Field(description="From start to end without what it waited")
    wait: Wait | None = Field(description="What it waits for now; null: nothing")
    superseded_by_revision: int | None = Field(description="The revision that took its place")
    superseded_by_run: UUID | None = Field(None, description="That one's run")
    restores: int | None = Field(None, description="A rollback: the revision that it brings back")
    rolls_back: UUID | None = Field(None, description="A rollback: the run that made it necessary")
    retries: UUID | None = Field(None, description="A retry: the run that is tried again")
    asked_by: str = Field("", description="Who asked for it; empty: it came by itself")
    asked_reason: str = Field("", description="Why they did")
    failure_code: str = Field("", description="What its failure is called; empty: it did not fail")
    message: str = Field("", description="What, or who, ended it; empty: it is not over, or went well")
    rollback: RollbackByItself = Field("", description=ROLLBACK_TOLD)


class RunList(View):
    """Runs of a stage, newest first."""

    runs: list[RunSummary] = Field(description="The runs")
    next: str | None = Field(None, description="The cursor of the page after this one; null: it is the last")


class OperationList(View):
    """What people asked a stage for, or a whole pipeline, newest first."""

    operations: list[OperationView] = Field(description="The operations with their answers")
    next: str | None = Field(None, description="The cursor of the page after this one; null: it is the last")


@dataclass(frozen=True, slots=True)
class Pipelines:
    """Answers about pipelines."""

    reader: Reader

    def router(self) -> APIRouter:
        """Return the routes."""
        router = self.reader.router("pipelines")
        add = router.add_api_route
        add("/pipelines", self.all, summary="All pipelines and how their stages stand")
        add("/pipelines/{pipeline}", self.one, summary="One pipeline and how its stages stand")
        add(
            "/pipelines/{pipeline}/stages/{stage}",
            self.stage,
            summary="One stage, and why it is so",
            responses=answers(STAGE),
        )
        add("/pipelines/{pipeline}/stages/{stage}/runs", self.runs, summary="Its runs, newest first")
        told = answers({"operations": [OPERATION], "next": None})
        asked = "What people asked it for, and the answers, newest first"
        add("/pipelines/{pipeline}/stages/{stage}/operations", self.operations, summary=asked, responses=told)
        add("/pipelines/{pipeline}/operations", self.operations_of_all, summary=asked, responses=told)
        return router

    async def all(self) -> PipelineList:
        """Show everything there is, by name."""
        pipelines = await self.reader.model.pipelines()
        stages = await self.reader.model.stages([pipeline.pipeline for pipeline in pipelines])
        now = self.reader.now
        return PipelineList(pipelines=[_shown(each, stages[each.pipeline], now) for each in pipelines])

    async def one(self, pipeline: str) -> PipelineShown:
        """Show one pipeline."""
        view = await pipeline_of(self.reader, pipeline)
        stages = await self.reader.model.stages([pipeline])
        return _shown(view, stages[pipeline], self.reader.now)

    async def stage(self, pipeline: str, stage: str) -> StageShown:
        """Show one stage: who holds it, who waits, approvals, holds, blockers, stops, what is live."""
        stages = (await self.one(pipeline)).now
        found = next((each for each in stages if each.stage == stage), None)
        if found is None:
            raise unknown("stage", stage, [each.stage for each in stages])
        return found

    async def runs(
        self, pipeline: str, stage: str, cursor: Cursor = None, limit: Limit = RUNS_USUAL
    ) -> RunList:
        """Show what ran in a stage, with how long each waited and worked."""
        await self.stage(pipeline, stage)
        runs = await self.reader.model.runs(f"{pipeline}/{stage}", place_of(cursor), limit)
        following = next_of(Kind.RUN, [str(run.run) for run in runs], runs, limit)
        return RunList(runs=[run_summary(run) for run in runs], next=following)

    async def operations(
        self, pipeline: str, stage: str, cursor: Cursor = None, limit: Limit = OPERATIONS_USUAL
    ) -> OperationList:
        """Show who asked a stage for what, when and why, and what was answered."""
        await self.stage(pipeline, stage)
        return await self._operations(stage_key(pipeline, stage), cursor, limit)

    async def operations_of_all(
        self, pipeline: str, cursor: Cursor = None, limit: Limit = OPERATIONS_USUAL
    ) -> OperationList:
        """Show what was asked of all stages at once; what was asked of one is with the stage."""
        await pipeline_of(self.reader, pipeline)
        return await self._operations(stage_key(pipeline, WHOLE), cursor, limit)

    async def _operations(self, scope: str, cursor: str | None, limit: int) -> OperationList:
        model = self.reader.model
        found = await model.listed(Kind.OPERATION, OperationView, scope, place_of(cursor), limit)
        keys = [str(each.operation) for each in found]
        return OperationList(operations=found, next=next_of(Kind.OPERATION, keys, found, limit))


async def pipeline_of(reader: Reader, pipeline: str) -> PipelineView:
    """Return what is known of a pipeline; refuses one that is not there."""
    view = await reader.model.view(Kind.PIPELINE, PipelineView, pipeline)
    if view is None:
        known = [each.pipeline for each in await reader.model.pipelines()]
        raise unknown("pipeline", pipeline, known)
    return view


def _shown(pipeline: PipelineView, folded: Sequence[StageView], now: datetime) -> PipelineShown:
    """Return the pipeline with its stages, those of its plan and those it once had."""
    stages = standing(pipeline, folded, now)
    shown = [StageShown(**vars(stage), approvals=approvals(stage), why=why(stage)) for stage in stages]
    return PipelineShown(**vars(pipeline), now=shown, stop=stop_of(folded))


def run_summary(run: RunView | RunInShort) -> RunSummary:
    """Return a run without its story."""
    code = run.failure.code if run.failure else ""
    return RunSummary(**vars(run), failure_code=code, message=_ended_by(run))


def _ended_by(run: RunView | RunInShort) -> str:
    if run.evidence is not None:
        return run.evidence.message
    return f"by {said_by(run.actor, run.reason)}" if run.final and run.actor else ""
