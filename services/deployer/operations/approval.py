"""Approve and reject: what a person says at a gate that a run waits at."""

from services.deployer.gate import Applies, Counts, Fails, Given, Passes, Refused, Verdict, on_verdict
from services.deployer.gate_moves import GateMoves
from services.deployer.operations import definition
from services.deployer.operations.request import Done, Outcome, Refusal, Request


async def approve(request: Request) -> Outcome:
    """Let the run go on, once enough people have said so; a bake ends early."""
    return await _said(request, "approved")


async def reject(request: Request) -> Outcome:
    """Let the run fail at the gate."""
    return await _said(request, "rejected")


async def _said(request: Request, verdict: Verdict) -> Outcome:
    is_of_the_file = await definition.is_meant(request)
    return await (definition.say if is_of_the_file else _say)(request, verdict)


async def _say(request: Request, verdict: Verdict) -> Outcome:
    asked = request.asked
    holder = await request.holder()
    if holder is None or (asked.run and asked.run != holder.run):
        why = "`windlass why` says what it waits for"
        return Refusal(f"nothing in {asked.pipeline}/{asked.stage} waits for an answer: {why}")
    moves = GateMoves(await request.moves.moves_of(holder))
    gates = await moves.open_gates()
    meant = [each for each in gates if asked.step in {"", each[0].step.id, each[0].step.name}]
    if len(meant) != 1:
        names = ", ".join(gate.step.name for gate, _ in gates)
        waiting = f"waiting are {names}: say which step" if gates else "no step of it waits for an answer"
        return Refusal(f"revision {holder.revision} is {holder.state} in {asked.stage}: {waiting}")
    gate, record = meant[0]
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
