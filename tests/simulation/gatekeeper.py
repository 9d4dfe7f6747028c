"""Tells of a run that begins though something keeps its stage closed, by what was said and nothing else.

Its own reading of a window looks at the clock on the wall and at the words of the file; it shares nothing
with `shared/window.py`.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from shared.events import (
    BlockerLifted,
    Event,
    RevisionPlanned,
    RunStarted,
    StageBlocked,
    StageResumed,
    StageStopped,
    WindowOverridden,
)
from shared.ids import WHOLE, stage_key
from shared.plan import Plan
from shared.window import WEEK, Window

NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass
class Gatekeeper:
    """What stands before each stage by now."""

    _plans: dict[tuple[str, int], Plan] = field(default_factory=dict)
    _stopped: set[str] = field(default_factory=set)
    _blocked: dict[str, dict[str, datetime]] = field(default_factory=lambda: defaultdict(dict))
    _overridden: dict[str, datetime] = field(default_factory=dict)

    def hear(self, event: Event, at: datetime) -> str:
        """Return why the run that begins must not; empty: nothing is wrong."""
        match event:
            case RevisionPlanned():
                self._plans[event.pipeline, event.revision] = event.plan
            case StageStopped():
                self._stopped.add(event.key)
            case StageResumed():
                self._stopped.discard(event.key)
            case StageBlocked():
                self._blocked[event.key][event.blocker] = NEVER
            case BlockerLifted():
                self._blocked[event.key][event.blocker] = event.at
            case WindowOverridden():
                self._overridden[event.key] = event.until
            case RunStarted() if event.kind != "rollback":
                return "; ".join(self._kept_by(event, at))
        return ""

    def is_flapping(self, event: Event, at: datetime) -> bool:
        """Tell whether an alarm fires again before its blocker is gone."""
        if not isinstance(event, StageBlocked):
            return False
        ends = self._blocked[event.key].get(event.blocker)
        return ends is not None and at < ends < NEVER

    def _kept_by(self, event: RunStarted, at: datetime) -> Iterator[str]:
        if {event.key, stage_key(event.pipeline, WHOLE)} & self._stopped:
            yield "it is stopped"
        if event.kind == "roll_forward":
            return
        for blocker, ends in self._blocked[event.key].items():
            if at < ends:
                yield f"{blocker} keeps it closed"
        plan = self._plans[event.pipeline, event.revision]
        window = next(stage.window for stage in plan.stages if stage.name == event.stage)
        if window and at >= self._overridden.get(event.key, at) and not is_open(window, at):
            yield f"its window is closed at {at}: {window}"


def is_open(window: Window, at: datetime) -> bool:
    """Tell whether the clock on the wall shows a time at which a run may begin."""
    wall = at.astimezone(ZoneInfo(window.zone))
    day, clock, minute = WEEK[wall.weekday()], f"{wall:%H:%M}", f"{wall:%Y-%m-%dT%H:%M}"
    if any(each in {f"{wall:%Y-%m-%d}", f"{wall:%m-%d}"} for each in window.holidays):
        return False
    if any(
        freeze.begins <= minute and (freeze.ends is None or minute < freeze.ends) for freeze in window.freezes
    ):
        return False
    return any(each.day == day and each.opens <= clock < each.closes for each in window.openings)
