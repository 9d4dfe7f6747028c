"""The bodies of operations: what a person says besides who they are and where.

The deployer decides whether an operation is possible; here only what makes no sense is refused.
"""

import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from services.status.routes.answering import REVISION_MAX
from shared.events.operations import OperationKind

REASON_CHARACTERS_MAX = 500
HOURS_MAX = 7 * 24.0  # as in the deployer: what is wanted for longer belongs into the pipeline file
STEP_CHARACTERS_MAX = 200
SHOWN_CHARACTERS_MAX = 100
BLOCKER_CHARACTERS_MAX = 250


def _one_line(text: str) -> str:
    if any(unicodedata.category(character) in {"Cc", "Cs"} for character in text):
        raise ValueError("must be one line of plain text")
    return text


Line = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=REASON_CHARACTERS_MAX), AfterValidator(_one_line)
]
Reason = Annotated[Line, Field(min_length=1, description="Why, for whoever looks at it later.")]
Number = Annotated[int, Field(ge=1, le=REVISION_MAX)]


class Asked(BaseModel):
    """Why it is asked for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    reason: Reason

    def said(self, now: datetime) -> dict[str, Any]:
        """Return it as the event says it."""
        del now
        return dict(self)


class CancelAsked(Asked):
    """Why, and which run."""

    run: UUID | None = Field(None, description="Without it, the run that holds the stage, else who waits.")


class RetryAsked(Asked):
    """Why, which run, and from where on."""

    run: UUID | None = Field(None, description="Without it, the last run in the stage.")
    from_failed_step: bool = Field(
        default=False, description="Keep what succeeded before the step that failed, and begin with that one."
    )


class RollbackAsked(Asked):
    """Why, and to which revision."""

    reason: Line = Field("", description="Why, for whoever looks at it later; needed unless `dry_run`.")
    revision: Number | None = Field(
        None, description="One that succeeded here before. Without it, the last that did and is not on hold."
    )
    dry_run: bool = Field(default=False, description="Only say what would happen.")

    @model_validator(mode="after")
    def _says_why(self) -> "RollbackAsked":
        if not self.reason and not self.dry_run:
            raise ValueError("reason: say why")
        return self


class RollForwardAsked(Asked):
    """Why, and to which revision."""

    revision: Number | None = Field(
        None, description="Newer than what runs, and built. Without it, the newest that is."
    )


class StopAsked(Asked):
    """Why nothing more shall begin."""


class ResumeAsked(Asked):
    """Why runs may begin again."""


class ReleaseHoldAsked(Asked):
    """Why, and of which revision."""

    revision: Number | None = Field(None, description="Without it, the only one that is on hold here.")


class LiftBlockerAsked(Asked):
    """Why, and which blocker."""

    blocker: Annotated[Line, Field(max_length=BLOCKER_CHARACTERS_MAX)] = Field(
        "", description="By name. Without it, the only one that stands."
    )


class OverrideWindowAsked(Asked):
    """Why, and for how long: `until` or `hours`."""

    until: AwareDatetime | None = Field(None, description="An instant with its offset.")
    hours: float | None = Field(None, gt=0, le=HOURS_MAX, description="From now on, instead of `until`.")

    @model_validator(mode="after")
    def _says_how_long(self) -> "OverrideWindowAsked":
        if (self.until is None) == (self.hours is None):
            raise ValueError("say either until or hours")
        return self

    def said(self, now: datetime) -> dict[str, Any]:
        """Return it with the instant in place of the hours."""
        until = self.until if self.hours is None else now + timedelta(hours=self.hours)
        return {"reason": self.reason, "until": until}


class ApproveAsked(Asked):
    """A comment, which gate, and what was shown."""

    step: Annotated[Line, Field(max_length=STEP_CHARACTERS_MAX)] = Field(
        "", description="The gate, by id or name. Without it, the only one that waits."
    )
    shown: Annotated[Line, Field(max_length=SHOWN_CHARACTERS_MAX)] = Field(
        "",
        description="`shown` of the gate: the approval is refused if that has changed. Changes of the "
        "pipeline file are answered with this or with `run`.",
    )
    run: UUID | None = Field(None, description="Refused unless it is this run that waits.")


class RejectAsked(ApproveAsked):
    """Why, and which gate."""


@dataclass(frozen=True, slots=True)
class Offered:
    """An operation that can be asked for."""

    kind: OperationKind
    body: type[Asked]
    summary: str
    description: str

    @property
    def path(self) -> str:
        """Return its part of the address."""
        return self.kind.replace("_", "-")


OF_A_STAGE = (
    Offered(
        "cancel",
        CancelAsked,
        "Cancel a run",
        "End the run that holds the stage, or the one that waits. What was live before stays.",
    ),
    Offered(
        "retry",
        RetryAsked,
        "Deploy a revision once more",
        "A new run of a revision whose run Failed, Timed Out or was Cancelled, with the same artifacts.",
    ),
    Offered(
        "rollback",
        RollbackAsked,
        "Go back to an earlier revision",
        "A new run of a revision that succeeded here, with its pinned artifacts and plan; what it goes back "
        "from is put on hold.",
    ),
    Offered(
        "roll_forward",
        RollForwardAsked,
        "Put a newer revision into the stage now",
        "A new run past the queue, the window and blockers, of a revision that is built.",
    ),
    Offered("stop", StopAsked, "Stop the stage", "Nothing begins here any more; what runs goes on."),
    Offered("resume", ResumeAsked, "Resume the stage", "Runs begin again, if nothing else keeps them."),
    Offered(
        "release_hold",
        ReleaseHoldAsked,
        "Release a revision from its hold",
        "A revision that was rolled back from may be deployed here again.",
    ),
    Offered(
        "lift_blocker",
        LiftBlockerAsked,
        "Lift a blocker",
        "Let the stage begin runs though what blocks it, an alarm say, is not over.",
    ),
    Offered(
        "override_window",
        OverrideWindowAsked,
        "Override the deployment window",
        "Let the stage begin runs for a while, whatever its window says.",
    ),
    Offered(
        "approve",
        ApproveAsked,
        "Approve at a gate",
        "Let the run go on that waits at a gate, once enough people have said so; a bake ends early.",
    ),
    Offered("reject", RejectAsked, "Reject at a gate", "Let the run fail that waits at a gate."),
)
OF_A_PIPELINE = (
    Offered(
        "stop",
        StopAsked,
        "Stop all stages",
        "Nothing begins in any of its stages, or in one to come.",
    ),
    Offered(
        "resume",
        ResumeAsked,
        "Resume the pipeline",
        "Its stages begin runs again but for those stopped themselves.",
    ),
)
