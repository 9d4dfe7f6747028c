"""Why something is not going on."""

from datetime import datetime
from typing import Literal

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

    reason: WaitReason
    blocked_by: str  # "run 7f… of revision 12", "artifact web"
    released_by: str  # the event or the person that ends the wait, in a sentence
    since: datetime
    deadline: datetime | None = None  # None: `released_by` names a person or another bounded thing
