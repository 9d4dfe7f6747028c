"""How a run's story goes on: what each message changes, and the moment that it is. Pure."""

from functools import cache
from typing import Any

from services.status.views import Moment, RunView
from shared.events import Event, Message

TIMELINE_MAX = 400  # moments kept; the history has the others


def moment(run: RunView, message: Message[Any], text: str, **changes: Any) -> RunView:
    """Return the run with the changes and one more moment."""
    body: Event = message.body
    what, of_step = _kind_of_moment(type(body))
    step: str = body.step if of_step else ""  # type: ignore[attr-defined]
    entry = Moment(at=message.time, what=what, text=text, step=step)
    return run.model_copy(update={**changes, "timeline": (*run.timeline, entry)[-TIMELINE_MAX:]})


@cache
def _kind_of_moment(event: type[Event]) -> tuple[str, bool]:
    """Return an event's type in short, and whether it names a step."""
    return event.type.removeprefix("windlass.").rpartition(".v")[0], "step" in event.model_fields


def changed(view: RunView | None, message: Message[Any], text: str, **changes: Any) -> RunView | None:
    """Return the same of a run that is known; of another there is nothing to tell."""
    return moment(view, message, text, **changes) if view else None


ROLLBACK = {
    "started": "; the stage is rolled back by itself",
    "no_candidate": "; there was no revision to roll back to",
}


def with_rollback(said: str, rollback: str) -> str:
    """Return how a run ended, and whether it is rolled back, or should have been and cannot."""
    return f"{said}{ROLLBACK.get(rollback, '')}"


def said_by(actor: str, reason: str) -> str:
    """Return who did it and why."""
    return f"{actor}: {reason}" if reason else actor
