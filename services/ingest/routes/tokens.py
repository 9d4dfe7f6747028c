"""`POST /api/v1/tokens`: people and monitors are given tokens of their own."""

from dataclasses import dataclass
from typing import Annotated

import structlog
from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from services.ingest.routes.alarms import ALARM, ALARM_CHARACTERS_MAX, told_by_windlass
from services.ingest.store import IngestStore
from shared.access import ANY_ALARM, Access, Grant, Held, new_token
from shared.events.alarms import OF_HEALTH
from shared.problems import ProblemError

HOLDER = r"^[A-Za-z0-9._@+-]{1,100}$"
ALARMS = rf"{ALARM}|^\*$"

log = structlog.get_logger()


class TokenAsked(BaseModel):
    """Whose it will be, and what for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=HOLDER, description="Named as the actor, or the source, of what is asked.")
    alarm: str | None = Field(
        None,
        min_length=1,
        max_length=ALARM_CHARACTERS_MAX,
        pattern=ALARMS,
        description="Good for nothing but to tell of it, or with `*` of every alarm. "
        "Without: for everything, but to give people tokens.",
    )
    replace: bool = Field(default=False, description="The token that NAME has is worth nothing from then on.")


class TokenGranted(BaseModel):
    """The token; only its hash is kept."""

    name: str
    alarm: str | None
    token: str = Field(description="Shown this once.")
    stages: list[str] | None = Field(
        description="Those that name the alarm, as pipeline/stage; null where no alarm is named."
    )


@dataclass(frozen=True, slots=True)
class Tokens:
    """Gives tokens."""

    access: Access
    store: IngestStore

    def router(self) -> APIRouter:
        """Return the route."""
        router = APIRouter(tags=["tokens"])

        async def grant(
            asked: TokenAsked, giver: Annotated[Held, Depends(self.access.whole)]
        ) -> TokenGranted:
            """Make a token for a person, or with an alarm for a monitor. A name has one token at a time."""
            if asked.alarm is None and giver.granted_by is not None:
                raise _may_not(giver)
            if asked.alarm is not None and asked.alarm.startswith(OF_HEALTH):
                raise told_by_windlass(asked.alarm)
            token = new_token()
            wanted = Grant(asked.name, asked.alarm, by=giver.holder, replace=asked.replace)
            refusal = await self.access.give(wanted, token)
            if refusal is not None:
                raise ProblemError(409, refusal.slug, refusal.why, next_=refusal.next)
            log.info(
                "token.granted",
                holder=asked.name,
                alarm=asked.alarm,
                by=giver.holder,
                replaced=asked.replace,
            )
            return TokenGranted(
                name=asked.name, alarm=asked.alarm, token=token, stages=await self._stages(asked.alarm)
            )

        router.add_api_route(
            "/api/v1/tokens", grant, methods=["POST"], status_code=201, summary="Give somebody a token"
        )
        return router

    async def _stages(self, alarm: str | None) -> list[str] | None:
        return None if alarm in {None, ANY_ALARM} else await self.store.stages_of(str(alarm))


def _may_not(giver: Held) -> ProblemError:
    return ProblemError(
        403,
        "may-not-give-tokens",
        f"{giver.holder} was given a token and gives none to people.",
        next_=f"Ask {giver.granted_by}, or whoever has the token that `windlass up` made.",
    )
