"""Approve and reject: what a person says at a gate that a run waits at."""

from collections.abc import Sequence

from services.deployer.gate import Applies, Counts, Fails, Gate, Given, Passes, Refused, Verdict, on_verdict
from services.deployer.gate_moves import GateMoves
from services.deployer.operations import definition
from services.deployer.operations.named_run import named_run
from services.deployer.operations.request import Done, Outcome, Refusal, Request
from services.deployer.records import RunRecord, StepRecord


async def approve(request: Request) -> Outcome:
    """Let the run go on, once enough people have said so; a bake ends early."""
    return await _said(request, "approved")


async def reject(request: Request) -> Outcome:
    """Let the run fail at the gate."""
    return await _said(request, "rejected")


async def _said(request: Request, verdict: Verdict) -> Outcome:
    is_of_the_file = await definition.is_meant(request)
    if isinstance(is_of_the_file, Refusal):
        return is_of_the_file
    return await (definition.say if is_of_the_file else _say)(request, verdict)


async def _say(request: Request, verdict: Verdict) -> Outcome:
    asked = request.asked
    holder = await _asked_run(request)
    if isinstance(holder, Refusal):
        return holder
    moves = GateMoves(await request.moves.moves_of(holder))
    meant = await _meant(request, holder, moves)
    if isinstance(meant, Refusal):
        return meant
    gate, record = meant
    given = Given(asked.actor, verdict, asked.reason, request.store.tx.now)
    answer = on_verdict(gate, given, asked.shown)
    if isinstance(answer, Refused):
        return Refusal(answer.message)
    await moves.note(gate, record, given)
    match answer:
        case Counts():
            have = len({each.actor for each in (*gate.given, given)})
            return Done(f"step '{gate.step.name}' has {have} of {gate.needed} approvals")
        case Passes(outputs):
            await moves.passed(gate.step, record, outputs)
            return Done(f"step '{gate.step.name}' is {verdict}; the run goes on")
        case Applies(changes):
            await moves.apply(gate.step, record, changes)
            return Done(f"step '{gate.step.name}' is {verdict}; its changes are made")
        case Fails(evidence):
            await moves.failed(gate.step, record, evidence)
    return Done(f"step '{gate.step.name}' is rejected; the run fails")


async def _meant(request: Request, holder: RunRecord, moves: GateMoves) -> tuple[Gate, StepRecord] | Refusal:
    """Return the one gate of the run that is meant."""
    step, gates = request.asked.step, await moves.open_gates()
    meant = [each for each in gates if step in {"", each[0].step.id, each[0].step.name}]
    if len(meant) == 1:
        return meant[0]
    which = _which(step, [gate.step.name for gate, _ in gates])
    return Refusal(f"revision {holder.revision} is {holder.state} in {holder.stage}: {which}")


async def _asked_run(request: Request) -> RunRecord | Refusal:
    """Return the run that could be answered; refuse to answer another, and tell which one waits."""
    named, holder = await named_run(request), await request.holder()
    if isinstance(named, Refusal):
        return named
    if holder is not None and (named is None or named.run == holder.run):
        return holder
    if named is None:
        nothing = f"nothing in {request.asked.pipeline}/{request.asked.stage} waits for an answer"
        return Refusal(f"{nothing}: `windlass why` says what it waits for")
    if named.is_withheld:
        what = f"the changes of the pipeline file in revision {named.revision} wait for an answer"
        return Refusal(f"{what}, and no step of it does: leave the step out")
    gates = await GateMoves(await request.moves.moves_of(holder)).open_gates() if holder else []
    names = ", ".join(gate.step.name for gate, _ in gates)
    other = f"revision {holder.revision} does, at {names}, in run {holder.run}" if holder and gates else ""
    what = f"that run of revision {named.revision} is {named.state} in {named.stage} and waits for no answer"
    return Refusal(f"{what}: {other or '`windlass why` says what the stage waits for'}")


def _which(step: str, waiting: Sequence[str]) -> str:
    """Return why no single gate is meant, and which there are."""
    if not waiting:
        return "no step of it waits for an answer"
    if step and step not in waiting:
        return f"no step '{step}' waits for an answer: {', '.join(waiting)} {'do' if waiting[1:] else 'does'}"
    return f"waiting are {', '.join(waiting)}: say which step"
