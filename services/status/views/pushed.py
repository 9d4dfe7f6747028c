"""The documents of what arrived and what was planned from it."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field

from services.status.views.view import View
from shared.events import Evidence
from shared.plan import Problem


class PushView(View):
    """What arrived."""

    push: UUID = Field(description="The push")
    repository: str = Field(description="Its repository")
    branch: str = Field(description="The branch; empty for a tag")
    tag: str = Field("", description="The tag; empty for a branch")
    commit: str | None = Field(description="The commit")
    trigger: str = Field(description="What told of it: a webhook, a person")
    pipeline: str | None = Field(description="The pipeline")
    pusher: str = Field(description="Whose push it is")
    reason: str = Field(description="Why")
    received_at: datetime = Field(description="When the push arrived")
    place: int = Field(0, description="Among the pushes of its repository")
    refused_code: str = Field("", description="Why it was refused as a whole; empty: it was not")
    refused_message: str = Field("", description="The same in a sentence")
    refused_evidence: Evidence | None = Field(None, description="What was observed")
    proposal: str = Field("", description="A pipeline file for what lies in a repository that has none")


class DecisionView(View):
    """What one pipeline made of a push."""

    push: UUID = Field(description="The push")
    pipeline: str = Field(description="The pipeline")
    branch: str = Field("", description="The branch; empty for a tag")
    tag: str = Field("", description="The tag; empty for a branch")
    commit: str = Field(description="The commit")
    at: datetime = Field(description="When it was decided")
    decision: Literal["planned", "rejected", "skipped"] = Field(description="What was decided")
    revision: int | None = Field(
        None, description="The number; of what was skipped, the one that has the commit already"
    )
    reason: str = Field("", description="Why")
    message: str = Field("", description="In a sentence, why nothing is deployed")
    problems: tuple[Problem, ...] = Field((), description="What is wrong with the pipeline file")


class PipelineView(View):
    """What is known of a pipeline beyond its stages."""

    pipeline: str = Field(description="The pipeline")
    repository: str = Field(description="Its repository")
    branch: str = Field(
        description="The newest revision's, or before a tag's; empty: only tags were deployed"
    )
    tag: str = Field("", description="The newest revision's tag; empty: it is of a branch")
    since: datetime = Field(description="Since when it is known")
    stages: tuple[str, ...] = Field((), description="The stages of the plan, in promotion order")
    fifo: tuple[str, ...] = Field((), description="Those where every revision waits for its turn")
    newest_revision: int | None = Field(None, description="Its newest revision")
    newest_commit: str = Field("", description="That revision's commit")
    newest_title: str = Field("", description="The first line of its message")
    rejected: DecisionView | None = Field(
        None, description="The newest push, if its pipeline file has problems"
    )
    skipped: DecisionView | None = Field(None, description="The newest push, if it needed no revision")


class PlannedArtifact(View):
    """An artifact of a plan."""

    id: str = Field(description="Its id")
    name: str = Field(description="Its name")
    build_key: str = Field(description="The digest of all that goes into it")


class PlannedStep(View):
    """A step of a plan."""

    id: str = Field(description="Its id")
    name: str = Field(description="Its name")
    type: str = Field(description="Its type")
    goes_after: tuple[str, ...] | None = Field(
        None, description="Ids of the steps it begins after; null: planned before this was kept"
    )
    skip: bool = Field(default=False, description="Left out in this stage; who goes after it does not wait")


class PlannedStage(View):
    """A stage of a plan."""

    name: str = Field(description="Its name")
    target: str = Field(description="What it deploys to")
    steps: tuple[PlannedStep, ...] = Field(description="Its steps, in order")


class RevisionView(View):
    """A revision and its plan in short."""

    pipeline: str = Field(description="The pipeline")
    revision: int = Field(description="Its number")
    repository: str = Field(description="Its repository")
    branch: str = Field(description="The branch; empty for a tag")
    tag: str = Field("", description="The tag; empty for a branch")
    commit: str = Field(description="The commit")
    title: str = Field(description="The first line of the commit's message")
    author: str = Field(description="Who wrote the commit")
    pusher: str = Field(description="Whose push it is")
    trigger: str = Field(description="What told of it: a webhook, a person")
    push: UUID = Field(description="The push")
    plan_hash: str = Field(description="The plan's digest")
    received_at: datetime = Field(description="When the push arrived")
    planned_at: datetime = Field(description="When it was planned")
    artifacts: tuple[PlannedArtifact, ...] = Field(description="What is built for it")
    stages: tuple[PlannedStage, ...] = Field(description="The stages of the plan, in promotion order")
