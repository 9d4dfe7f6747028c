"""Rollback: an earlier revision's pinned artifacts and plan again, before the queue.

Nothing is built. A run that works here is cancelled for it, and the rollback takes the lock over when that
has ended. The revision rolled back from is put on hold, so that it does not return by itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from services.deployer.operations.cancel import begin_to_cancel
from services.deployer.operations.request import Done, Outcome, Refusal, Request
from services.deployer.records import RunRecord
from services.deployer.rollback import PastRun
from services.deployer.run_state import RETRIED, UNSTARTED, WORKS
from shared.ids import derive


@dataclass(frozen=True, slots=True)
class _Way:
    """From where to where."""

    restored: int
    undone: int | None  # the revision that is put on hold
    holder: RunRecord | None  # the run that is in the way


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
    undone = await _undone(request, holder, past)
    held = await request.store.held_revisions(request.here)
    good = [run.revision for run in past if run.revision != undone]
    wanted = request.asked.revision or next((each for each in good if each not in held), None)
    if wanted is None:
        return Refusal(f"no other revision has ever succeeded in {request.asked.stage}: push a fix")
    if wanted not in [run.revision for run in past]:
        return Refusal(f"revision {wanted} has never succeeded in {request.asked.stage}")
    if wanted == undone:
        return Refusal(f"revision {wanted} is what {request.asked.stage} runs now")
    return _Way(wanted, undone, holder)


async def _undone(request: Request, holder: RunRecord | None, past: Sequence[PastRun]) -> int | None:
    """Return the revision that is gone back from: what runs, what ended badly last, or what is live.

    After a rollback that failed it is none: what that went back from is on hold already, and where it
    wanted to go may be tried again.
    """
    if holder:
        return holder.revision
    last = await request.store.last_begun(request.here)
    if last and last.kind == "rollback" and last.state in RETRIED:
        return None
    return last.revision if last else past[0].revision if past else None


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
    waiting = [run for run in await request.open_runs() if run.ready and run.state in UNSTARTED]
    said += [f"revision {run.revision}, which waits, goes out after it" for run in waiting]
    if left_out:
        said.append(f"left out of it: {', '.join(left_out)}")
    return "; ".join(said)
