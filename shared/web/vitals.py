"""What is asked of a process from outside: whether it answers, whether it is ready, and its figures.

None of it needs a token, and none of it says anything that a user wrote.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from fastapi import APIRouter
from starlette.responses import Response

from shared.db import Database
from shared.db.backlog import Backlog, answers, look
from shared.faults import TryAgain
from shared.metrics import DATABASE_UP, OUTBOX_AGE, OUTBOX_ROWS, WORK_AGE, WORK_OPEN
from shared.web.readiness import CHECK_SECONDS_MAX, Check, NotReady, missing, not_ready

LOOKED_EVERY = timedelta(seconds=1)  # the database is not asked more often, however often we are


@dataclass(slots=True)
class Vitals:
    """Answers for the process."""

    database: Database
    checks: Mapping[str, Check] = field(default_factory=dict)  # beside the database's own
    gauges: Sequence[Callable[[], None]] = ()  # bring figures of this process up to date
    _look_again_at: datetime | None = field(default=None, init=False)

    def router(self) -> APIRouter:
        """Return the routes."""
        router = APIRouter(tags=["process"])
        get = partial(router.add_api_route, methods=["GET"])
        get("/healthz", self.healthz, summary="Whether the process answers")
        get(
            "/readyz", self.readyz, summary="Whether it can do its work", responses={503: {"model": NotReady}}
        )
        get("/metrics", self.metrics, summary="Its figures, for Prometheus", response_class=Response)
        return router

    async def healthz(self) -> dict[str, str]:
        """Answer as long as the event loop turns."""
        return {"status": "ok"}

    async def readyz(self) -> dict[str, str]:
        """Name everything that is missing, at once."""
        reasons = await missing({"database": partial(answers, self.database), **self.checks})
        if reasons:
            raise not_ready(reasons)
        return {"status": "ready"}

    async def metrics(self) -> Response:
        """Return the figures; those of the database stand still while it is away."""
        from shared.web import exposition  # noqa: PLC0415 - a tenth of a second that no start need pay

        await self._look_at_database()
        for bring_up_to_date in self.gauges:
            bring_up_to_date()
        return exposition.answer()

    async def _look_at_database(self) -> None:
        now = self.database.clock.now()
        if self._look_again_at is not None and now < self._look_again_at:
            return
        self._look_again_at = now + LOOKED_EVERY
        try:
            async with asyncio.timeout(CHECK_SECONDS_MAX):
                backlog = await look(self.database)
        except (TryAgain, TimeoutError):
            DATABASE_UP.set(0)
        else:
            _tell(backlog)


def _tell(backlog: Backlog) -> None:
    DATABASE_UP.set(1)
    OUTBOX_ROWS.set(backlog.outbox_rows)
    OUTBOX_AGE.set(backlog.outbox_seconds)
    WORK_OPEN.replace(backlog.work_rows)
    WORK_AGE.replace(backlog.ready_seconds)
