"""The documents of builds, outputs and operations."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field

from services.status.views.view import View
from shared.events import Evidence

Answer = Literal["pending", "accepted", "refused"]


class BuildView(View):
    """A request for an artifact and its answer."""

    request: UUID = Field(description="Its id")
    build_key: str = Field(description="The digest of all that goes into it")
    pipeline: str = Field(description="The pipeline")
    revision: int = Field(description="The revision that it is for")
    artifact: str = Field(description="The artifact's id")
    requested_at: datetime = Field(description="When it was asked for")
    answer: Literal["pending", "built", "reused", "failed"] = Field(
        "pending", description="What became of it"
    )
    answered_at: datetime | None = Field(None, description="When it was answered")
    digest: str = Field("", description="The artifact's digest")
    size_bytes: int | None = Field(None, description="Its size")
    built_by: int | None = Field(None, description="The revision whose build made it")
    duration_seconds: float | None = Field(None, description="How long that build took")
    log: str = Field("", description="Its output: /api/v1/logs/{log}")
    evidence: Evidence | None = Field(None, description="What was observed when it, or an attempt, failed")
    attempt: int = Field(0, description="The attempt that failed last, from 1; 0: none did")
    next_attempt_at: datetime | None = Field(
        None, description="It failed in a way that may pass: when it is attempted again"
    )
    code: str = Field("", description="What that attempt's failure is called")
    rule: str = Field("", description="The rule that says so")


class LogView(View):
    """An attempt's output, without its lines."""

    log: str = Field(description="Its name: /api/v1/logs/{log}")
    pipeline: str = Field(description="The pipeline")
    revision: int = Field(description="The revision that it is for")
    stage: str = Field(description="The stage")
    what: str = Field(description="The step or artifact")
    since: datetime = Field(description="When it began")
    lines: int = Field(0, description="How many lines there are")
    closed: bool = Field(default=False, description="Whether that is all")


class OperationView(View):
    """Something a person asked for, and the answer."""

    operation: UUID = Field(description="Its id")
    kind: str = Field(description="What was asked for")
    pipeline: str = Field(description="The pipeline")
    stage: str = Field(description="The stage; `*`: the whole pipeline")
    run: UUID | None = Field(description="The run it is about; null: whichever it is about by itself")
    actor: str = Field(description="Who asked")
    reason: str = Field(description="Why")
    asked_at: datetime = Field(description="When")
    revision: int | None = Field(
        None, description="rollback, roll_forward, release_hold: which; null: the obvious one"
    )
    from_failed_step: bool = Field(default=False, description="retry: keep what succeeded before")
    until: datetime | None = Field(None, description="override_window: until when")
    dry_run: bool = Field(default=False, description="rollback: only say what would happen")
    blocker: str = Field("", description="lift_blocker: which; empty: the only one")
    shown: str = Field("", description="approve: the digest of what they were shown; empty: not said")
    step: str = Field("", description="approve, reject: which gate; empty: the only one")
    answer: Answer = Field("pending", description="What became of it")
    answered_at: datetime | None = Field(None, description="When it was answered")
    message: str = Field("", description="What happens, or why nothing does and what is possible instead")
    started: UUID | None = Field(None, description="The run that it made")

    @property
    def is_answered(self) -> bool:
        """Tell whether it was decided upon."""
        return self.answer != "pending"
