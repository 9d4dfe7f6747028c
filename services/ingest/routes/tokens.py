"""`POST /api/v1/tokens`: whoever may do everything gives a monitor a token for alarms, and for no more."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from services.ingest.routes.alarms import ALARM_CHARACTERS_MAX, PLAIN
from shared.access import Access, new_token
from shared.problems import ProblemError

HOLDER = r"^[A-Za-z0-9._@+-]{1,100}$"


class TokenAsked(BaseModel):
    """Whose it will be, and for which alarm."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=HOLDER, description="Named as the source of what is told with it.")
    alarm: str = Field(
        min_length=1, max_length=ALARM_CHARACTERS_MAX, pattern=PLAIN, description="Or `*`: every alarm."
    )


class TokenGranted(BaseModel):
    """The token; only its hash is kept."""

    name: str
    alarm: str
    token: str = Field(description="Shown this once.")


@dataclass(frozen=True, slots=True)
class Tokens:
    """Grants tokens for alarms. One for everything is granted only beside the database."""

    access: Access

    def router(self) -> APIRouter:
        """Return the route."""
        router = APIRouter(tags=["alarms"])

        async def grant(asked: TokenAsked, _: Annotated[str, Depends(self.access)]) -> TokenGranted:
            """Make a token with which alarms may be told; one for them that NAME had before ends."""
            token = new_token()
            if not await self.access.grant_alarm(asked.name, token, asked.alarm):
                raise ProblemError(
                    409,
                    "holder-has-a-token",
                    f"{asked.name} has a token for everything, which this would take away.",
                    next_="Choose a name for the monitor that nobody else has.",
                )
            return TokenGranted(name=asked.name, alarm=asked.alarm, token=token)

        router.add_api_route(
            "/api/v1/tokens", grant, methods=["POST"], status_code=201, summary="Give a monitor a token"
        )
        return router
