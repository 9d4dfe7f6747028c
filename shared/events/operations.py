"""Operations people ask for, and the answer each gets."""

from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

from shared.events.stages import StageEvent

OperationKind = Literal[
    "approve",
    "reject",
    "cancel",
    "retry",
    "rollback",
    "roll_forward",
    "stop",
    "resume",
    "release_hold",
    "lift_blocker",
    "override_window",
]


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
    revision: int | None = None  # rollback, roll_forward, release_hold: which; None: the obvious one
    blocker: str = ""  # lift_blocker: which; empty: the only one
    step: str = ""  # approve, reject: which gate, by name or id; empty: the only one
    shown: str = ""  # approve: the digest of what the person was shown; empty: not said
    from_failed_step: bool = False  # retry: what succeeded before is kept
    until: datetime | None = None  # override_window: how long
    dry_run: bool = False  # rollback: only say what would happen


class OperationAccepted(OperationEvent):
    """It is being done."""

    type: ClassVar[str] = "windlass.operation.accepted.v1"

    message: str = ""  # what will happen, in a sentence
    started: UUID | None = None  # the run that it made


class OperationRefused(OperationEvent):
    """It is not possible now; says why and what would be."""

    type: ClassVar[str] = "windlass.operation.refused.v1"

    message: str
