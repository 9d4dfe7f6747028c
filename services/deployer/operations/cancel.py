"""Cancel: end the run that holds the lock, or the one that waits."""

from services.deployer.operations.request import Done, Outcome, Refusal, Request
from services.deployer.records import RunRecord
from services.deployer.run_ending import about
from services.deployer.run_state import HOLDS_LOCK, UNSTARTED, WORKS, Trigger, advance
from shared.events import RunCancelling


async def cancel(request: Request) -> Outcome:
    """Begin to cancel; a run that is being cancelled already is left to it."""
    asked = request.asked
    run = await _meant(request)
    if run is None:
        return Refusal(
            f"nothing in {asked.pipeline}/{asked.stage} is running or waiting: there is nothing to cancel"
        )
    if run.kind == "rollback" and run.state in HOLDS_LOCK:
        return Refusal(
            f"revision {run.revision} is being restored in {asked.stage}; "
            "a rollback is not cancelled: wait for its end, or push a fix, which then goes out"
        )
    if run.state in UNSTARTED:
        await request.moves.stage_moves.cancel_unstarted(run, asked.actor, asked.reason)
    elif run.state in WORKS:
        await begin_to_cancel(request, run, asked.reason)
    return Done()


async def begin_to_cancel(request: Request, run: RunRecord, reason: str) -> None:
    """Have a run that works wind up."""
    state, actor = advance(run.state, Trigger.CANCEL_ASKED), request.asked.actor
    run = await request.store.change_run(run, state=state, cancel_actor=actor, cancel_reason=reason)
    request.moves.stage_moves.say(run, RunCancelling(**about(run), actor=actor, reason=reason))


async def _meant(request: Request) -> RunRecord | None:
    """Return the run that is meant: the one named, or the lock's holder, or the one that waits."""
    runs = await request.open_runs()
    if request.asked.run:
        return next((run for run in runs if run.run == request.asked.run), None)
    holder = next((run for run in runs if run.state in HOLDS_LOCK), None)
    waiting = next((run for run in runs if run.ready), None)
    return holder or waiting or next((run for run in runs if run.is_withheld), None)
