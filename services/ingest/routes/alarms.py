"""`POST /api/v1/alarms/{name}`: a monitor says how an alarm stands, with a token that is good for no more."""

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID, uuid4

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel, ConfigDict, Field

from services.ingest.store import UNNAMED_ALARMS_MAX, IngestStore
from shared.access import AlarmAccess, Teller
from shared.events import AlarmChanged
from shared.events.alarms import OF_HEALTH, AlarmState
from shared.problems import ProblemError

ALARM_CHARACTERS_MAX = 200
REASON_CHARACTERS_MAX = 500
ALARM = r"^[A-Za-z0-9._:/-]+$"
PLAIN = r"^[^\x00-\x1f\x7f]*$"  # one line

Alarm = Annotated[
    str,
    Path(
        max_length=ALARM_CHARACTERS_MAX,
        pattern=ALARM,
        description="Letters, digits and . _ - : /, as a stage's auto_rollback_alarm_name has it.",
    ),
]


class AlarmReport(BaseModel):
    """How it stands, and why."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    state: AlarmState
    reason: str = Field("", max_length=REASON_CHARACTERS_MAX, pattern=PLAIN)


class AlarmTaken(BaseModel):
    """It is on disk."""

    position: UUID = Field(description="Give it as min_position to read what follows from this.")
    stages: list[str] = Field(
        description="Those that name the alarm, as pipeline/stage. None: it is kept, and stops nothing yet."
    )


@dataclass(frozen=True, slots=True)
class Alarms:
    """Takes what monitors say; the same again is no news, and costs one look."""

    store: IngestStore

    def router(self, access: AlarmAccess) -> APIRouter:
        """Return the route; whoever says it is named in the event."""
        router = APIRouter(tags=["alarms"])

        async def report(
            name: Alarm, report: AlarmReport, teller: Annotated[Teller, Depends(access)]
        ) -> AlarmTaken:
            """Say that an alarm fires, is clear, or is not known; say it again as often as you like."""
            if name.startswith(OF_HEALTH):
                raise told_by_windlass(name)
            alarm = AlarmChanged(
                alarm=name,
                state=report.state,
                reason=report.reason,
                source=teller.holder,
                at=self.store.db.clock.now(),
            )
            stages = await self.store.stages_of(name)
            last = await self.store.told(name)
            if last and last.says(alarm):
                return AlarmTaken(position=last.event, stages=stages)
            position = await self.store.tell(alarm, uuid4(), named=teller.named)
            if position is None:
                raise _too_many(name)
            return AlarmTaken(position=position, stages=stages)

        router.add_api_route(
            "/api/v1/alarms/{name:path}",
            report,
            methods=["POST"],
            status_code=202,
            summary="Tell of an alarm",
        )
        return router


def told_by_windlass(alarm: str) -> ProblemError:
    """Return the refusal of an alarm that nobody but the verifier tells of."""
    return ProblemError(
        403,
        "alarm-of-health",
        f"Alarm {alarm} is Windlass's own: only Windlass tells by it how the services of a stage are doing.",
        next_=f"Give yours a name that does not begin with {OF_HEALTH}",
    )


def _too_many(alarm: str) -> ProblemError:
    return ProblemError(
        409,
        "too-many-alarms",
        f"Alarm {alarm} is not known, and tokens for every alarm have told of {UNNAMED_ALARMS_MAX} already.",
        next_=f"Give its monitor a token for it alone: `windlass token NAME --alarm {alarm}`.",
    )
