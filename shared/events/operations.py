"""Operations people ask for, and the answer each gets."""

from typing import ClassVar, Literal
from uuid import UUID

from shared.events.stages import StageEvent

OperationKind = Literal["cancel"]


class OperationEvent(StageEvent):
    """What asking and answering have in common."""

    operation: UUID
    kind: OperationKind
    run: UUID | None = None  # None: whichever run holds the stage's lock, else the one that waits


class OperationRequested(OperationEvent):
    """A person asked for it over HTTP."""

    type: ClassVar[str] = "windlass.operation.requested.v1"

    actor: str
    reason: str


class OperationAccepted(OperationEvent):
    """It is being done."""

    type: ClassVar[str] = "windlass.operation.accepted.v1"

    message: str = ""


class OperationRefused(OperationEvent):
    """It is not possible now; says why and what would be."""

    type: ClassVar[str] = "windlass.operation.refused.v1"

    message: str
