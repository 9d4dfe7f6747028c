"""`/api/v1/pipelines/{pipeline}/history`: the audit trail."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import ValidationError

from services.status.audit_trail import TYPES, Entry, entry, unread
from services.status.routes.answering import PAGE_USUAL, Cursor, Limit, Reader, place_of
from services.status.routes.pipelines import Pipelines, pipeline_of
from services.status.store.reading import EventRow
from services.status.views import OperationView, View
from shared.events import OperationRequested
from shared.events.stages import StageEvent
from shared.ids import WHOLE, stage_key


class Trail(View):
    """What people asked for and what happened, newest first."""

    entries: list[Entry]
    next: str | None = None


@dataclass(frozen=True, slots=True)
class History:
    """Answers who did what, when and why."""

    reader: Reader
    pipelines: Pipelines

    def router(self) -> APIRouter:
        """Return the route."""
        router = self.reader.router("pipelines")
        router.add_api_route(
            "/pipelines/{pipeline}/history", self.history, summary="Who did what, when and why, newest first"
        )
        return router

    async def history(
        self,
        pipeline: str,
        stage: Annotated[
            str | None, Query(description="Only what is about this stage, or about all of the pipeline's.")
        ] = None,
        cursor: Cursor = None,
        limit: Limit = PAGE_USUAL,
    ) -> Trail:
        """Show operations and answers, beginnings and ends of runs, holds, stops, changes of health."""
        if stage is None:
            await pipeline_of(self.reader, pipeline)
        else:
            await self.pipelines.stage(pipeline, stage)
        keys = [stage_key(pipeline, each) for each in (stage, WHOLE)] if stage is not None else []
        place = place_of(cursor)
        rows = await self.reader.model.trail(keys, pipeline, place[0] if place else None, limit)
        entries = await self._entries(rows)
        following = f"{rows[-1].sequence}~{rows[-1].id}" if len(rows) == limit else None
        return Trail(entries=entries, next=following)

    async def _entries(self, rows: list[EventRow]) -> list[Entry]:
        bodies = [(row, _body(row)) for row in rows]
        asked = {row.id: body.operation for row, body in bodies if isinstance(body, OperationRequested)}
        operations = await self.reader.model.operations(list(asked.values())) if asked else {}
        return [_entered(row, body, operations.get(asked.get(row.id, row.id))) for row, body in bodies]


def _body(row: EventRow) -> StageEvent | None:
    """Return what was said; None: a later release said it, and an older one cannot read it."""
    try:
        body = TYPES[row.type].model_validate_json(row.body)
    except ValidationError:
        return None
    assert isinstance(body, StageEvent), "the trail is made of what is about stages"
    return body


def _entered(row: EventRow, body: StageEvent | None, operation: OperationView | None) -> Entry:
    if body is None:
        return unread(row.id, row.time, row.causation, row.type, row.subject)
    return entry(row.id, row.time, row.causation, body).model_copy(update={"operation": operation})
