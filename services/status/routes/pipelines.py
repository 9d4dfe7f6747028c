"""`/api/v1/pipelines`: pipelines, their stages, and what ran in them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from fastapi import APIRouter

from services.status.explanation import Reason, why
from services.status.projection import Kind
from services.status.routes.answering import Cursor, Limit, Reader, next_of, place_of, unknown
from services.status.stage_standing import standing, stop_of
from services.status.views import PipelineView, RunView, StageView, Stop, View
from shared.events import Wait

RUNS_USUAL = 20


class StageShown(StageView):
    """A stage as it stands, and why."""

    why: list[Reason]


class PipelineShown(PipelineView):
    """A pipeline with its stages in promotion order."""

    now: list[StageShown]
    stop: Stop | None  # what keeps all of its stages from beginning anything


class PipelineList(View):
    """All pipelines, by name."""

    pipelines: list[PipelineShown]


class RunSummary(View):
    """A run without its story."""

    run: UUID
    stage: str
    revision: int
    kind: str
    state: str
    final: bool
    queued_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    wait: Wait | None
    superseded_by_revision: int | None
    superseded_by_run: UUID | None = None
    restores: int | None = None
    rolls_back: UUID | None = None
    retries: UUID | None = None
    asked_by: str = ""  # empty: it came by itself
    asked_reason: str = ""
    failure_code: str = ""


class RunList(View):
    """Runs of a stage, newest first."""

    runs: list[RunSummary]
    next: str | None = None


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
        add("/pipelines/{pipeline}/stages/{stage}", self.stage, summary="One stage, and why it is so")
        add("/pipelines/{pipeline}/stages/{stage}/runs", self.runs, summary="Its runs, newest first")
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
        """Show one stage: its queue, its waits, its holds, what is live."""
        stages = (await self.one(pipeline)).now
        found = next((each for each in stages if each.stage == stage), None)
        if found is None:
            raise unknown("stage", stage, [each.stage for each in stages])
        return found

    async def runs(
        self, pipeline: str, stage: str, cursor: Cursor = None, limit: Limit = RUNS_USUAL
    ) -> RunList:
        """Show what ran in a stage."""
        await self.stage(pipeline, stage)
        runs = await self.reader.model.runs(f"{pipeline}/{stage}", place_of(cursor), limit)
        following = next_of(Kind.RUN, [str(run.run) for run in runs], runs, limit)
        return RunList(runs=[run_summary(run) for run in runs], next=following)


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
    shown = [StageShown(**stage.model_dump(), why=why(stage)) for stage in stages]
    return PipelineShown(**pipeline.model_dump(), now=shown, stop=stop_of(folded))


def run_summary(run: RunView) -> RunSummary:
    """Return a run without its story."""
    code = run.failure.code if run.failure else ""
    return RunSummary(
        **run.model_dump(include=set(RunSummary.model_fields) - {"failure_code"}), failure_code=code
    )
