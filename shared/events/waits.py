"""Why something is not going on."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from shared.events.evidence import Fact

WaitReason = Literal[
    "previous_stage",
    "lock",
    "window",
    "blocker",
    "stopped",
    "hold",
    "build",
    "approval",
    "bake",
    "retry_backoff",
]


class Wait(Fact):
    """Why a run is not going on, and what ends that (L2)."""

    reason: WaitReason = Field(description="What kind of thing is waited for")
    blocked_by: str = Field(description="What stands in the way", examples=["artifact web"])
    released_by: str = Field(description="The event or the person that ends the wait, in a sentence")
    since: datetime = Field(description="Since when")
    deadline: datetime | None = Field(
        default=None,
        description="When it ends at the latest; null: `released_by` names a person or another bounded thing",
    )
