"""What keeps a stage from beginning the run that is next: a stop, a blocker, its window. Pure.

Asked again whenever something of it changes and when a window opens. A run that has begun is never held:
it may finish past its window. A rollback is held by nothing, for it repairs; a roll-forward goes past
window and blockers, on purpose, and not past a stop.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.events import Wait
from shared.events.runs import RunKind
from shared.window import Window, is_open, next_opening, why_closed


@dataclass(frozen=True, slots=True)
class Stop:
    """A person keeps the stage, or all of the pipeline's, from beginning anything."""

    actor: str
    reason: str
    since: datetime
    whole_pipeline: bool


@dataclass(frozen=True, slots=True)
class Blocker:
    """Something that is wrong and has to be over first."""

    name: str  # "alarm shop-5xx"
    reason: str
    released_by: str
    since: datetime
    ends_at: datetime | None = None  # it is over, and keeps the stage closed until then all the same


@dataclass(frozen=True, slots=True)
class Gates:
    """All that stands before a stage's lock."""

    stop: Stop | None = None
    blockers: Sequence[Blocker] = ()
    window: Window | None = None  # None: always open
    overridden_until: datetime | None = None  # a person opened the window until then


def closed_by(gates: Gates, kind: RunKind, now: datetime) -> Wait | None:
    """Return what a run of this kind that could have the lock has to wait for; None: nothing."""
    if kind == "rollback":
        return None
    if gates.stop:
        return _for_stop(gates.stop)
    if kind == "roll_forward":
        return None
    standing = [each for each in gates.blockers if each.ends_at is None or now < each.ends_at]
    if standing:
        return _for_blocker(standing[0])
    return _for_window(gates, now)


def wakes_at(wait: Wait | None) -> datetime | None:
    """Return when to look at a waiting run again though nothing happened: its window opens, say."""
    return wait.deadline if wait and wait.reason in {"window", "blocker"} else None


def _for_stop(stop: Stop) -> Wait:
    what = "the pipeline" if stop.whole_pipeline else "the stage"
    why = f": {stop.reason}" if stop.reason else ""
    return Wait(
        reason="stopped",
        blocked_by=f"{stop.actor} stopped {what}{why}",
        released_by=f"somebody who resumes {what}",
        since=stop.since,
    )


def _for_blocker(blocker: Blocker) -> Wait:
    return Wait(
        reason="blocker",
        blocked_by=f"{blocker.name}: {blocker.reason}",
        released_by="some time without it" if blocker.ends_at else blocker.released_by,
        since=blocker.since,
        deadline=blocker.ends_at,
    )


def _for_window(gates: Gates, now: datetime) -> Wait | None:
    if gates.window is None or is_open(gates.window, now):
        return None
    if gates.overridden_until and now < gates.overridden_until:
        return None
    opening = next_opening(gates.window, now)
    return Wait(
        reason="window",
        blocked_by=why_closed(gates.window, now),
        released_by="the window's opening, or somebody who overrides it"
        if opening
        else "somebody who overrides it",
        since=now,
        deadline=opening,
    )
