"""`/api/v1/runs`, `/api/v1/pushes`: what happened, thing by thing."""

from dataclasses import dataclass
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from services.status.progress import with_planned_steps
from services.status.projection import Kind, revision_key
from services.status.routes.answering import (
    PAGE_MAX,
    PAGE_USUAL,
    Cursor,
    Limit,
    Reader,
    next_of,
    place_of,
    unknown,
)
from services.status.routes.examples import RUN, VERIFICATION, answers
from services.status.views import (
    BuildView,
    DecisionView,
    PushView,
    RevisionView,
    RunView,
    VerificationStory,
    View,
)


class RunShown(RunView):
    """A run with every step of its plan and its artifacts."""

    title: str = Field("", description="The first line of its revision's commit")
    artifacts: list[BuildView] = Field(description="What was built for its revision")


class PushShown(PushView):
    """A push and what became of it in each pipeline."""

    decisions: list[DecisionView] = Field(description="What became of it, pipeline by pipeline")


class PushList(View):
    """Pushes of a repository and what became of them, newest first."""

    pushes: list[PushShown] = Field(description="The pushes")
    next: str | None = Field(None, description="The cursor of the page after this one; null: it is the last")


@dataclass(frozen=True, slots=True)
class Runs:
    """Answers about single things."""

    reader: Reader

    def router(self) -> APIRouter:
        """Return the routes."""
        router = self.reader.router("runs")
        add = router.add_api_route
        add(
            "/runs/{run}",
            self.run,
            summary="One run: timeline, steps, waits, verification, failure",
            responses=answers(RUN),
        )
        add(
            "/runs/{run}/verifications/{verification}",
            self.verification,
            summary="One verification of a run, round by round",
            responses=answers(VERIFICATION),
        )
        add("/pushes/{push}", self.push, summary="One push and what became of it")
        add("/pushes", self.pushes, summary="A repository's pushes, newest first")
        return router

    async def run(self, run: UUID) -> RunShown:
        """Show one run: its timeline, the graph of its steps with their durations, its waits, its failure."""
        model, view = self.reader.model, await self._run(run)
        key = revision_key(view.pipeline, view.revision)
        revision = await model.view(Kind.REVISION, RevisionView, key)
        stages = {stage.name: stage for stage in revision.stages} if revision else {}
        shown = with_planned_steps(view, stages.get(view.stage))
        builds = await model.listed(Kind.BUILD, BuildView, key, None, PAGE_MAX)
        title = revision.title if revision else ""
        return RunShown(**vars(shown), title=title, artifacts=builds[::-1])

    async def verification(self, run: UUID, verification: UUID) -> VerificationStory:
        """Show one verification: what every round saw, but for the middle of a long one."""
        story = await self.reader.model.view(Kind.VERIFICATION, VerificationStory, str(verification))
        if story is not None and story.run == run:
            return story
        view = await self._run(run)
        known = {each.verification: each for each in view.verifications}
        if verification not in known:
            raise unknown("verification", verification, [*known])
        where = view.model_dump(include={"run", "pipeline", "stage", "revision"})
        return VerificationStory(**known[verification].model_dump(), **where)  # of an earlier release

    async def _run(self, run: UUID) -> RunView:
        view = await self.reader.model.view(Kind.RUN, RunView, str(run))
        if view is None:
            raise unknown("run", run, hint="GET /api/v1/pipelines/{pipeline}/stages/{stage}/runs lists them.")
        return view

    async def push(self, push: UUID) -> PushShown:
        """Show one push."""
        view = await self.reader.model.view(Kind.PUSH, PushView, str(push))
        if view is None:
            raise unknown("push", push, hint="A push is known a moment after it was accepted.")
        decisions = await self.reader.model.decisions_of([push])
        return PushShown(**vars(view), decisions=decisions[push])

    async def pushes(self, repository: str, cursor: Cursor = None, limit: Limit = PAGE_USUAL) -> PushList:
        """Show what arrived, and what became of it."""
        found = await self.reader.model.listed(Kind.PUSH, PushView, repository, place_of(cursor), limit)
        decisions = await self.reader.model.decisions_of([each.push for each in found])
        shown = [PushShown(**vars(each), decisions=decisions[each.push]) for each in found]
        return PushList(
            pushes=shown, next=next_of(Kind.PUSH, [str(each.push) for each in found], found, limit)
        )
