"""The envelope around every event: CloudEvents 1.0 attributes plus our three extensions."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, Generic, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from shared.events.topics import Topic


class Event(BaseModel):
    """The body of an event. Frozen; unknown fields are dropped, so that older code reads newer events."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    type: ClassVar[str]  # "windlass.push.received.v1"
    topic: ClassVar[Topic]

    @property
    def key(self) -> str:
        """Return what this event keeps its order with."""
        raise NotImplementedError

    @property
    def subject(self) -> str:
        """Return what the event is about; the key unless a body knows better."""
        return self.key

    @property
    def correlation(self) -> str:
        """Return the deployment this event belongs to, `pipeline@revision`, or the empty string."""
        return ""


Body_co = TypeVar("Body_co", bound=Event, covariant=True)


@dataclass(frozen=True, slots=True)
class Message(Generic[Body_co]):
    """An event as it is heard: what happened, and where it stands in the story."""

    id: UUID
    time: datetime  # when it was committed by its producer, aware UTC
    source: str  # the service that said it
    subject: str
    key: str
    correlation: str
    causation: UUID | None  # the event or work that brought it about
    traceparent: str
    body: Body_co
    position: int = 0  # its place in its partition, growing; 0 until the bus has placed it
    origin: str = ""  # where the bus found it, for people: "windlass.stages/3@1042", "outbox@1042"
    raw: str | bytes | None = None  # the body as it arrived; None: as `body` says
    headers: Mapping[str, str] = field(default_factory=dict)  # those it came with beside the envelope's
