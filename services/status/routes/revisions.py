"""`/api/v1/pipelines/{pipeline}/revisions`, `/commits`: what became of a revision, of a commit."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query
from pydantic import Field

from services.status.progress import is_over
from services.status.projection import Kind, revision_key
from services.status.routes.answering import (
    NAMES_TOLD_MAX,
    PAGE_MAX,
    Cursor,
    Limit,
    Reader,
    Revision,
    next_of,
    place_of,
    unknown,
)
from services.status.routes.examples import REVISION_SHOWN, answers
from services.status.routes.pipelines import Pipelines, RunSummary, pipeline_of, run_summary
from services.status.shipping import Shipment, missing, shipments
from services.status.stage_standing import standing
from services.status.views import (
    BuildView,
    DecisionView,
    HeldDefinition,
    LogView,
    PipelineView,
    RevisionView,
    RunInShort,
    RunView,
    View,
)
from shared.problems import ProblemError
from shared.web.described import refused

REVISIONS_USUAL = 20  # each is shown with the outcome of its runs
SHORTEST_COMMIT = 7  # characters, as git shortens them
LOOKS_MAX = 20  # for who superseded whom; in a burst each run names the next
NEWER_MAX = 64  # revisions read at one look

Sha = Annotated[
    str,
    Path(
        pattern=r"^[0-9a-fA-F]{7,64}$",
        description=f"A commit, of which {SHORTEST_COMMIT} characters are enough.",
    ),
]


class RevisionSummary(RevisionView):
    """A revision and the newest run of it in each stage it came to."""

    outcomes: list[RunSummary] = Field(description="Its newest run in each stage that it came to")


class RevisionList(View):
    """Revisions, newest first."""

    revisions: list[RevisionSummary] = Field(description="The revisions")
    skipped: tuple[DecisionView, ...] = Field(
        (), description="Pushes of the commit asked for that needed no revision: others contain it"
    )
    next: str | None = Field(None, description="The cursor of the page after this one; null: it is the last")


class RevisionShown(RevisionView):
    """A revision and all that became of it."""

    runs: list[RunSummary] = Field(description="Its runs, in the order that they were queued")
    shipped: list[Shipment] = Field(
        description="Per stage, in promotion order: the deployment that brought it, or what that depends on"
    )
    definition: HeldDefinition | None = Field(
        description="Changes of the pipeline file that somebody must approve, or had to: which, and who did"
    )
    builds: list[BuildView] = Field(description="What was built for it")
    logs: list[LogView] = Field(description="The outputs of its builds and steps")
    live_in: list[str] = Field(description="Stages where it is in place now")
    superseded_by: int | None = Field(description="The revision that took its place, where one did")
    over: bool = Field(description="Nothing more follows unless a person asks")


class CommitShown(View):
    """A commit and the revision that has it."""

    commit: str = Field(description="The commit, in full")
    decision: DecisionView | None = Field(description="What became of the newest push of it here")
    revisions: list[int] = Field(description="All that have it, newest first")
    revision: RevisionShown | None = Field(description="The newest of them; null: no revision is known to")


@dataclass(frozen=True, slots=True)
class Revisions:
    """Answers about revisions."""

    reader: Reader
    pipelines: Pipelines

    def router(self) -> APIRouter:
        """Return the routes."""
        router = self.reader.router("pipelines")
        add = router.add_api_route
        add("/pipelines/{pipeline}/revisions", self.revisions, summary="Its revisions, newest first")
        add(
            "/pipelines/{pipeline}/revisions/{revision}",
            self.revision,
            summary="What became of one: which deployment shipped it, stage by stage",
            responses=answers(REVISION_SHOWN),
        )
        add(
            "/pipelines/{pipeline}/commits/{sha}",
            self.commit,
            summary="Which deployment shipped a commit",
            responses={409: refused("Several commits begin like that.")},
        )
        return router

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
        """Show one revision: what brought it to each stage, its runs, its builds, its logs."""
        view = await self._view(pipeline, revision)
        if view is None:
            raise unknown_revision(await pipeline_of(self.reader, pipeline), revision)
        return await self._shown(view)

    async def commit(self, pipeline: str, sha: Sha) -> CommitShown:
        """Show what became of a commit; one whose push was skipped is in another revision."""
        await pipeline_of(self.reader, pipeline)
        prefix, model = sha.lower(), self.reader.model
        found = await model.commits(Kind.REVISION, RevisionView, prefix, PAGE_MAX)
        decided = await model.commits(Kind.DECISION, DecisionView, prefix, PAGE_MAX)
        mine = [each for each in found if each.pipeline == pipeline]
        decisions = [each for each in decided if each.pipeline == pipeline]
        commit = _only(prefix, {each.commit for each in mine} | {each.commit for each in decisions})
        decision = next(iter(decisions), None)
        if not mine:
            containing = (each.revision for each in decisions if each.revision)
            views = [await self._view(pipeline, number) for number in dict.fromkeys(containing)]
            mine = sorted((view for view in views if view), key=lambda view: view.revision, reverse=True)
        revision = await self._shown(mine[0]) if mine else None
        numbers = [each.revision for each in mine]
        return CommitShown(commit=commit, decision=decision, revisions=numbers, revision=revision)

    async def _view(self, pipeline: str, revision: int) -> RevisionView | None:
        return await self.reader.model.view(Kind.REVISION, RevisionView, revision_key(pipeline, revision))

    async def _shown(self, view: RevisionView) -> RevisionShown:
        model, key = self.reader.model, revision_key(view.pipeline, view.revision)
        runs = await model.runs_of(view)
        folded = (await model.stages([view.pipeline]))[view.pipeline]
        stages = standing(await pipeline_of(self.reader, view.pipeline), folded, self.reader.now)
        builds = await model.listed(Kind.BUILD, BuildView, key, None, PAGE_MAX)
        return RevisionShown(
            **vars(view),
            runs=[run_summary(run) for run in runs],
            shipped=shipments(view, await self._with_successors(view, runs), stages),
            definition=next((run.definition for run in runs[::-1] if run.definition), None),
            builds=builds[::-1],
            logs=await model.logs_of(view.pipeline, view.revision),
            live_in=[stage.stage for stage in stages if stage.live and stage.live.revision == view.revision],
            superseded_by=next(
                (run.superseded_by_revision for run in runs if run.superseded_by_revision), None
            ),
            over=is_over(view, runs),
        )

    async def _with_successors(self, view: RevisionView, own: Sequence[RunView]) -> dict[UUID, RunView]:
        """Return its runs and those that superseded them, as far as it takes to tell who shipped it."""
        known = {run.run: run for run in own}
        for look in range(LOOKS_MAX):
            wanted = missing(view, known)
            newer = min(4**look, NEWER_MAX)
            keys = {revision_key(view.pipeline, first + more) for first in wanted for more in range(newer)}
            found = await self.reader.model.runs_of_keys(sorted(keys)) if keys else []
            fresh = {run.run: run for run in found if run.run not in known}
            if not fresh:
                break
            known |= fresh
        return known

    async def _with_commit(self, pipeline: str, commit: str) -> RevisionList:
        model = self.reader.model
        found = await model.of_commit(Kind.REVISION, RevisionView, commit, PAGE_MAX)
        decisions = await model.of_commit(Kind.DECISION, DecisionView, commit, PAGE_MAX)
        skipped = [each for each in decisions if each.pipeline == pipeline and each.decision == "skipped"]
        if not found:
            containing = {each.revision for each in skipped if each.revision}
            views = [await self._view(pipeline, number) for number in sorted(containing, reverse=True)]
            found = [view for view in views if view is not None]
        mine = [revision for revision in found if revision.pipeline == pipeline]
        return RevisionList(revisions=await self._summaries(mine), skipped=tuple(skipped))

    async def _summaries(self, found: Sequence[RevisionView]) -> list[RevisionSummary]:
        runs = await self.reader.model.runs_of_many(found)
        return [RevisionSummary(**vars(each), outcomes=_outcomes(runs[each.revision])) for each in found]


def _outcomes(runs: Sequence[RunInShort]) -> list[RunSummary]:
    newest = {run.stage: run for run in runs}
    return [run_summary(run) for run in newest.values()]


def _only(prefix: str, commits: set[str]) -> str:
    """Return the commit that is meant."""
    if not commits:
        hint = "Only the newest commit of a push becomes a revision: ask for that one."
        raise unknown("commit", prefix, hint=hint)
    if len(commits) > 1:
        names = ", ".join(sorted(commits)[:NAMES_TOLD_MAX])
        raise ProblemError(
            409, "ambiguous-commit", f"Several commits begin with {prefix}.", next_=f"Say which: {names}."
        )
    return commits.pop()


def unknown_revision(pipeline: PipelineView, revision: int) -> ProblemError:
    """Return the answer to whoever names a revision that a pipeline does not have."""
    newest = pipeline.newest_revision
    known = f"Its newest revision is {newest}." if newest else "It has no revision yet."
    return unknown("revision", revision_key(pipeline.pipeline, revision), hint=known)
