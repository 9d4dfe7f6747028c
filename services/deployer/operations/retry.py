"""Retry: the same revision and artifacts once more, as a run of its own."""

from services.deployer.operations import definition, in_place
from services.deployer.operations.request import Done, Outcome, Refusal, Request
from services.deployer.records import RunRecord
from services.deployer.run_state import RETRIED, UNSTARTED
from shared.ids import derive


async def retry(request: Request) -> Outcome:
    """Make a new run of what ended badly, unless something newer is here or on its way."""
    run = await _meant(request)
    if isinstance(run, Refusal):
        return run
    if refusal := await _refusal(request, run):
        return Refusal(refusal)
    again = await request.runs.again(run, derive(request.asked.operation, "run"))
    kept = "; what succeeded before is kept" if request.asked.from_failed_step else ""
    return Done(f"revision {run.revision} is deployed to {run.stage} once more{kept}", again.run)


async def _meant(request: Request) -> RunRecord | Refusal:
    """Return the run to try again: the one named, or the last one here."""
    asked = request.asked
    run = await (request.store.run(asked.run) if asked.run else request.store.last_run(request.here))
    if run is None or run.stage_key != request.here:
        return Refusal(f"nothing has run in {asked.pipeline}/{asked.stage} that could be tried again")
    if run.kind == "rollback":
        return Refusal("a rollback is not retried: ask for a rollback again, and to which revision")
    if run.state not in RETRIED:
        return Refusal(
            f"revision {run.revision} is {run.state} in {run.stage}: only what Failed, Timed Out or was "
            "Cancelled is retried"
        )
    return run


async def _refusal(request: Request, run: RunRecord) -> str:
    """Return what stands against it, or the empty string."""
    if refusal := await definition.kept_back(request, run.revision) or await _not_come_so_far(request, run):
        return refusal
    for good in await request.store.past_runs(request.here):
        if good.revision > run.revision:
            return (
                f"revision {good.revision}, which is newer, succeeded in {run.stage}: "
                f"to bring {run.revision} back, ask for a rollback"
            )
    if refusal := in_place.behind(await in_place.newest(request), run.revision, run.stage):
        return refusal
    if run.revision in await request.store.held_revisions(request.here):
        return f"revision {run.revision} is on hold in {run.stage}: release the hold first"
    return await _in_the_way(request, run)


async def _not_come_so_far(request: Request, run: RunRecord) -> str:
    """Return that the revision did not pass the stage before, or the empty string.

    A run that was ended before it could begin would else begin by its retry.
    """
    if not run.comes_after:
        return ""
    before = await request.store.past_runs(run.comes_after)
    if any(good.revision == run.revision for good in before):
        return ""
    stage = run.comes_after.rpartition("/")[2]
    return (
        f"revision {run.revision} has not come through {stage}: retry it there, "
        f"or roll {run.stage} forward to it"
    )


async def _in_the_way(request: Request, run: RunRecord) -> str:
    """Return which run is here or next already, or the empty string; in a line the older goes first."""
    line = request.stage is not None and request.stage.queue == "fifo"
    for other in await request.open_runs():
        if not other.ready and other.state in UNSTARTED:
            continue
        if other.revision == run.revision:
            return f"revision {run.revision} is {other.state} in {run.stage} already"
        if other.revision > run.revision and not (line and other.waits):
            return f"revision {other.revision}, which is newer, is {other.state} in {run.stage}"
    return ""
