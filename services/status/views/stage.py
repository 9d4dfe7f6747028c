"""The documents of stages: who holds one, who waits, and what keeps it closed."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field

from services.status.views.gate import HeldDefinition, OpenGate
from services.status.views.health import ServiceHealth
from services.status.views.verification import VerificationProgress
from services.status.views.view import View
from shared.events import TestResults, Wait

DeploymentStatus = Literal["pending", "deploying", "running", "failed", "degraded", "unreachable", "paused"]
QueueMode = Literal["newest", "fifo"]
RollbackByItself = Literal["", "started", "no_candidate"]
ROLLBACK_TOLD = (
    "Whether a rollback follows by itself: started; no_candidate: one should, and nothing else that may run "
    "here has succeeded; empty: none has to"
)


class StepTests(View):
    """What a step's tests came to."""

    step: str = Field(description="The step's id")
    tests: TestResults = Field(description="Exit code, counts and failures")


class Slot(View):
    """A run in a stage that is not over."""

    run: UUID = Field(description="The run")
    revision: int = Field(description="Its revision")
    kind: str = Field(description="deploy, retry, rollback or roll_forward")
    commit: str = Field(description="The commit that it deploys")
    state: str = Field(description="Its state, in the fixed words")
    since: datetime = Field(description="Since when it is in that state")
    wait: Wait | None = Field(None, description="What it waits for; null: nothing")
    line: int | None = Field(
        None, description="Its place in the stage's line, from 1; null: it holds the stage, or is not ready"
    )
    deadline: datetime | None = Field(None, description="When its time is over; null until it starts")
    restores: int | None = Field(None, description="A rollback: the revision that it brings back")
    asked_by: str = Field("", description="Who asked for it; empty: it came by itself")
    gates: tuple[OpenGate, ...] = Field((), description="The gates that it stands at now")
    definition: HeldDefinition | None = Field(
        None, description="Changes of the pipeline file that it waits, or waited, for somebody to approve"
    )
    failing: tuple[StepTests, ...] = Field((), description="Its steps whose tests failed last")
    verifying: tuple[VerificationProgress, ...] = Field(
        (), description="What is being verified of it, or watched after that"
    )


class Live(View):
    """What is in place in a stage."""

    revision: int = Field(description="The revision")
    run: UUID = Field(description="The run that put it there")
    commit: str = Field(description="Its commit")
    urls: dict[str, str] = Field(description="Stable URLs, by service")
    since: datetime = Field(description="Since when")


class Ended(View):
    """A run of the stage that is over."""

    run: UUID = Field(description="The run")
    revision: int = Field(description="Its revision")
    kind: str = Field(description="deploy, retry, rollback or roll_forward")
    state: str = Field(description="How it ended")
    at: datetime = Field(description="When it ended")
    message: str = Field("", description="What ended it")
    step: str = Field("", description="The step that it ended at, by id; empty: at none")
    rollback: RollbackByItself = Field("", description=ROLLBACK_TOLD)
    failing: tuple[StepTests, ...] = Field((), description="Its steps whose tests failed last")
    rejected: bool = Field(
        default=False, description="Its pipeline file's changes were rejected: it is not tried again"
    )


class Hold(View):
    """A revision kept out of the stage."""

    revision: int = Field(description="The revision")
    reason: str = Field(description="Why")
    since: datetime = Field(description="Since when")


class Stop(View):
    """A person keeps a stage, or all of its pipeline, from beginning anything."""

    actor: str = Field(description="Who")
    reason: str = Field(description="Why")
    since: datetime = Field(description="Since when")
    whole_pipeline: bool = Field(default=False, description="Whether it is of all the pipeline's stages")


class Blocked(View):
    """Something that has to be over before the stage begins a run again."""

    name: str = Field(description="What: an alarm, say", examples=["alarm shop-5xx"])
    reason: str = Field(description="What it says")
    since: datetime = Field(description="Since when")
    released_by: str = Field(description="What ends it")
    ends_at: datetime | None = Field(
        None, description="It is over, and keeps the stage closed until then all the same; null: it is not"
    )


class WindowOverride(View):
    """A person lets a stage begin runs until then, whatever its window says."""

    until: datetime = Field(description="Until when")
    actor: str = Field(description="Who")
    reason: str = Field(description="Why")
    since: datetime = Field(description="Since when")


class StageView(View):
    """A stage as it stands."""

    pipeline: str = Field(description="Its pipeline")
    stage: str = Field(description="Its name")
    place: int = Field(0, description="Among the pipeline's stages, from 0, in promotion order")
    target: str = Field("", description="What it deploys to")
    queue: QueueMode = Field(
        "newest",
        description="`newest`: one waits, the newest that is ready. `fifo`: everyone waits for their turn",
    )
    status: DeploymentStatus = Field("pending", description="How it is doing, in the fixed words")
    running: Slot | None = Field(None, description="The run that holds the stage")
    waiting: tuple[Slot, ...] = Field(
        (), description="Everyone who waits, who is next first; those who are not ready come last"
    )
    live: Live | None = Field(None, description="What is in place; null: nothing was deployed yet")
    health: tuple[ServiceHealth, ...] = Field(
        (), description="How the services do that are live here, by name"
    )
    last: Ended | None = Field(None, description="The last run that held the stage and is over")
    unstarted: Ended | None = Field(
        None,
        description="The last run that was over before it could begin here: Cancelled or Timed Out; null: "
        "there is none, or another has begun since",
    )
    holds: tuple[Hold, ...] = Field((), description="Revisions kept out until somebody releases them")
    stops: tuple[Stop, ...] = Field((), description="Who stopped it; its own before the whole pipeline's")
    blockers: tuple[Blocked, ...] = Field((), description="What keeps it closed; the newest last")
    window_override: WindowOverride | None = Field(
        None, description="Who opened it whatever its window says, until when"
    )
