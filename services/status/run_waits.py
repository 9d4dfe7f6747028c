"""What a run waited for, one thing after the other, and how much of its time that took. Pure.

The deployer says what a run waits for again when the sentence changes; that is one wait as long as its reason
and its beginning stay. Waits may overlap, as two gates side by side do: time is counted once.
"""

from datetime import datetime
from typing import Any

from services.status.views import RunView, WaitSpan
from shared.events import Wait

WAITS_MAX = 100  # kept of one run


def waits_now(run: RunView, wait: Wait | None, at: datetime) -> dict[str, Any]:
    """Return what changes in the run when it waits for this from `at` on."""
    last = run.waits[-1] if run.waits and run.waits[-1].until is None else None
    if last and wait and (last.wait.reason, last.wait.since) == (wait.reason, wait.since):
        said = last.model_copy(update={"wait": wait})
        return {"wait": wait, "waits": (*run.waits[:-1], said)}
    waits, seconds = run.waits, run.waiting_seconds
    if last:
        over = WaitSpan(wait=last.wait, until=at, seconds=seconds_between(last.wait.since, at))
        waits, seconds = (*waits[:-1], over), seconds + _counted(run, last, at)
    if wait:
        waits = (*waits, WaitSpan(wait=wait, until=None, seconds=None))
    return {"wait": wait, "waits": waits[-WAITS_MAX:], "waiting_seconds": seconds}


def began(run: RunView, at: datetime) -> dict[str, Any]:
    """Return what changes when the run gets hold of its stage."""
    queued = seconds_between(run.queued_at, at)
    return {**waits_now(run, None, at), "started_at": at, "queued_seconds": queued}


def ended(run: RunView, at: datetime) -> dict[str, Any]:
    """Return what changes when the run is over."""
    changes = waits_now(run, None, at)
    if run.started_at is None:
        return {**changes, "queued_seconds": seconds_between(run.queued_at, at)}
    running = seconds_between(run.started_at, at) - changes.get("waiting_seconds", run.waiting_seconds)
    return {**changes, "running_seconds": max(running, 0.0)}


def seconds_between(earlier: datetime, later: datetime) -> float:
    """Return how long that was; never less than nothing, though the times are of several hosts."""
    return max((later - earlier).total_seconds(), 0.0)


def _counted(run: RunView, span: WaitSpan, at: datetime) -> float:
    """Return how much of a wait's time is the run's own, and not counted with another wait."""
    if run.started_at is None:
        return 0.0
    counted = [each.until for each in run.waits if each.until is not None]
    return seconds_between(max([run.started_at, span.wait.since, *counted]), at)
