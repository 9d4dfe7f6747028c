"""What queries read: views, events, log lines. Every list is bounded and goes on from a cursor."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from services.status.progress import as_queued
from services.status.projection import Kind, revision_key
from services.status.store import queries
from services.status.store.queries import Where
from services.status.store.view_rows import evened, row_id
from services.status.views import (
    DecisionView,
    LogView,
    OperationView,
    PipelineView,
    RevisionView,
    RunInShort,
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

V = TypeVar("V", bound=View)
Place = tuple[int, str]  # a view's number and id, which no two in a list share


@dataclass(frozen=True, slots=True)
class EventRow:
    """An event as it is in the history."""

    sequence: int
    id: UUID
    type: str
    topic: str
    key: str
    pipeline: str
    subject: str
    source: str
    time: datetime
    correlation: str
    causation: UUID | None
    body: str  # JSON


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

    def takes(self, row: EventRow) -> bool:
        """Tell whether the event is wanted."""
        return all(not value or value == getattr(row, name) for name, value in _fields(self))


def _fields(wanted: EventFilter) -> Iterator[tuple[str, str]]:
    yield "correlation", wanted.correlation
    yield "key", wanted.key
    yield "pipeline", wanted.pipeline
    yield "type", wanted.type


@dataclass(frozen=True, slots=True)
class ReadModel:
    """Reads what was written."""

    db: ServiceDatabase

    async def view(self, kind: Kind, model: type[V], key: str) -> V | None:
        """Return one view."""
        async with self.db.reading() as reading:
            document = (await reading.execute(queries.VIEW, {"row": row_id(kind, key)})).scalar()
        return model.model_validate_json(document) if document else None

    async def pipelines(self) -> list[PipelineView]:
        """Return all pipelines, by name."""
        found = await self._list(Kind.PIPELINE, Where.SCOPE, "", limit=PIPELINES_MAX)
        pipelines = [_typed(PipelineView, document) for document in found]
        return sorted(pipelines, key=lambda pipeline: pipeline.pipeline)

    async def stages(self, pipelines: Sequence[str]) -> dict[str, list[StageView]]:
        """Return the stages of each pipeline as they were heard of, `*` among them."""
        limit = STAGES_MAX * max(len(pipelines), 1)
        found = await self._list(Kind.STAGE, Where.SCOPES, pipelines, limit=limit)
        stages: dict[str, list[StageView]] = {name: [] for name in pipelines}
        for document in found:
            stage = _typed(StageView, document)
            stages[stage.pipeline].append(stage)
        return stages

    async def revisions(self, pipeline: str, before: Place | None, limit: int) -> list[RevisionView]:
        """Return a pipeline's revisions, newest first."""
        found = await self._list(Kind.REVISION, Where.SCOPE, pipeline, before=before, limit=limit)
        return [_typed(RevisionView, document) for document in found]

    async def of_commit(self, kind: Kind, model: type[V], commit: str, limit: int) -> list[V]:
        """Return the views about a commit, newest first."""
        found = await self._list(kind, Where.ABOUT, commit, limit=limit)
        return [_typed(model, document) for document in found]

    async def commits(self, kind: Kind, model: type[V], prefix: str, limit: int) -> list[V]:
        """Return the views about commits that begin like this, newest first."""
        found = await self._list(kind, Where.ABOUT_BEGINS, prefix, limit=limit)
        return [_typed(model, document) for document in found]

    async def runs(self, stage_key: str, before: Place | None, limit: int) -> list[RunInShort]:
        """Return a stage's runs, newest first."""
        return await self.listed(Kind.RUN, RunInShort, stage_key, before, limit)

    async def runs_of(self, revision: RevisionView) -> list[RunView]:
        """Return a revision's runs, in the order they were queued."""
        found = await self.runs_of_keys([revision_key(revision.pipeline, revision.revision)])
        return as_queued(revision, found)

    async def runs_of_many(self, revisions: Sequence[RevisionView]) -> dict[int, list[RunInShort]]:
        """Return the runs of several revisions of a pipeline, each in the order they were queued."""
        keys = [revision_key(each.pipeline, each.revision) for each in revisions]
        found = [_typed(RunInShort, document) for document in await self._runs_of(keys)]
        return {
            each.revision: as_queued(each, [run for run in found if run.revision == each.revision])
            for each in revisions
        }

    async def runs_of_keys(self, revisions: Sequence[str]) -> list[RunView]:
        """Return the runs of revisions, given their keys."""
        return [_typed(RunView, document) for document in await self._runs_of(revisions)]

    async def listed(
        self, kind: Kind, model: type[V], scope: str, before: Place | None, limit: int
    ) -> list[V]:
        """Return the views listed under `scope`, newest first."""
        found = await self._list(kind, Where.SCOPE, scope, before=before, limit=limit)
        return [_typed(model, document) for document in found]

    async def decisions_of(self, pushes: Sequence[UUID]) -> dict[UUID, list[DecisionView]]:
        """Return what became of each push, in the order it was decided."""
        scopes, limit = [str(push) for push in pushes], DECISIONS_MAX * max(len(pushes), 1)
        decisions: dict[UUID, list[DecisionView]] = {push: [] for push in pushes}
        for document in reversed(await self._list(Kind.DECISION, Where.SCOPES, scopes, limit=limit)):
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
        given = {name: value for name, value in _fields(wanted) if value}
        places = {"after": after, "rows_max": limit}
        async with self.db.reading() as reading:
            rows = await reading.execute(queries.events_of(frozenset(given)), given | places)
            return [EventRow(*tuple(row)) for row in rows]

    async def trail(
        self, keys: Sequence[str], pipeline: str, before: int | None, limit: int
    ) -> list[EventRow]:
        """Return what the audit trail is made of, newest first: of these keys, or of the whole pipeline."""
        found: list[EventRow] = []
        for name, value in [("key", key) for key in keys] or [("pipeline", pipeline)]:
            found += await self._trail(name, value, before, limit)  # each from its end, so none is sorted
        return sorted(found, key=lambda row: row.sequence, reverse=True)[:limit]

    async def operations(self, operations: Sequence[UUID]) -> dict[UUID, OperationView]:
        """Return operations by their ids."""
        rows = [row_id(Kind.OPERATION, str(operation)) for operation in operations]
        async with self.db.reading() as reading:
            found = (await reading.execute(queries.VIEWS, {"rows": evened(rows)})).scalars().all()
        views = [_typed(OperationView, document) for document in found]
        return {each.operation: each for each in views}

    async def newest_event(self) -> int:
        """Return the cursor behind the event heard last."""
        async with self.db.reading() as reading:
            return (await reading.execute(queries.NEWEST_EVENT)).scalar() or 0

    async def has_heard(self, event: UUID) -> bool:
        """Tell whether an event is in a history and so in the views."""
        async with self.db.reading() as reading:
            return (await reading.execute(queries.HEARD, {"event": event})).first() is not None

    async def chunks_of_log(self, log: str, after: int) -> list[Chunk]:
        """Return output of one attempt after a cursor."""
        return await self._chunks({"log": log}, after)

    async def chunks_of_revision(
        self, pipeline: str, revision: int, stage: str | None, after: int
    ) -> list[Chunk]:
        """Return output of all attempts of a revision after a cursor, as it arrived."""
        which = {"correlation": revision_key(pipeline, revision)}
        return await self._chunks(which if stage is None else which | {"stage": stage}, after)

    async def _trail(self, name: str, value: str, before: int | None, limit: int) -> list[EventRow]:
        place = {"before": queries.SEQUENCE_MAX if before is None else before, "rows_max": limit}
        wanted = {"value": value, "types": queries.TRAIL_TYPES} | place
        async with self.db.reading() as reading:
            return [EventRow(*tuple(row)) for row in await reading.execute(queries.TRAILS[name], wanted)]

    async def _chunks(self, which: dict[str, str], after: int) -> list[Chunk]:
        async with self.db.reading() as reading:
            query = queries.chunks_of(frozenset(which))
            rows = (await reading.execute(query, which | {"after": after, "rows_max": CHUNKS_MAX})).all()
        return [
            _chunk(sequence, LogAppended.model_validate_json(body)) for sequence, body in map(tuple, rows)
        ]

    async def _runs_of(self, revisions: Sequence[str]) -> list[str]:
        limit = RUNS_OF_REVISION_MAX * max(len(revisions), 1)
        return await self._list(Kind.RUN, Where.ABOUTS, revisions, limit=limit)

    async def _list(
        self, kind: Kind, where: Where, value: str | Sequence[str], *, limit: int, before: Place | None = None
    ) -> list[str]:
        given: dict[str, Any] = {"kind": kind.value, "rows_max": limit}
        if isinstance(value, str):
            given |= {"value": value, "below": f"{value}g"}  # behind every hexadecimal digit
        elif value:
            given["value"] = evened(list(value))
        else:
            return []
        if before is not None:
            given |= {"number": before[0], "id": before[1]}
        query = queries.views_listed(where, going_on=before is not None)
        async with self.db.reading() as reading:
            return [row[0] for row in await reading.execute(query, given)]


def _typed(model: type[V], document: str) -> V:
    return model.model_validate_json(document)


def _chunk(sequence: int, body: LogAppended) -> Chunk:
    return Chunk(sequence, body.log, body.stage, body.what, body.first_line, body.lines, body.last)
