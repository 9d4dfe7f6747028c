"""`/api/v1/pipelines`: pipelines, their stages, and their revisions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query

from services.status.explanation import Reason, why
from services.status.progress import is_over
from services.status.projection import Kind, revision_key
from services.status.routes.answering import PAGE_MAX, Cursor, Limit, Reader, next_of, place_of, unknown
from services.status.views import (
    BuildView,
    DecisionView,
    LogView,
    PipelineView,
    RevisionView,
    RunView,
    StageView,
    View,
)
from shared.events import Wait
from shared.problems import ProblemError

REVISIONS_USUAL = 20  # each is shown with the outcome of its runs
REVISION_MAX = 2**31 - 1

Revision = Annotated[int, Path(ge=1, le=REVISION_MAX)]


class StageShown(StageView):
    """A stage as it stands, and why."""

    why: list[Reason]


class PipelineShown(PipelineView):
    """A pipeline with its stages in promotion order."""

    now: list[StageShown]


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
    failure_code: str = ""


class RevisionSummary(RevisionView):
    """A revision and the newest run of it in each stage it came to."""

    outcomes: list[RunSummary]


class RevisionList(View):
    """Revisions, newest first."""

    revisions: list[RevisionSummary]
    skipped: tuple[DecisionView, ...] = ()  # of the commit asked for: contained in other revisions
    next: str | None = None


class RevisionShown(RevisionView):
    """A revision and all that became of it."""

    runs: list[RunSummary]
    builds: list[BuildView]
    logs: list[LogView]
    live_in: list[str]  # stages where it is in place now
    superseded_by: int | None  # the revision that took its place, where one did
    over: bool  # nothing more follows unless a person asks


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
        add("/pipelines/{pipeline}/revisions", self.revisions, summary="Its revisions, newest first")
        add("/pipelines/{pipeline}/revisions/{revision}", self.revision, summary="What became of one")
        add("/pipelines/{pipeline}/stages/{stage}", self.stage, summary="One stage, and why it is so")
        add("/pipelines/{pipeline}/stages/{stage}/runs", self.runs, summary="Its runs, newest first")
        return router

    async def all(self) -> PipelineList:
        """Show everything there is, by name."""
        pipelines = await self.reader.model.pipelines()
        stages = await self.reader.model.stages([pipeline.pipeline for pipeline in pipelines])
        return PipelineList(pipelines=[_shown(each, stages[each.pipeline]) for each in pipelines])

    async def one(self, pipeline: str) -> PipelineShown:
        """Show one pipeline."""
        view = await pipeline_of(self.reader, pipeline)
        stages = await self.reader.model.stages([pipeline])
        return _shown(view, stages[pipeline])

    async def stage(self, pipeline: str, stage: str) -> StageShown:
        """Show one stage: its queue, its waits, its holds, what is live."""
        stages = (await self.one(pipeline)).now
        found = next((each for each in stages if each.stage == stage), None)
        if found is None:
            raise unknown("stage", stage, [each.stage for each in stages])
        return found

    async def runs(
        self, pipeline: str, stage: str, cursor: Cursor = None, limit: Limit = REVISIONS_USUAL
    ) -> RunList:
        """Show what ran in a stage."""
        await self.stage(pipeline, stage)
        runs = await self.reader.model.runs(f"{pipeline}/{stage}", place_of(cursor), limit)
        following = next_of(Kind.RUN, [str(run.run) for run in runs], runs, limit)
        return RunList(runs=[_summary(run) for run in runs], next=following)

    async def revisions(
        self,
        pipeline: str,
        commit: Annotated[str | None, Query(description="Only what has this commit.")] = None,
        cursor: Cursor = None,
        limit: Limit = REVISIONS_USUAL,
    ) -> RevisionList:
        """Show revisions; asked for a commit, those that shipped it."""
        await pipeline_of(self.reader, pipeline)
        if commit is not None:
            return await self._with_commit(pipeline, commit)
        found = await self.reader.model.revisions(pipeline, place_of(cursor), limit)
        shown = await self._summaries(found)
        keys = [revision_key(pipeline, each.revision) for each in found]
        return RevisionList(revisions=shown, next=next_of(Kind.REVISION, keys, found, limit))

    async def revision(self, pipeline: str, revision: Revision) -> RevisionShown:
        """Show one revision: its runs in each stage, its builds, its logs."""
        model = self.reader.model
        view = await model.view(Kind.REVISION, RevisionView, revision_key(pipeline, revision))
        if view is None:
            raise unknown_revision(await pipeline_of(self.reader, pipeline), revision)
        runs = await model.runs_of(view)
        stages = (await model.stages([pipeline]))[pipeline]
        builds = await model.listed(Kind.BUILD, BuildView, revision_key(pipeline, revision), None, PAGE_MAX)
        return RevisionShown(
            **view.model_dump(),
            runs=[_summary(run) for run in runs],
            builds=builds[::-1],
            logs=await model.logs_of(pipeline, revision),
            live_in=[stage.stage for stage in stages if stage.live and stage.live.revision == revision],
            superseded_by=next(
                (run.superseded_by_revision for run in runs if run.superseded_by_revision), None
            ),
            over=is_over(view, runs),
        )

    async def _with_commit(self, pipeline: str, commit: str) -> RevisionList:
        model = self.reader.model
        found = await model.of_commit(Kind.REVISION, RevisionView, commit, PAGE_MAX)
        decisions = await model.of_commit(Kind.DECISION, DecisionView, commit, PAGE_MAX)
        skipped = [each for each in decisions if each.pipeline == pipeline and each.decision == "skipped"]
        if not found:
            containing = {each.revision for each in skipped if each.revision}
            views = [
                await model.view(Kind.REVISION, RevisionView, revision_key(pipeline, number))
                for number in sorted(containing, reverse=True)
            ]
            found = [view for view in views if view is not None]
        mine = [revision for revision in found if revision.pipeline == pipeline]
        return RevisionList(revisions=await self._summaries(mine), skipped=tuple(skipped))

    async def _summaries(self, found: Sequence[RevisionView]) -> list[RevisionSummary]:
        runs = await self.reader.model.runs_of_many(found)
        return [
            RevisionSummary(**each.model_dump(), outcomes=_outcomes(runs[each.revision])) for each in found
        ]


def unknown_revision(pipeline: PipelineView, revision: int) -> ProblemError:
    """Return the answer to whoever names a revision that a pipeline does not have."""
    newest = pipeline.newest_revision
    known = f"Its newest revision is {newest}." if newest else "It has no revision yet."
    return unknown("revision", revision_key(pipeline.pipeline, revision), hint=known)


async def pipeline_of(reader: Reader, pipeline: str) -> PipelineView:
    """Return what is known of a pipeline; refuses one that is not there."""
    view = await reader.model.view(Kind.PIPELINE, PipelineView, pipeline)
    if view is None:
        known = [each.pipeline for each in await reader.model.pipelines()]
        raise unknown("pipeline", pipeline, known)
    return view


def _shown(pipeline: PipelineView, stages: Sequence[StageView]) -> PipelineShown:
    """Return the pipeline with the stages its plan has, known or not, and those it once had."""
    known = {stage.stage: stage for stage in stages}
    planned = [
        known.pop(name, StageView(pipeline=pipeline.pipeline, stage=name, place=place))
        for place, name in enumerate(pipeline.stages)
    ]
    now = [StageShown(**stage.model_dump(), why=why(stage)) for stage in (*planned, *known.values())]
    return PipelineShown(**pipeline.model_dump(), now=now)


def _outcomes(runs: Sequence[RunView]) -> list[RunSummary]:
    newest = {run.stage: run for run in runs}
    return [_summary(run) for run in newest.values()]


def _summary(run: RunView) -> RunSummary:
    code = run.failure.code if run.failure else ""
    return RunSummary(
        **run.model_dump(include=set(RunSummary.model_fields) - {"failure_code"}), failure_code=code
    )
