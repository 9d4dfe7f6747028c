"""The table of operations, and the one answer each gets: accepted, or refused with the way out."""

from collections.abc import Awaitable, Callable, Mapping

from services.deployer.operations.approval import approve, reject
from services.deployer.operations.cancel import cancel
from services.deployer.operations.gate import lift_blocker, override_window, release_hold, resume, stop
from services.deployer.operations.request import Outcome, Refusal, Request
from services.deployer.operations.retry import retry
from services.deployer.operations.roll_back import roll_back
from services.deployer.operations.roll_forward import roll_forward
from services.deployer.pipeline_moves import PipelineMoves
from shared.events import OperationAccepted, OperationRefused, OperationRequested
from shared.events.operations import OperationKind
from shared.ids import WHOLE

OPERATIONS: Mapping[OperationKind, Callable[[Request], Awaitable[Outcome]]] = {
    "approve": approve,
    "reject": reject,
    "cancel": cancel,
    "retry": retry,
    "rollback": roll_back,
    "roll_forward": roll_forward,
    "stop": stop,
    "resume": resume,
    "release_hold": release_hold,
    "lift_blocker": lift_blocker,
    "override_window": override_window,
}
OF_A_PIPELINE = frozenset({"stop", "resume"})  # may be asked for all of its stages at once


async def answer(moves: PipelineMoves, asked: OperationRequested) -> None:
    """Do it or refuse it; either way exactly one answer is said."""
    request = Request(asked, moves)
    outcome = await _outcome(request)
    said = {
        "pipeline": asked.pipeline,
        "stage": asked.stage,
        "operation": asked.operation,
        "kind": asked.kind,
        "run": asked.run,
    }
    if isinstance(outcome, Refusal):
        moves.store.tx.emit(OperationRefused(**said, message=outcome.message), str(asked.operation))
    else:
        accepted = OperationAccepted(**said, message=outcome.message, started=outcome.started)
        moves.store.tx.emit(accepted, str(asked.operation))


async def _outcome(request: Request) -> Outcome:
    if request.stage is None and not (request.asked.stage == WHOLE and request.asked.kind in OF_A_PIPELINE):
        return request.unknown_stage()
    return await OPERATIONS[request.asked.kind](request)
