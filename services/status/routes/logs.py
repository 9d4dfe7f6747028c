"""Output, in pages or as it comes: of one attempt, or of all attempts of a revision."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Response
from pydantic import Field

from services.status.progress import is_over
from services.status.projection import Kind, revision_key
from services.status.routes.answering import Reader, Revision, unknown
from services.status.routes.pipelines import pipeline_of
from services.status.routes.revisions import unknown_revision
from services.status.routes.streaming import Page, Said, cursor_of, stream
from services.status.routes.together import Source, Together
from services.status.store.reading import Chunk, ReadModel
from services.status.views import LogView, RevisionView, View

After = Annotated[int, Field(ge=0, description="The `next` of the page before.")]
LastEventId = Annotated[str | None, Header()]


class LogQuery(View):
    """How output is wanted."""

    cursor: After = 0
    follow: bool = Field(default=False, description="Go on as lines come, as a stream of events.")


class RevisionLogQuery(LogQuery):
    """Which output, too."""

    stage: str | None = Field(default=None, description="Empty: the builds. Without it, all.")


class LineShown(View):
    """One line of output; not cleaned of anything a program printed."""

    number: int
    at: datetime
    text: str


class LogChunk(View):
    """Lines of one attempt, in a row."""

    log: str
    stage: str
    what: str
    lines: list[LineShown]


class LogPage(View):
    """Output in the order it arrived."""

    chunks: list[LogChunk]
    next: int  # the cursor behind it; the same as before when there is nothing new
    over: bool  # nothing more will come


@dataclass(frozen=True, slots=True)
class Logs:
    """Answers with output."""

    reader: Reader
    _together: Together = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_together", Together(self.reader.changes))

    def router(self) -> APIRouter:
        """Return the routes; a stream and a page are two answers of one address."""
        router = self.reader.router("logs")
        add = router.add_api_route
        responses: dict[int | str, dict[str, Any]] = {200: {"content": {"text/event-stream": {}}}}
        add(
            "/pipelines/{pipeline}/revisions/{revision}/logs",
            self.of_revision,
            response_model=LogPage,
            responses=responses,
            summary="All output of a revision, in the order it arrived",
        )
        add(
            "/logs/{log:path}",
            self.of_log,
            response_model=LogPage,
            responses=responses,
            summary="The output of one attempt of a step or build",
        )
        return router

    async def of_revision(
        self,
        pipeline: str,
        revision: Revision,
        wanted: Annotated[RevisionLogQuery, Query()],
        last_event_id: LastEventId = None,
    ) -> LogPage | Response:
        """Show the output of a revision, of all stages and builds or of one stage."""
        model, stage = self.reader.model, wanted.stage
        key = revision_key(pipeline, revision)
        view = await model.view(Kind.REVISION, RevisionView, key)
        if view is None:
            raise unknown_revision(await pipeline_of(self.reader, pipeline), revision)
        stages = [each.name for each in view.stages]
        if stage and stage not in stages:
            raise unknown("stage", stage, stages)
        return await self._answer(OutputOfRevision(model, pipeline, revision, stage), wanted, last_event_id)

    async def of_log(
        self, log: str, wanted: Annotated[LogQuery, Query()], last_event_id: LastEventId = None
    ) -> LogPage | Response:
        """Show the output of one attempt."""
        model = self.reader.model
        if await model.view(Kind.LOG, LogView, log) is None:
            raise unknown("log", log, hint="GET /api/v1/runs/{run} names the log of each step.")
        return await self._answer(OutputOfAttempt(model, log), wanted, last_event_id)

    async def _answer(
        self, source: Source, wanted: LogQuery, last_event_id: str | None
    ) -> LogPage | Response:
        if wanted.follow:
            read_on = self._together.reading(source).read_on
            return stream(self.reader.changes, cursor_of(last_event_id, wanted.cursor), read_on)
        return _page(await source.read_on(wanted.cursor), wanted.cursor)


@dataclass(frozen=True, slots=True)
class OutputOfAttempt:
    """What one attempt of a step or build prints."""

    model: ReadModel
    log: str

    async def read_on(self, after: int) -> Page:
        """See `Source`."""
        # In this order: a log that is closed has all its lines.
        view = await self.model.view(Kind.LOG, LogView, self.log)
        chunks = await self.model.chunks_of_log(self.log, after)
        return Page(_said(chunks), over=view is not None and view.closed and not chunks)


@dataclass(frozen=True, slots=True)
class OutputOfRevision:
    """What all attempts of a revision print, or those of one stage."""

    model: ReadModel
    pipeline: str
    revision: int
    stage: str | None  # empty: the builds; None: all

    async def read_on(self, after: int) -> Page:
        """See `Source`."""
        chunks, over = await self._chunks(after), False
        if not chunks and (over := await self._is_over()):
            chunks = await self._chunks(after)  # the very last
        return Page(_said(chunks), over=over and not chunks)

    async def _chunks(self, after: int) -> list[Chunk]:
        return await self.model.chunks_of_revision(self.pipeline, self.revision, self.stage, after)

    async def _is_over(self) -> bool:
        key = revision_key(self.pipeline, self.revision)
        revision = await self.model.view(Kind.REVISION, RevisionView, key)
        if revision is None:  # it is being rebuilt
            return False
        in_short = (await self.model.runs_of_many([revision]))[self.revision]
        here = [run for run in in_short if run.stage == self.stage]
        if not is_over(revision, in_short) and not (here and all(run.final for run in here)):
            return False
        runs = await self.model.runs_of(revision)
        logs = await self.model.logs_of(self.pipeline, self.revision)
        # A step's end may be heard before any line of it: they are of two topics.
        named = {
            step.log for run in runs if self.stage in {None, run.stage} for step in run.steps if step.log
        }
        closed = {log.log for log in logs if log.closed}
        return all(log.closed for log in logs) and named <= closed


def _page(page: Page, cursor: int) -> LogPage:
    following = page.said[-1].cursor if page.said else cursor
    return LogPage(chunks=[said.data for said in page.said], next=following, over=page.over)


def _said(chunks: Sequence[Chunk]) -> list[Said]:
    return [Said(chunk.sequence, "lines", _shown(chunk)) for chunk in chunks]


def _shown(chunk: Chunk) -> LogChunk:
    lines = [
        LineShown(number=chunk.first_line + offset, at=line.at, text=line.text)
        for offset, line in enumerate(chunk.lines)
    ]
    return LogChunk(log=chunk.log, stage=chunk.stage, what=chunk.what, lines=lines)
