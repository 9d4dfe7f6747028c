"""Approve and reject a change of the pipeline file, in the stage where its revision would begin."""

from services.deployer.definition_moves import DefinitionMoves
from services.deployer.gate import Verdict
from services.deployer.gate_moves import GateMoves
from services.deployer.operations.request import Done, Outcome, Refusal, Request
from services.deployer.records import RunRecord


async def is_meant(request: Request) -> bool | Refusal:
    """Tell whether an answer is about the pipeline file, and not about a gate of the run that works here.

    Whoever names nothing may have looked at something else: at a revision whose place another took since.
    """
    asked = request.asked
    withheld = await _withheld(request)
    if asked.step or not withheld:
        return False
    if asked.run:
        return asked.run in [run.run for run in withheld]
    gates = await _gates(request)
    if asked.shown:
        held = await _moves(request).held_for(withheld[0])
        return not gates or (held is not None and asked.shown == held.shown)
    waiting = ", ".join([*gates, f"the changes of the pipeline file in revision {withheld[0].revision}"])
    return Refusal(f"say which you looked at, by `run` or `shown`: waiting in {asked.stage} are {waiting}")


async def say(request: Request, verdict: Verdict) -> Outcome:
    """Let the revision through, or end it before it has begun."""
    asked, moves = request.asked, _moves(request)
    withheld = await _withheld(request)
    run = next((run for run in withheld if run.run == asked.run), withheld[0])
    held = await moves.held_for(run)
    if held is None:
        first = (await moves.withheld())[0].revision
        return Refusal(f"revision {run.revision} is looked at when its turn comes, after revision {first}")
    if asked.shown and asked.shown != held.shown:
        return Refusal("what is to be approved is not what was shown: look at it again")
    changes = f"the changes of the pipeline file in revision {run.revision}"
    if verdict == "approved":
        await moves.approve(run, asked.actor, asked.reason)
        return Done(f"{changes} are approved; it goes on")
    await moves.reject(run, asked.actor, asked.reason)
    return Done(f"{changes} are rejected; nothing is done by them")


async def kept_back(request: Request, revision: int) -> str:
    """Return why a revision that was not let through cannot be asked for, or the empty string."""
    moves = _moves(request)
    standing = await moves.definitions.standing(revision)
    if standing.let_through_at is not None:
        return ""
    changes = f"the changes of the pipeline file in revision {revision}"
    for run in await moves.withheld():
        if run.revision == revision:
            return f"{changes} are not approved: approve them in {run.stage} first"
    if standing.held_for is None:
        return f"revision {revision} was cancelled before its pipeline file was looked at: retry it first"
    return f"{changes} were not approved: push a fix, which is looked at anew"


async def was_never_judged(request: Request, run: RunRecord) -> bool:
    """Tell whether its revision ended in line before anybody looked at its file: it may go there anew."""
    standing = await _moves(request).definitions.standing(run.revision)
    waits = [each for each in await _withheld(request) if each.revision == run.revision]
    return standing == (None, None) and not waits and not run.comes_after


async def _gates(request: Request) -> list[str]:
    """Return the gates at which the run that works here waits, in words."""
    holder = await request.holder()
    if holder is None:
        return []
    gates = await GateMoves(await request.moves.moves_of(holder)).open_gates()
    return [f"step '{gate.step.name}' of revision {holder.revision}" for gate, _ in gates]


async def _withheld(request: Request) -> list[RunRecord]:
    return [run for run in await _moves(request).withheld() if run.stage_key == request.here]


def _moves(request: Request) -> DefinitionMoves:
    return DefinitionMoves(request.moves, request.asked.pipeline)
