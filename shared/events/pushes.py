"""Topic `windlass.pushes`: what arrived from a forge or by hand."""

from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

from shared.events.envelope import Event
from shared.events.evidence import Evidence
from shared.events.topics import Topic
from shared.ids import Commit, Pipeline, Repository


class PushReceived(Event):
    """A branch or tag moved, or a person asked for a deployment of its tip or of one commit."""

    type: ClassVar[str] = "windlass.push.received.v1"
    topic: ClassVar[Topic] = Topic.PUSHES

    push: UUID
    repository: Repository
    remote: str  # where the commit can be fetched from: a URL or an absolute path
    branch: str  # without refs/heads/; empty for a tag
    commit: Commit | None  # a tag's may be its own object; None: the tip, when a person asked
    trigger: Literal["push", "manual"]
    pipeline: Pipeline | None = None  # a manual trigger names the one it is for
    pusher: str = ""  # as the forge names them, or the token's holder
    reason: str = ""
    received_at: datetime
    tag: str = ""  # without refs/tags/; empty for a branch

    @property
    def key(self) -> str:
        """Return the repository."""
        return self.repository


class PushRefused(Event):
    """A push that could be answered for no pipeline: its source could not be read, or defines none."""

    type: ClassVar[str] = "windlass.push.refused.v1"
    topic: ClassVar[Topic] = Topic.PUSHES

    push: UUID
    repository: Repository
    branch: str
    commit: Commit | None
    code: Literal["source_unreachable", "commit_unreachable", "no_pipeline", "unreadable"]
    message: str  # what is wrong and the way out
    evidence: Evidence | None = None
    tag: str = ""
    proposal: str = ""  # a pipeline file for what lies there, of a repository that has none; bounded

    @property
    def key(self) -> str:
        """Return the repository."""
        return self.repository
