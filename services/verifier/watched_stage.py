"""A stage of which services are watched: whether a run is under way there, and what was heard of it. Pure.

What comes late must change nothing: a beginning that was a dead letter until its run was over, say, or an
older run's success after a newer one's. A message is late if it stands before what was heard last, and was
said before it too: a dead letter comes back without its place, and places begin anew with a new topic.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from shared.events import Event, Message
from shared.events.alarms import AlarmState
from shared.ids import Pipeline, Stage


@dataclass(frozen=True, slots=True)
class Heard:
    """Where in a stage's story something was said."""

    position: int
    at: datetime

    def is_late(self, last: "Heard | None") -> bool:
        """Tell whether it stands before what was heard last, or is that once more."""
        return last is not None and self.position <= last.position and self.at <= last.at

    def after(self, last: "Heard | None") -> "Heard":
        """Return where a story is that goes on with this: no place is forgotten for one without a place."""
        return self if last is None else Heard(max(self.position, last.position), max(self.at, last.at))


def heard_in(message: Message[Event]) -> Heard:
    """Return where a message stands."""
    return Heard(message.position, message.time)


@dataclass(frozen=True, slots=True)
class WatchedStage:
    """What is known of the stage."""

    pipeline: Pipeline
    stage: Stage
    busy_run: UUID | None = None  # that is under way
    run: Heard | None = None  # the last beginning or end of a run
    success: Heard | None = None  # of the run that is live
    alarm: AlarmState | None = None  # as it was last said; None: never

    @property
    def busy(self) -> bool:
        """Tell whether a run changes what is there."""
        return self.busy_run is not None


def run_began(stage: WatchedStage, run: UUID, heard: Heard) -> WatchedStage:
    """Return the stage with a run under way, unless that is over already."""
    if heard.is_late(stage.run):
        return stage
    return replace(stage, busy_run=run, run=heard.after(stage.run))


def run_over(stage: WatchedStage, run: UUID, heard: Heard) -> WatchedStage:
    """Return the stage after a run; another one may have begun since."""
    busy_run = None if stage.busy_run == run else stage.busy_run
    return replace(stage, busy_run=busy_run, run=heard.after(stage.run))


def brings(stage: WatchedStage, heard: Heard) -> WatchedStage | None:
    """Return the stage after a run that brought what is live; None: a newer one has done so."""
    return None if heard.is_late(stage.success) else replace(stage, success=heard.after(stage.success))
