"""What queries read: views, events, log lines. Every list is bounded and goes on from a cursor."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import TypeVar
from uuid import UUID

import sqlalchemy as sa

from services.status import tables
from services.status.audit_trail import TYPES
from services.status.progress import as_queued
from services.status.projection import Kind, revision_key
from services.status.store.writing import row_id
from services.status.views import (
    DecisionView,
    LogView,
    OperationView,
    PipelineView,
    RevisionView,
    RunView,
    StageView,
    View,
)
from shared.db import ServiceDatabase
from shared.events import LogAppended, LogLine

PIPELINES_MAX = 1_000  # shown at once
STAGES_MAX = 100  # of one pipeline
RUNS_OF_REVISION_MAX = 500  # retries and rollbacks among them
LOGS_OF_REVISION_MAX = 1_000
DECISIONS_MAX = 200  # of one push: a repository has fewer pipelines
CHUNKS_MAX = 20  # of output read at once, each of at most 500 lines

History = tables.history.c
Chunks = tables.log_chunks.c
Views = tables.views.c

V = TypeVar("V", bound=View)
Place = tuple[int, str]  # a view's number and id, which no two in a list share

_BY_ID = sa.select(Views.document).where(Views.id == sa.bindparam("row"))


@dataclass(frozen=True, slots=True)
class EventRow:
    """An event as it is in the history."""

    sequence: int
    id: UUID
    type: str
    topic: str
    subject: str
    source: str
    time: datetime
    correlation: str
    causation: UUID | None
    body: str  # JSON


_EVENT = tuple(History[field.name] for field in fields(EventRow))


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some lines of one attempt's output."""

    sequence: int
    log: str
    stage: str
    what: str
    first_line: int
    lines: tuple[LogLine, ...]
    last: bool


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which events are wanted; empty fields ask for all. The narrowest comes first."""

    correlation: str = ""
    key: str = ""
    pipeline: str = ""
    type: str = ""


@dataclass(frozen=True, slots=True)
class ReadModel:
    """Reads what was written."""

    db: ServiceDatabase

    async def view(self, kind: Kind, model: type[V], key: str) -> V | None:
        """Return one view."""
        async with self.db.reading() as reading:
            document = (await reading.execute(_BY_ID, {"row": row_id(kind, key)})).scalar()
        return model.model_validate_json(document) if document else None

    async def pipelines(self) -> list[PipelineView]:
        """Return all pipelines, by name."""
        found = await self._list(Kind.PIPELINE, Views.scope == "", limit=PIPELINES_MAX)
        pipelines = [_typed(PipelineView, document) for document in found]
        return sorted(pipelines, key=lambda pipeline: pipeline.pipeline)

    async def stages(self, pipelines: Sequence[str]) -> dict[str, list[StageView]]:
        """Return the stages of each pipeline as they were heard of, `*` among them."""
        limit = STAGES_MAX * max(len(pipelines), 1)
        found = await self._list(Kind.STAGE, Views.scope.in_(list(pipelines)), limit=limit)
        stages: dict[str, list[StageView]] = {name: [] for name in pipelines}
        for document in found:
            stage = _typed(StageView, document)
            stages[stage.pipeline].append(stage)
        return stages

    async def revisions(self, pipeline: str, before: Place | None, limit: int) -> list[RevisionView]:
        """Return a pipeline's revisions, newest first."""
        which = Views.scope == pipeline
        found = await self._list(Kind.REVISION, which, before=before, limit=limit)
        return [_typed(RevisionView, document) for document in found]

    async def of_commit(self, kind: Kind, model: type[V], commit: str, limit: int) -> list[V]:
        """Return the views about a commit, newest first."""
        found = await self._list(kind, Views.about == commit, limit=limit)
        return [_typed(model, document) for document in found]

    async def commits(self, kind: Kind, model: type[V], prefix: str, limit: int) -> list[V]:
        """Return the views about commits that begin like this, newest first."""
        which = (Views.about >= prefix) & (Views.about < f"{prefix}g")  # behind every hexadecimal digit
        found = await self._list(kind, which, limit=limit)
        return [_typed(model, document) for document in found]

    async def runs(self, stage_key: str, before: Place | None, limit: int) -> list[RunView]:
        """Return a stage's runs, newest first."""
        found = await self._list(Kind.RUN, Views.scope == stage_key, before=before, limit=limit)
        return [_typed(RunView, document) for document in found]

    async def runs_of(self, revision: RevisionView) -> list[RunView]:
        """Return a revision's runs, in the order they were queued."""
        return (await self.runs_of_many([revision]))[revision.revision]

    async def runs_of_many(self, revisions: Sequence[RevisionView]) -> dict[int, list[RunView]]:
        """Return the runs of several revisions of a pipeline, each in the order they were queued."""
        found = await self.runs_of_keys([revision_key(each.pipeline, each.revision) for each in revisions])
        return {
            each.revision: as_queued(each, [run for run in found if run.revision == each.revision])
            for each in revisions
        }

    async def runs_of_keys(self, revisions: Sequence[str]) -> list[RunView]:
        """Return the runs of revisions, given their keys."""
        limit = RUNS_OF_REVISION_MAX * max(len(revisions), 1)
        found = await self._list(Kind.RUN, Views.about.in_(list(revisions)), limit=limit)
        return [_typed(RunView, document) for document in found]

    async def listed(
        self, kind: Kind, model: type[V], scope: str, before: Place | None, limit: int
    ) -> list[V]:
        """Return the views listed under `scope`, newest first."""
        found = await self._list(kind, Views.scope == scope, before=before, limit=limit)
        return [_typed(model, document) for document in found]

    async def decisions_of(self, pushes: Sequence[UUID]) -> dict[UUID, list[DecisionView]]:
        """Return what became of each push, in the order it was decided."""
        which = Views.scope.in_([str(push) for push in pushes])
        limit = DECISIONS_MAX * max(len(pushes), 1)
        decisions: dict[UUID, list[DecisionView]] = {push: [] for push in pushes}
        for document in reversed(await self._list(Kind.DECISION, which, limit=limit)):
            decision = _typed(DecisionView, document)
            decisions[decision.push].append(decision)
        return decisions

    async def logs_of(self, pipeline: str, revision: int) -> list[LogView]:
        """Return a revision's logs, in the order they began."""
        scope = revision_key(pipeline, revision)
        found = await self.listed(Kind.LOG, LogView, scope, None, LOGS_OF_REVISION_MAX)
        return found[::-1]

    async def events(self, wanted: EventFilter, after: int, limit: int) -> list[EventRow]:
        """Return events after a cursor, in the order they were heard."""
        query = sa.select(*_EVENT).where(History.sequence > after)
        conditions = [(History[name], value) for name, value in asdict(wanted).items() if value]
        for column, value in conditions[:1]:
            query = query.where(column == value)
        for column, value in conditions[1:]:
            query = query.where(column.concat("") == value)  # keeps the database to the index of the first
        async with self.db.reading() as reading:
            rows = await reading.execute(query.order_by(History.sequence).limit(limit))
            return [EventRow(**row) for row in rows.mappings()]

    async def trail(
        self, keys: Sequence[str], pipeline: str, before: int | None, limit: int
    ) -> list[EventRow]:
        """Return what the audit trail is made of, newest first: of these keys, or of the whole pipeline."""
        which = [History.key == key for key in keys] or [History.pipeline == pipeline]
        found: list[EventRow] = []
        for each in which:  # one by one, so that each is read from its end and not sorted
            found += await self._trail(each, before, limit)
        return sorted(found, key=lambda row: row.sequence, reverse=True)[:limit]

    async def operations(self, operations: Sequence[UUID]) -> dict[UUID, OperationView]:
        """Return operations by their ids."""
        rows = [row_id(Kind.OPERATION, str(operation)) for operation in operations]
        query = sa.select(Views.document).where(Views.id.in_(rows))
        async with self.db.reading() as reading:
            found = [_typed(OperationView, row.document) for row in await reading.execute(query)]
        return {each.operation: each for each in found}

    async def newest_event(self) -> int:
        """Return the cursor behind the event heard last."""
        async with self.db.reading() as reading:
            return (await reading.execute(sa.select(sa.func.max(History.sequence)))).scalar() or 0

    async def has_heard(self, event: UUID) -> bool:
        """Tell whether an event is in a history and so in the views."""
        heard = (sa.select(column).where(column == event) for column in (History.id, Chunks.id))
        async with self.db.reading() as reading:
            return (await reading.execute(sa.union_all(*heard))).first() is not None

    async def chunks_of_log(self, log: str, after: int) -> list[Chunk]:
        """Return output of one attempt after a cursor."""
        return await self._chunks(Chunks.log == log, after)

    async def chunks_of_revision(
        self, pipeline: str, revision: int, stage: str | None, after: int
    ) -> list[Chunk]:
        """Return output of all attempts of a revision after a cursor, as it arrived."""
        which = Chunks.correlation == revision_key(pipeline, revision)
        return await self._chunks(which if stage is None else which & (Chunks.stage == stage), after)

    async def _trail(self, which: sa.ColumnElement[bool], before: int | None, limit: int) -> list[EventRow]:
        query = sa.select(*_EVENT).where(which, History.type.concat("").in_(list(TYPES)))
        if before is not None:
            query = query.where(History.sequence < before)
        async with self.db.reading() as reading:
            rows = await reading.execute(query.order_by(History.sequence.desc()).limit(limit))
            return [EventRow(**row) for row in rows.mappings()]

    async def _chunks(self, which: sa.ColumnElement[bool], after: int) -> list[Chunk]:
        query = sa.select(Chunks.sequence, Chunks.body).where(which, Chunks.sequence > after)
        async with self.db.reading() as reading:
            rows = (await reading.execute(query.order_by(Chunks.sequence).limit(CHUNKS_MAX))).all()
        return [_chunk(row.sequence, LogAppended.model_validate_json(row.body)) for row in rows]

    async def _list(
        self, kind: Kind, which: sa.ColumnElement[bool], *, limit: int, before: Place | None = None
    ) -> list[str]:
        query = sa.select(Views.document).where(Views.kind == kind.value, which)
        if before is not None:
            query = query.where(sa.tuple_(Views.number, Views.id) < before)
        query = query.order_by(Views.number.desc(), Views.id.desc()).limit(limit)
        async with self.db.reading() as reading:
            rows = await reading.execute(query)
            return [row.document for row in rows]


def _typed(model: type[V], document: str) -> V:
    return model.model_validate_json(document)


def _chunk(sequence: int, body: LogAppended) -> Chunk:
    return Chunk(sequence, body.log, body.stage, body.what, body.first_line, body.lines, body.last)
