"""`/api/v1/events`: everything that happened, in pages or as it happens."""

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Header, Query, Response
from pydantic import Field

from services.status.projection import revision_key
from services.status.routes.answering import PAGE_MAX, PAGE_USUAL, REVISION_MAX, Reader
from services.status.routes.following import Following
from services.status.routes.logs import After, LastEventId
from services.status.routes.streaming import Page, cursor_of, stream
from services.status.store.reading import EventFilter, EventRow
from services.status.views import View
from shared.ids import stage_key

STREAM = "text/event-stream"


class EventShown(View):
    """An event as it was published, but for output, which is under /logs."""

    sequence: int  # the cursor behind it
    id: UUID
    type: str
    topic: str
    subject: str
    source: str
    time: datetime
    correlation: str
    causation: UUID | None
    body: dict[str, Any]


class EventList(View):
    """Events in the order they were heard."""

    events: list[EventShown]
    next: int  # the cursor behind them; the same as before when there is nothing new


class EventQuery(View):
    """Which events."""

    pipeline: str = ""
    stage: str = ""  # of the pipeline
    revision: int | None = Field(default=None, ge=1, le=REVISION_MAX)  # of the pipeline
    type: str = ""  # "windlass.run.started.v1"
    cursor: After | None = None
    limit: int = Field(default=PAGE_USUAL, ge=1, le=PAGE_MAX)

    def filter(self) -> EventFilter:
        """Return the same for the store."""
        about = revision_key(self.pipeline, self.revision) if self.revision else ""
        key = stage_key(self.pipeline, self.stage) if self.stage else ""
        return EventFilter(correlation=about, key=key, pipeline=self.pipeline, type=self.type)


@dataclass(frozen=True, slots=True)
class Events:
    """Answers with the history."""

    reader: Reader
    _following: Following = field(init=False)

    def __post_init__(self) -> None:
        following = Following(self.reader.model, self.reader.changes, _shown)
        object.__setattr__(self, "_following", following)

    def router(self) -> APIRouter:
        """Return the route; a stream and a page are two answers of one address."""
        router = self.reader.router("events")
        router.add_api_route(
            "/events",
            self.events,
            response_model=EventList,
            responses={200: {"content": {STREAM: {}}}},
            summary="The history; with Accept: text/event-stream, as it goes on",
        )
        return router

    async def events(
        self,
        wanted: Annotated[EventQuery, Query()],
        accept: Annotated[str, Header()] = "",
        last_event_id: LastEventId = None,
    ) -> EventList | Response:
        """Show events; a stream begins with what is new unless a cursor says otherwise."""
        model = self.reader.model
        filter_ = wanted.filter()
        if STREAM not in accept:
            rows = await model.events(filter_, wanted.cursor or 0, wanted.limit)
            events = [_shown(row) for row in rows]
            return EventList(events=events, next=events[-1].sequence if events else wanted.cursor or 0)

        async def read_on(after: int) -> Page:
            return await self._following.after(after, filter_)

        start = await model.newest_event() if wanted.cursor is None else wanted.cursor
        return stream(self.reader.changes, cursor_of(last_event_id, start), read_on)


def _shown(row: EventRow) -> EventShown:
    return EventShown(
        sequence=row.sequence,
        id=row.id,
        type=row.type,
        topic=row.topic,
        subject=row.subject,
        source=row.source,
        time=row.time,
        correlation=row.correlation,
        causation=row.causation,
        body=json.loads(row.body),
    )
