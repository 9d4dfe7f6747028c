"""Retry: the same revision and artifacts once more, as a run of its own."""

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
    for good in await request.store.past_runs(request.here):
        if good.revision > run.revision:
            return (
                f"revision {good.revision}, which is newer, succeeded in {run.stage}: "
                f"to bring {run.revision} back, ask for a rollback"
            )
    for other in await request.open_runs():
        if other.revision == run.revision and (other.ready or other.state not in UNSTARTED):
            return f"revision {run.revision} is {other.state} in {run.stage} already"
        if other.revision > run.revision and (other.ready or other.state not in UNSTARTED):
            return f"revision {other.revision}, which is newer, is {other.state} in {run.stage}"
    if run.revision in await request.store.held_revisions(request.here):
        return f"revision {run.revision} is on hold in {run.stage}: release the hold first"
    return ""
