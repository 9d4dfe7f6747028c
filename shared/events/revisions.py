"""Topic `windlass.revisions`: the one decision that a push gets per pipeline (S3)."""

from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

from shared.events.envelope import Event
from shared.events.topics import Topic
from shared.ids import Commit, Pipeline, Repository
from shared.plan import Plan, Problem


class RevisionEvent(Event):
    """What every decision says."""

    topic: ClassVar[Topic] = Topic.REVISIONS

    push: UUID
    pipeline: Pipeline
    repository: Repository
    branch: str  # empty for a tag
    commit: Commit
    tag: str = ""

    @property
    def key(self) -> str:
        """Return the pipeline."""
        return self.pipeline


class RevisionPlanned(RevisionEvent):
    """The push became a revision with a plan that leaves the deployer no choice."""

    type: ClassVar[str] = "windlass.revision.planned.v1"

    revision: int  # from 1, by ancestry: a later number never lies behind an earlier one
    plan_hash: str  # sha256 hex of the plan's canonical bytes
    plan: Plan
    title: str  # the commit message's first line
    author: str  # display text only: anyone can write it
    trigger: Literal["push", "manual"]
    pusher: str
    received_at: datetime  # when the push was acknowledged

    @property
    def correlation(self) -> str:
        """Return pipeline@revision."""
        return f"{self.pipeline}@{self.revision}"


class PlanRejected(RevisionEvent):
    """The pipeline file at this commit has problems: nothing is deployed."""

    type: ClassVar[str] = "windlass.plan.rejected.v1"

    problems: tuple[Problem, ...]


class RevisionSkipped(RevisionEvent):
    """The push needs no revision: says why, and which revision has its commit, if one has."""

    type: ClassVar[str] = "windlass.revision.skipped.v1"

    reason: Literal["contained", "not_tracked", "foreign_slug", "untouched"]
    contained_in: int | None = None  # the newest revision that has this commit
    message: str = ""
