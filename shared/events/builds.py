"""Topic `windlass.builds`: artifacts asked for, built, failed; in order per build key."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from shared.events.envelope import Event
from shared.events.evidence import Evidence
from shared.events.topics import Topic
from shared.ids import BuildKey, Commit, Digest, Pipeline, Repository
from shared.plan import ArtifactPlan


class BuildEvent(Event):
    """What all of them have in common."""

    topic: ClassVar[Topic] = Topic.BUILDS

    build_key: BuildKey
    request: UUID  # the request this answers; one request, one answer
    pipeline: Pipeline
    revision: int
    artifact: str  # the artifact's id in the plan

    @property
    def key(self) -> str:
        """Return the build key."""
        return self.build_key

    @property
    def correlation(self) -> str:
        """Return pipeline@revision of the asking revision."""
        return f"{self.pipeline}@{self.revision}"


class BuildRequested(BuildEvent):
    """A run needs this artifact; the builder answers every request, from its store if it can."""

    type: ClassVar[str] = "windlass.build.requested.v1"

    repository: Repository
    remote: str
    commit: Commit
    recipe: ArtifactPlan


class BuildBackingOff(BuildEvent):
    """An attempt failed in a way that may pass: there is another, and no answer yet."""

    type: ClassVar[str] = "windlass.build.backing_off.v1"

    attempt: int  # of the build key, from 1, that failed
    until: datetime  # when the next one begins
    code: str  # of the failure that may pass
    rule: str
    evidence: Evidence
    log: str


class ArtifactBuilt(BuildEvent):
    """The artifact exists under its digest."""

    type: ClassVar[str] = "windlass.artifact.built.v1"

    digest: Digest
    size_bytes: int
    reused: bool  # it was there already: nothing was built for this request
    built_by: int  # the revision whose build made it
    duration_seconds: float
    log: str = ""  # the attempt whose log tells how it was built


class ArtifactFailed(BuildEvent):
    """The build ran and did not give the artifact."""

    type: ClassVar[str] = "windlass.artifact.failed.v1"

    evidence: Evidence
    log: str
