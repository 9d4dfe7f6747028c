"""Rollback: an earlier revision's pinned artifacts and plan again, before the queue.

Nothing is built. A run that works here is cancelled for it, and the rollback takes the lock over when that
has ended. The revision rolled back from is put on hold, so that it does not return by itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from services.deployer import rollback
from services.deployer.operations.cancel import begin_to_cancel
from services.deployer.operations.gate import release
from services.deployer.operations.request import Done, Outcome, Refusal, Request
from services.deployer.records import RunRecord
from services.deployer.rollback import PastRun
from services.deployer.run_state import LIVE, RETRIED, UNSTARTED, WORKS
from services.deployer.store import WhereaboutsStore
from shared.ids import derive

TOLD_MAX = 3  # newer revisions that are named where there is no older one


@dataclass(frozen=True, slots=True)
class _Way:
    """From where to where."""

    restored: int
    undone: int | None  # the revision that is put on hold
    holder: RunRecord | None  # the run that is in the way
    releases: bool  # what is restored was on hold, and a person named it


async def roll_back(request: Request) -> Outcome:
    """Make the run that restores it, or only say what it would do."""
    way = await _way(request)
    if isinstance(way, Refusal):
        return way
    told = await _told(request, way)
    if request.asked.dry_run:
        return Done(told)
    if way.holder and way.holder.state in WORKS:
        await begin_to_cancel(request, way.holder, f"rolled back: {request.asked.reason}")
    if way.releases:
        await release(request, way.restored)
    run = await request.runs.restoring(derive(request.asked.operation, "run"), way.restored, way.undone)
    return Done(told, run.run)


async def _way(request: Request) -> _Way | Refusal:
    runs = await request.open_runs()
    urgent = next((run for run in runs if run.is_urgent), None)
    if urgent:
        return Refusal(
            f"a {urgent.kind.replace('_', '-')} to revision {urgent.revision} is {urgent.state} here: "
            "wait for its end"
        )
    holder = await request.holder()
    past = await request.store.past_runs(request.here)
    undone, tried = await _undone(request, holder)
    held = await request.store.held_revisions(request.here)
    good = rollback.older(past, undone, tried)
    wanted = request.asked.revision or next((each for each in good if each not in held), None)
    runs_now = past[0].revision if undone is None and past else undone
    if wanted is None:
        newer = {run.revision for run in past if run.revision != runs_now}
        return Refusal(_nothing_left(request.asked.stage, runs_now, sorted(newer, reverse=True)))
    if wanted not in good:
        return Refusal(_no_way_back(request.asked.stage, past, runs_now, wanted))
    return _Way(wanted, undone, holder, wanted in held)


def _nothing_left(stage: str, runs_now: int | None, newer: Sequence[int]) -> str:
    """Return why there is nothing to go back to."""
    if runs_now is None or not newer:
        return f"no other revision has ever succeeded in {stage}: push a fix"
    which = " or ".join(map(str, newer[:TOLD_MAX]))
    return (
        f"no revision older than {runs_now}, which {stage} runs, ever succeeded there: push a fix, "
        f"or roll forward to {which}, and release its hold before if it is on hold"
    )


def _no_way_back(stage: str, past: Sequence[PastRun], runs_now: int | None, wanted: int) -> str:
    """Return why a revision that was named is none to go back to."""
    if wanted not in [run.revision for run in past]:
        return f"revision {wanted} has never succeeded in {stage}"
    if wanted == runs_now:
        return f"revision {wanted} is what {stage} runs now"
    return (
        f"revision {wanted} is newer than {runs_now}, which {stage} runs, and a rollback goes back: "
        "roll forward to it, and release its hold before if it is on hold"
    )


async def _undone(request: Request, holder: RunRecord | None) -> tuple[int | None, int]:
    """Return the revision that is gone back from: what runs, or what ran last.

    After a rollback that failed it is none: what that went back from is on hold already, and where it
    wanted to go, which is told too, may be tried again.
    """
    if holder:
        return holder.revision, 0
    last = await request.store.last_begun(request.here)
    if last and last.kind == "rollback" and last.state in RETRIED:
        return None, last.revision
    return last.revision if last else None, 0


async def _told(request: Request, way: _Way) -> str:
    """Return what happens, in sentences."""
    revision = await request.store.revision(request.asked.pipeline, way.restored)
    plan = next((stage for stage in revision.plan.stages if stage.name == request.asked.stage), None)
    left_out = [step.name for step in plan.steps if step.on_rollback == "skip"] if plan else []
    said = [f"revision {way.restored} ({revision.commit[:8]}) is restored from its pinned artifacts"]
    if way.holder and way.holder.state in WORKS:
        said.append(f"revision {way.holder.revision}, which is {way.holder.state}, is cancelled first")
    if way.undone:
        said.append(f"revision {way.undone} is put on hold")
    if way.releases:
        said.append(f"revision {way.restored} is on hold no more")
    waiting = [run for run in await request.open_runs() if run.ready and run.state in UNSTARTED]
    next_ = [run.revision for run in waiting if run.revision != way.undone]
    said += [f"revision {revision}, which waits, goes out after it" for revision in next_]
    if left_out:
        said.append(f"left out of it: {', '.join(left_out)}")
    if way.undone:
        said += await _elsewhere(request, way.undone)
    return "; ".join(said)


async def _elsewhere(request: Request, undone: int) -> Sequence[str]:
    """Return what becomes of what is gone back from in the stages after this one."""
    later = await request.runs.later_of(undone)
    ended = [run.stage for run in later if run.state in UNSTARTED]
    said = [f"revision {undone} is not brought on to {', '.join(ended)}"] if ended else []
    for run in later:
        there = await _has_it(request, run)
        if there:
            cancel = "cancel it or " if there.state in WORKS else ""
            is_there = f"where revision {undone} is {there.state}"
            said.append(f"{run.stage} is not touched, {is_there}: {cancel}roll back there too")
    return said


async def _has_it(request: Request, later: RunRecord) -> RunRecord | None:
    """Return the run that brings the revision to that stage now, or has brought it: it is live there."""
    last = await WhereaboutsStore(request.store, later.pipeline).last_run(later.stage_key, later.revision)
    past = await request.store.past_runs(later.stage_key)
    is_live = bool(past) and past[0].revision == later.revision
    return last if last and (last.state in WORKS or (last.state in LIVE and is_live)) else None
