"""Retry: the same revision and artifacts once more, as a run of its own."""

from services.deployer.kept import need_not_be_done, not_kept
from services.deployer.kept_moves import acted_since, begun_of
from services.deployer.operations import definition, in_place
from services.deployer.operations.named_run import named_run
from services.deployer.operations.request import Done, Outcome, Refusal, Request
from services.deployer.records import RunRecord
from services.deployer.run_state import RETRIED, UNSTARTED
from services.deployer.store import WhereaboutsStore
from services.deployer.whereabouts import not_through
from shared.ids import derive


async def retry(request: Request) -> Outcome:
    """Make a new run of what ended badly, unless something newer is here or on its way."""
    run = await _meant(request)
    if isinstance(run, Refusal):
        return run
    if refusal := await _refusal(request, run):
        return Refusal(refusal)
    kept = await _kept(request, run)
    if isinstance(kept, Refusal):
        return kept
    again = await request.runs.again(run, derive(request.asked.operation, "run"))
    return Done(f"revision {run.revision} is deployed to {run.stage} once more{kept}", again.run)


async def _kept(request: Request, run: RunRecord) -> str | Refusal:
    """Return what is told of the steps that are not done again."""
    if not request.asked.from_failed_step:
        return ""
    tried = await begun_of(request.store, run.run)
    if tried is None:
        return ", every step of it: nothing of it had begun"
    if since := await request.holder() or await acted_since(request.store, tried):
        return Refusal(not_kept(since, run.revision))
    revision = await request.store.revision(run.pipeline, run.revision)
    plan = next(stage for stage in revision.plan.stages if stage.name == run.stage)
    names = [step.name for step in need_not_be_done(plan, await request.store.steps(tried.run))]
    if not names:
        return ", every step of it: nothing that it did could be kept"
    return f"; kept is what {'steps' if len(names) > 1 else 'step'} {', '.join(names)} did"


async def _meant(request: Request) -> RunRecord | Refusal:
    """Return the run to try again: the one named, or the last one here."""
    asked = request.asked
    run = await named_run(request) or await request.store.last_run(request.here)
    if isinstance(run, Refusal):
        return run
    if run is None:
        return Refusal(f"nothing has run in {asked.pipeline}/{asked.stage} that could be tried again: push")
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
    is_new = await definition.was_never_judged(request, run)
    if not is_new and (refusal := await definition.kept_back(request, run.revision)):
        return refusal
    if refusal := await _not_come_so_far(request, run):
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
    there = WhereaboutsStore(request.store, run.pipeline)
    if await there.has_come_through(run.comes_after, run.revision):
        return ""
    return not_through(run.revision, await there.of(run.comes_after, run.revision))


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
