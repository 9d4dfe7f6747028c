"""What somebody may type about a thing that is told of a stage: the commands beside the sentences. Pure.

They are for a person to read and complete; whether one is accepted is decided by the deployer when it is
asked. What it would surely refuse is not offered.
"""

import shlex

from services.status.deployment_status import FAILED
from services.status.views import Blocked, Ended, Hold, OpenGate, ServiceHealth, Slot, StageView, Stop
from shared.events import Wait

WHY = ("--reason", "WHY")
ID_CHARACTERS = 8  # of a run's id: enough to tell those of a stage apart
RETRIED = frozenset({"Failed", "Timed Out", "Cancelled"})


def ending(stage: StageView, wait: Wait, slot: Slot, gate: OpenGate | None = None) -> tuple[str, ...]:
    """Return what a person gives to end a wait; nothing where only time or another run does."""
    match wait.reason:
        case "bake" if gate is None:  # no step's: the release is watched after its run's verification
            return ()
        case "approval" | "bake":
            return at_gate(stage, wait, gate.step if gate else "", of_definition=_is_of_definition(slot))
        case "window":
            return (_command(stage, "override-window", "--hours", "1", *WHY),)
        case "blocker":
            return tuple(command for each in stage.blockers for command in lift(stage, each))
        case "stopped":
            return tuple(resume(stage, stop) for stop in stage.stops)
        case _:
            return ()


def at_gate(stage: StageView, wait: Wait, step: str, *, of_definition: bool = False) -> tuple[str, ...]:
    """Return what is given at a gate, which is named where others wait beside it."""
    which: tuple[str, ...] = ()
    if _waiting_for_people(stage) > 1:
        which = ("--definition",) if of_definition else ("--step", step) if step else ()
    approve = _command(stage, "approve", *which)
    return (approve,) if wait.reason == "bake" else (approve, _command(stage, "reject", *which, *WHY))


def lift(stage: StageView, blocker: Blocked) -> tuple[str, ...]:
    """Return what opens a stage that something blocks; nothing if that is over."""
    return () if blocker.ends_at else (_command(stage, "lift-blocker", blocker.name, *WHY),)


def resume(stage: StageView, stop: Stop) -> str:
    """Return what ends a stop, of the stage or of the whole pipeline."""
    if stop.whole_pipeline:
        return shlex.join(("windlass", "resume", stage.pipeline, *WHY))
    return _command(stage, "resume", *WHY)


def release(stage: StageView, hold: Hold) -> tuple[str, ...]:
    """Return what lets a revision in again."""
    return (_command(stage, "release-hold", str(hold.revision), *WHY),)


def not_well(stage: StageView, service: ServiceHealth) -> tuple[str, ...]:
    """Return what shows where to go back to from what does badly, or how what is not known did."""
    if service.health == "unknown":
        return (_command(stage, "health"),)
    return (_command(stage, "rollback", "--plan"),)


def after(stage: StageView, ended: Ended) -> tuple[str, ...]:
    """Return where to look after a run that came to nothing, and how to go on from it."""
    which = ("--run", str(ended.run)[:ID_CHARACTERS]) if stage.last and stage.unstarted else ()
    look = () if stage.unstarted is ended else (_logs(stage, ended),)
    if ended.state in FAILED:
        look = (_command(stage, "diagnose", *which), *look)
    if ended.state not in RETRIED:
        return look
    if ended.kind == "rollback":
        return (*look, _command(stage, "rollback", "--plan"))
    newer = stage.live is not None and stage.live.revision > ended.revision
    held = ended.revision in {hold.revision for hold in stage.holds}
    if newer or held or ended.rejected:
        return look
    return (*look, _command(stage, "retry", *which, *WHY))


def _logs(stage: StageView, ended: Ended) -> str:
    return shlex.join(("windlass", "logs", stage.pipeline, str(ended.revision), "--stage", stage.stage))


def _command(stage: StageView, verb: str, *words: str) -> str:
    return shlex.join(("windlass", verb, stage.pipeline, stage.stage, *words))


def _is_of_definition(slot: Slot) -> bool:
    return slot.definition is not None and slot.definition.answer == "pending"


def _waiting_for_people(stage: StageView) -> int:
    gates = len(stage.running.gates) if stage.running else 0
    return gates + sum(map(_is_of_definition, stage.waiting))
