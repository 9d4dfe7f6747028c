"""`/api/v1/pipelines/{pipeline}/stages/{stage}/health`: how its services do, and how they did."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import Field

from services.status.health_history import (
    DAYS_MAX,
    FIVE_MINUTES_MAX,
    HOURS_MAX,
    Stretches,
    in_days,
    in_hours,
)
from services.status.projection import Kind, health_key
from services.status.routes.answering import Cursor, Reader, next_of, place_of
from services.status.routes.examples import HEALTH, answers
from services.status.routes.pipelines import Pipelines
from services.status.views import (
    DeploymentStatus,
    HealthChange,
    HealthHistory,
    ServiceHealth,
    Stretch,
    View,
)
from shared.events import Health
from shared.ids import stage_key

SERVICES_USUAL = 10
SERVICES_MAX = 50  # at once: each comes with its history

Resolution = Literal["5m", "1h", "1d"]
STRETCHES: Mapping[Resolution, Callable[[HealthHistory], Stretches]] = {
    "5m": lambda history: history.five_minutes,
    "1h": in_hours,
    "1d": in_days,
}


class HealthStretch(View):
    """All looks at a service over a stretch of time, put together."""

    begins_at: datetime = Field(description="When it began")
    seconds: float = Field(description="How much of it was looked at")
    looks: int = Field(description="How often somebody looked")
    good: int = Field(description="How many looks found it as it should be")
    slow: int = Field(description="How many found it too slow")
    bad: int = Field(description="How many got an answer that was not as it should be")
    silent: int = Field(description="How many got no answer")
    latency_seconds: float | None = Field(description="Of the answers, on average; null: there was none")
    latency_seconds_max: float | None = Field(description="Of the slowest answer")
    worst: Health = Field(description="The worst that held at any time of it")


class ServiceHealthShown(View):
    """How one service does, and how it did."""

    service: str = Field(description="The service: the id of the step that deploys it")
    now: ServiceHealth | None = Field(description="How it does now; null: it is not live any more")
    ended_at: datetime | None = Field(description="Since when nobody looks after it; null: somebody does")
    changes: tuple[HealthChange, ...] = Field(description="The last changes of its health, in order")
    changes_left_out: int = Field(description="How many there were before those")
    history: list[HealthStretch] = Field(
        description="How it did, stretch by stretch, in order; there is none where nobody looked"
    )


class StageHealth(View):
    """How the services of a stage do."""

    pipeline: str = Field(description="The pipeline")
    stage: str = Field(description="The stage")
    status: DeploymentStatus = Field(description="How the stage is doing, in the fixed words")
    resolution: Resolution = Field(description="How long the stretches are")
    services: list[ServiceHealthShown] = Field(description="Its services, the one heard of last first")
    next: str | None = Field(None, description="The cursor of the page after this one; null: it is the last")


class HealthQuery(View):
    """What is wanted."""

    resolution: Resolution = Field(
        "5m",
        description=f"`5m`: the last {FIVE_MINUTES_MAX} stretches of five minutes, a day; `1h`: the last "
        f"{HOURS_MAX} hours, a month; `1d`: the last {DAYS_MAX} days",
    )
    service: str = Field("", max_length=200, description="Only this one")
    cursor: Cursor = None
    limit: int = Field(SERVICES_USUAL, ge=1, le=SERVICES_MAX, description="How many services at most.")


@dataclass(frozen=True, slots=True)
class HealthRoutes:
    """Answers how services do."""

    reader: Reader
    pipelines: Pipelines

    def router(self) -> APIRouter:
        """Return the route."""
        router = self.reader.router("pipelines")
        router.add_api_route(
            "/pipelines/{pipeline}/stages/{stage}/health",
            self.health,
            summary="How its services do, and how they did",
            responses=answers(HEALTH),
        )
        return router

    async def health(self, pipeline: str, stage: str, wanted: Annotated[HealthQuery, Query()]) -> StageHealth:
        """Show how each service does now, the changes of that, and how it did stretch by stretch."""
        shown = await self.pipelines.stage(pipeline, stage)
        found = await self._histories(pipeline, stage, wanted)
        now = {each.service: each for each in shown.health}
        keys = [health_key(pipeline, stage, each.service) for each in found]
        return StageHealth(
            pipeline=pipeline,
            stage=stage,
            status=shown.status,
            resolution=wanted.resolution,
            services=[_shown(each, now.get(each.service), wanted.resolution) for each in found],
            next=None if wanted.service else next_of(Kind.HEALTH, keys, found, wanted.limit),
        )

    async def _histories(self, pipeline: str, stage: str, wanted: HealthQuery) -> list[HealthHistory]:
        model = self.reader.model
        if wanted.service:
            key = health_key(pipeline, stage, wanted.service)
            one = await model.view(Kind.HEALTH, HealthHistory, key)
            return [one] if one else []
        scope, place = stage_key(pipeline, stage), place_of(wanted.cursor)
        return await model.listed(Kind.HEALTH, HealthHistory, scope, place, wanted.limit)


def _shown(history: HealthHistory, now: ServiceHealth | None, resolution: Resolution) -> ServiceHealthShown:
    return ServiceHealthShown(
        service=history.service,
        now=now,
        ended_at=history.ended_at,
        changes=history.changes,
        changes_left_out=history.changes_left_out,
        history=[_stretch(each) for each in STRETCHES[resolution](history)],
    )


def _stretch(stretch: Stretch) -> HealthStretch:
    average = stretch.latency_total / stretch.answers if stretch.answers else None
    return HealthStretch(
        begins_at=datetime.fromtimestamp(stretch.begins, UTC),
        seconds=stretch.seconds,
        looks=stretch.looks,
        good=stretch.good,
        slow=stretch.slow,
        bad=stretch.bad,
        silent=stretch.silent,
        latency_seconds=round(average, 6) if average is not None else None,
        latency_seconds_max=stretch.latency_max,
        worst=stretch.worst,
    )
