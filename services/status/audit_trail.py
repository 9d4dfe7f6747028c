"""Who did what, why and when: the entries of a pipeline's audit trail, told from its events. Pure.

What was asked is one entry and carries its answer; what followed from it is entries of its own.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from services.status.run_view import state_of
from services.status.timeline import said_by, with_rollback
from services.status.views import OperationView, View
from shared.events import (
    EVENT_TYPES,
    BlockerLifted,
    DefinitionAnswered,
    Event,
    GateAnswered,
    HealthChanged,
    HoldReleased,
    OperationRequested,
    RunCancelled,
    RunCancelling,
    RunEvent,
    RunFailed,
    RunFinished,
    RunRollingBack,
    RunRollingForward,
    RunStarted,
    RunSucceeded,
    RunSuperseded,
    RunTimedOut,
    StageBlocked,
    StageHeld,
    StageResumed,
    StageStopped,
    WindowOverridden,
)
from shared.events.stages import StageEvent
from shared.ids import WHOLE

ENTERED: tuple[type[StageEvent], ...] = (
    OperationRequested,
    StageStopped,
    StageResumed,
    StageHeld,
    HoldReleased,
    StageBlocked,
    BlockerLifted,
    WindowOverridden,
    GateAnswered,
    DefinitionAnswered,
    HealthChanged,
    RunStarted,
    RunRollingBack,
    RunRollingForward,
    RunCancelling,
    RunSucceeded,
    RunFailed,
    RunTimedOut,
    RunCancelled,
    RunSuperseded,
)
TYPES: Mapping[str, type[Event]] = {each.type: EVENT_TYPES[each.type] for each in ENTERED}


ASKED: Mapping[str, str] = {
    "rollback": "roll back",
    "roll_forward": "roll forward",
    "release_hold": "release a hold",
    "lift_blocker": "lift a blocker",
    "override_window": "override the window",
}  # the others are verbs as they are


class Entry(View):
    """One entry of the audit trail."""

    id: UUID  # the event's
    at: datetime
    stage: str  # `*`: the whole pipeline
    what: str  # the event's type in short
    text: str
    known: bool = True  # False: a later release said it, and this one reads no more of it than this
    actor: str = ""  # empty: it came by itself
    reason: str = ""
    run: UUID | None = None
    revision: int | None = None
    operation: OperationView | None = None  # what was asked, with its answer
    causation: UUID | None = None  # the event it followed from: another entry's id, where a person caused it


def entry(id_: UUID, at: datetime, causation: UUID | None, body: StageEvent) -> Entry:
    """Return what an event is in the trail."""
    told = {name: getattr(body, name, None) for name in ("actor", "reason", "run", "revision")}
    known = {name: value for name, value in told.items() if value is not None}
    return Entry(
        id=id_,
        at=at,
        stage=body.stage,
        what=_in_short(body.type),
        text=_text(body),
        causation=causation,
        **known,
    )


def unread(id_: UUID, at: datetime, causation: UUID | None, type_: str, subject: str) -> Entry:
    """Return what an event is in the trail whose body this release cannot read: that it was, and where."""
    what = _in_short(type_)
    text = f"{what}, in words of a later release: see its event"
    return Entry(
        id=id_,
        at=at,
        stage=subject.rpartition("/")[2],
        what=what,
        text=text,
        known=False,
        causation=causation,
    )


def _in_short(type_: str) -> str:
    return type_.removeprefix("windlass.").rpartition(".v")[0]


def _text(body: StageEvent) -> str:
    where = "the pipeline" if body.stage == WHOLE else body.stage
    match body:
        case OperationRequested():
            return f"{_asked(body)} in {where}, by {_who(body)}"
        case RunEvent():
            return _of_run(body)
        case GateAnswered():
            who = said_by(body.actor, body.comment)
            return f"Step {body.step} of revision {body.revision} was {body.verdict} in {where}, by {who}"
        case HealthChanged():
            about = f"Service {body.service} of revision {body.revision} in {where}"
            return f"{about} is {body.health} and was {body.before}: {body.reason}"
        case _:
            return _of_stage(body, where)


def _asked(body: OperationRequested) -> str:
    return "Asked what a rollback would do" if body.dry_run else f"Asked to {ASKED.get(body.kind, body.kind)}"


def _of_stage(body: StageEvent, where: str) -> str:
    match body:
        case StageStopped():
            return f"{where} was stopped, by {_who(body)}"
        case StageResumed():
            return f"{where} was resumed, by {_who(body)}"
        case StageHeld():
            return f"Revision {body.revision} was put on hold in {where}: {body.reason}"
        case HoldReleased():
            return f"Revision {body.revision} was released from its hold in {where}, by {_who(body)}"
        case StageBlocked():
            return f"{where} was blocked by {body.blocker}: {body.reason}"
        case BlockerLifted():
            by = f", by {_who(body)}" if body.actor else f", from {_instant(body.at)} on"
            return f"{body.blocker} no longer blocks {where}{by}"
        case WindowOverridden():
            return f"The window of {where} was overridden until {_instant(body.until)}, by {_who(body)}"
    raise AssertionError(f"{body.type} is not entered")


def _of_run(body: RunEvent) -> str:
    about = f"Revision {body.revision} in {body.stage}"
    match body:
        case DefinitionAnswered():
            who = said_by(body.actor, body.comment)
            return f"{about}: the change of its pipeline file was {body.verdict}, by {who}"
        case RunStarted():
            return f"{about}: {state_of(body)}"
        case RunCancelling():
            return f"{about}: Cancelling, by {_who(body)}"
        case RunCancelled():
            return with_rollback(f"{about}: {body.state}, by {_who(body)}", body.rollback)
        case RunSuperseded():
            return f"{about}: {body.state} by revision {body.by_revision}"
        case RunFailed() | RunTimedOut():
            return with_rollback(f"{about}: {body.state}: {body.evidence.message}", body.rollback)
        case RunFinished():
            return f"{about}: {body.state}"
    raise AssertionError(f"{body.type} is not entered")


def _instant(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _who(body: Any) -> str:
    return said_by(body.actor, body.reason)
