"""Cancel: end the run that holds the lock, or the one that waits."""

from services.deployer.operations.named_run import named_run
from services.deployer.operations.request import Done, Outcome, Refusal, Request
from services.deployer.records import RunRecord
from services.deployer.run_ending import about
from services.deployer.run_state import HOLDS_LOCK, TERMINAL, UNSTARTED, WORKS, Trigger, advance
from shared.events import RunCancelling


async def cancel(request: Request) -> Outcome:
    """Begin to cancel; a run that is being cancelled already is left to it."""
    asked = request.asked
    run = await _meant(request)
    if isinstance(run, Refusal):
        return run
    if run.state in TERMINAL:
        return Refusal(
            f"that run of revision {run.revision} is {run.state} in {asked.stage}: there is nothing to cancel"
        )
    if run.kind == "rollback" and run.state in HOLDS_LOCK:
        return Refusal(
            f"revision {run.revision} is being restored in {asked.stage}; "
            "a rollback is not cancelled: wait for its end, or push a fix, which then goes out"
        )
    if run.state in UNSTARTED:
        await request.moves.stage_moves.cancel_unstarted(run, asked.actor, asked.reason)
        if run.is_withheld:  # it never goes on from here
            await request.moves.stage_moves.cancel_later(run, asked.actor, asked.reason)
        return Done(f"revision {run.revision}, which waited, is cancelled and does not begin")
    if run.state not in WORKS:
        return Done(f"revision {run.revision} is {run.state} already: wait for its end")
    await begin_to_cancel(request, run, asked.reason)
    return Done(f"revision {run.revision}, which was {run.state}, is stopped")


async def begin_to_cancel(request: Request, run: RunRecord, reason: str) -> None:
    """Have a run that works wind up."""
    state, actor = advance(run.state, Trigger.CANCEL_ASKED), request.asked.actor
    run = await request.store.change_run(run, state=state, cancel_actor=actor, cancel_reason=reason)
    request.moves.stage_moves.say(run, RunCancelling(**about(run), actor=actor, reason=reason))


async def _meant(request: Request) -> RunRecord | Refusal:
    """Return the run that is meant: the one named, or the lock's holder, or the one that waits."""
    named = await named_run(request)
    if named is not None:
        return named
    runs = await request.open_runs()
    holder = next((run for run in runs if run.state in HOLDS_LOCK), None)
    waiting = next((run for run in runs if run.ready), None)
    withheld = next((run for run in runs if run.is_withheld), None)
    nothing = f"nothing in {request.asked.pipeline}/{request.asked.stage} is running or waiting"
    return holder or waiting or withheld or Refusal(f"{nothing}: there is nothing to cancel")
