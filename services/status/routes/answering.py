"""What all queries share: who may ask, reading one's own writes, ETags, cursors, what is not there."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Annotated, Any, TypeVar
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.routing import APIRoute

from services.status.projection import VIEW_TYPES, Kind
from services.status.routes.streaming import Changes
from services.status.store.reading import Place, ReadModel
from services.status.store.view_rows import row_id
from services.status.views import View
from shared.access import Access
from shared.problems import ProblemError

PAGE_USUAL = 50
PAGE_MAX = 200
CATCH_UP_SECONDS_MAX = 2.0  # how long a read waits for `min_position`
NAMES_TOLD_MAX = 50
REVISION_MAX = 2**31 - 1
WAIT_SECONDS_MAX = 25.0  # for an answer; less than clients and proxies wait for theirs
WAITERS_MAX = 200  # requests that wait at once; who comes then is answered as things stand

Seen = TypeVar("Seen")

Limit = Annotated[int, Query(ge=1, le=PAGE_MAX, description="How many at most.")]
Cursor = Annotated[
    str | None, Query(pattern=r"^[0-9]{1,18}~.{1,300}$", description="The `next` of the page before.")
]
Revision = Annotated[int, Path(ge=1, le=REVISION_MAX)]
WaitSeconds = Annotated[
    float, Query(ge=0, le=WAIT_SECONDS_MAX, description="Answer as soon as it is decided, or after so long.")
]


class ConditionalRoute(APIRoute):
    """A route whose answers carry an ETag, and 304 where the caller has that answer already."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap the usual handler."""
        handle: Callable[[Request], Any] = super().get_route_handler()

        async def conditional(request: Request) -> Response:
            response: Response = await handle(request)
            body = getattr(response, "body", None)
            if request.method != "GET" or response.status_code != 200 or not isinstance(body, bytes):
                return response
            tag = f'"{sha256(body).hexdigest()[:32]}"'
            if tag in request.headers.get("if-none-match", ""):
                return Response(status_code=304, headers={"ETag": tag})
            response.headers["ETag"] = tag
            return response

        return conditional


@dataclass(frozen=True, slots=True)
class Reader:
    """What a query needs."""

    model: ReadModel
    changes: Changes
    access: Access

    def router(self, tag: str) -> APIRouter:
        """Return a router for queries: with the token, no earlier than asked, with ETags."""

        async def caught_up(
            min_position: Annotated[
                UUID | None, Query(description="Answer from a state that knows this event.")
            ] = None,
        ) -> None:
            if min_position is not None:
                await self.catch_up(min_position)

        return APIRouter(
            prefix="/api/v1",
            tags=[tag],
            route_class=ConditionalRoute,
            dependencies=[Depends(self.access), Depends(caught_up)],
        )

    @property
    def now(self) -> datetime:
        """Return the time."""
        return self.model.db.clock.now()

    async def until(
        self, look: Callable[[], Awaitable[Seen]], enough: Callable[[Seen], bool], seconds: float
    ) -> Seen:
        """Return what is seen once it is enough, or else what is seen after `seconds`."""
        count, seen = self.changes.count, await look()
        if not seconds or self.changes.waiters >= WAITERS_MAX:
            return seen
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not enough(seen):
                    await self.changes.after(count, seconds)
                    count, seen = self.changes.count, await look()
        return seen

    async def catch_up(self, event: UUID) -> None:
        """Return once the event was heard."""
        try:
            async with asyncio.timeout(CATCH_UP_SECONDS_MAX):
                count = -1
                while not await self.model.has_heard(event):
                    await self.changes.after(count, CATCH_UP_SECONDS_MAX)
                    count = self.changes.count
        except TimeoutError:
            raise _not_caught_up(event) from None


def _not_caught_up(event: UUID) -> ProblemError:
    return ProblemError(
        504,
        "not-caught-up",
        f"The read model does not know event {event} yet.",
        next_="Ask again in a moment; an event that was never published is never known.",
        headers={"Retry-After": "1"},
    )


def place_of(cursor: str | None) -> Place | None:
    """Return where a list goes on."""
    if cursor is None:
        return None
    number, _, id_ = cursor.partition("~")
    return int(number), id_


def next_of(kind: Kind, keys: Sequence[str], views: Sequence[View], limit: int) -> str | None:
    """Return the cursor of the page after this one; None when this one is the last."""
    if len(views) < limit:
        return None
    return f"{VIEW_TYPES[kind].listing(views[-1]).number}~{row_id(kind, keys[-1])}"


def unknown(what: str, name: object, known: Sequence[object] = (), hint: str = "") -> ProblemError:
    """Return the answer to whoever names a thing that is not there."""
    names = ", ".join(str(each) for each in known[:NAMES_TOLD_MAX])
    return ProblemError(
        404,
        f"unknown-{what.replace(' ', '-')}",
        f"There is no {what} {str(name)[:100]!a}.",
        next_=hint or (f"Known: {names}." if names else "None is known yet."),
    )
