"""What people can ask of a stage, and the answer each gets: accepted, or refused with the way out."""

from services.deployer.pipeline_moves import PipelineMoves
from services.deployer.records import RunRecord
from services.deployer.run_state import HOLDS_LOCK, UNSTARTED, WORKS, Trigger, advance
from services.deployer.stage_moves import about
from shared.events import OperationAccepted, OperationRefused, OperationRequested, RunCancelling
from shared.ids import stage_key


async def answer(moves: PipelineMoves, asked: OperationRequested) -> None:
    """Do it or refuse it; either way exactly one answer is said."""
    refusal = await _cancel(moves, asked)
    said = {
        "pipeline": asked.pipeline,
        "stage": asked.stage,
        "operation": asked.operation,
        "kind": asked.kind,
        "run": asked.run,
    }
    if refusal:
        moves.store.tx.emit(OperationRefused(**said, message=refusal), str(asked.operation))
    else:
        moves.store.tx.emit(OperationAccepted(**said), str(asked.operation))


async def _cancel(moves: PipelineMoves, asked: OperationRequested) -> str:
    """Begin to cancel; returns why not, or the empty string."""
    run = await _meant(moves, asked)
    if run is None:
        return f"nothing in {asked.pipeline}/{asked.stage} is running or waiting: there is nothing to cancel"
    if run.kind == "rollback":
        return (
            f"revision {run.revision} is being restored in {asked.stage}; "
            "a rollback is not cancelled: wait for its end, or push a fix, which then goes out"
        )
    if run.state in UNSTARTED:
        await moves.stage_moves.cancel_unstarted(run, asked.actor, asked.reason)
        return ""
    if run.state not in WORKS:
        return ""
    state = advance(run.state, Trigger.CANCEL_ASKED)
    run = await moves.store.change_run(run, state=state, cancel_actor=asked.actor, cancel_reason=asked.reason)
    moves.stage_moves.say(run, RunCancelling(**about(run), actor=asked.actor, reason=asked.reason))
    return ""


async def _meant(moves: PipelineMoves, asked: OperationRequested) -> RunRecord | None:
    """Return the run that is meant: the one named, or the lock's holder, or the one that waits."""
    here = stage_key(asked.pipeline, asked.stage)
    runs = [run for run in await moves.store.open_runs(asked.pipeline) if run.stage_key == here]
    if asked.run:
        return next((run for run in runs if run.run == asked.run), None)
    holder = next((run for run in runs if run.state in HOLDS_LOCK), None)
    return holder or next((run for run in runs if run.ready), None)
