"""Why a stage is where it is, in sentences (L2): why, on what, since when, what releases it, by when."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

from pydantic import Field

from services.status import aftermath, next_commands
from services.status.deployment_status import FAILED
from services.status.shown_words import (
    clock,
    definition_details,
    failing_details,
    gate_details,
    rounds_in_words,
    verification_details,
)
from services.status.views import (
    Blocked,
    Ended,
    HeldDefinition,
    Hold,
    OpenGate,
    ServiceHealth,
    Slot,
    StageView,
    Stop,
    VerificationProgress,
    View,
)
from shared.events import Wait

BY_SOMEBODY = frozenset({"Cancelled"})
DOES_BADLY = frozenset({"degraded", "unreachable"})

WAITS_FOR = {
    "previous_stage": "the stage before",
    "lock": "its turn",
    "window": "the deployment window",
    "blocker": "a blocker",
    "stopped": "the stage, which is stopped",
    "hold": "a hold",
    "build": "its artifacts",
    "approval": "an approval",
    "bake": "the end of the bake",
    "retry_backoff": "another attempt",
}

About = Literal["running", "waiting", "hold", "rest", "health", "ended", "blocker", "stop", "override"]


class Reason(View):
    """One sentence, with the times that belong to it."""

    text: str = Field(description="The sentence")
    about: About = Field(
        description="What it is about: who runs, who waits, the stage at rest, a service that does badly "
        "or of which nothing is known any more, who ended badly, or what keeps it"
    )
    since: datetime | None = Field(None, description="Since when it is so")
    deadline: datetime | None = Field(None, description="When it ends by itself at the latest")
    details: tuple[str, ...] = Field(
        (),
        description="What belongs to it, line by line: the first failures of "
        "tests, the first changes that are to be approved",
    )
    commands: tuple[str, ...] = Field(
        (), description="Commands that somebody may give about it; WHY and the like stand for their words"
    )


def why(stage: StageView) -> list[Reason]:
    """Say what happens in the stage and what waits in it; never nothing."""
    reasons = _running(stage, stage.running) if stage.running else []
    reasons += [_waiting(stage, slot) for slot in stage.waiting]
    reasons += [_held(stage, hold) for hold in stage.holds]
    if not stage.running:
        reasons += [] if stage.waiting else [_at_rest(stage)]
        reasons += _over(stage)
    reasons += [_not_well(stage, each) for each in stage.health if _is_not_well(each)]
    return [*reasons, *_kept(stage)]


def _held(stage: StageView, hold: Hold) -> Reason:
    live = stage.live.revision if stage.live else 0
    what = f"Revision {hold.revision} is on hold, so that a rollback goes past it unless it is named"
    if hold.revision > live:
        what = f"Revision {hold.revision} is kept out, a newer one goes past it"
    if hold.revision == live:
        what = (
            f"Revision {hold.revision} is live, and on hold: once gone from here it does not return by itself"
        )
    return Reason(
        about="hold",
        text=_closed(f"{what}{_because(hold.reason)}"),
        since=hold.since,
        commands=next_commands.release(stage, hold),
    )


def _is_not_well(service: ServiceHealth) -> bool:
    """Tell whether it does badly, or it is no longer known how it does."""
    return service.health in DOES_BADLY or (service.health == "unknown" and service.looked_at is not None)


def _not_well(stage: StageView, service: ServiceHealth) -> Reason:
    text = f"Service {service.service} of revision {service.revision} is {service.health}"
    return Reason(
        about="health",
        text=_closed(f"{text}{_because(service.reason)}"),
        since=service.since,
        commands=next_commands.not_well(stage, service),
    )


def _running(stage: StageView, slot: Slot) -> list[Reason]:
    doing = f"Revision {slot.revision} is {slot.state} here"
    failing = failing_details([each for each in slot.failing if each.step not in _at_gates(slot.gates)])
    details = (*failing, *verification_details(slot.verifying))
    told = next((gate for gate in slot.gates if slot.wait and _is_told(gate, slot.wait)), None)
    watched = next((each for each in slot.verifying if each.soaks_until is not None), None)
    if watched is not None and told is None and (slot.wait is None or slot.wait.reason == "bake"):
        return [_watched(stage, slot, watched), *[_at_gate(stage, gate) for gate in slot.gates]]
    if slot.wait is None:
        reason = Reason(
            about="running", text=f"{doing}.", since=slot.since, deadline=slot.deadline, details=details
        )
        return [reason, *[_at_gate(stage, gate) for gate in slot.gates]]
    wait = slot.wait
    details = (*(gate_details(told.gate) if told else ()), *details)
    text = f"{doing} and waits for {waits_for(wait)}"
    reason = Reason(
        about="running",
        text=text,
        since=wait.since,
        deadline=wait.deadline or slot.deadline,
        details=details,
        commands=next_commands.ending(stage, wait, slot, told),
    )
    return [reason, *[_at_gate(stage, gate) for gate in slot.gates if gate is not told]]


def _watched(stage: StageView, slot: Slot, watched: VerificationProgress) -> Reason:
    """Say that a release is in place and its run goes on to look at it."""
    until = watched.soaks_until
    assert until is not None, "it is watched"
    rounds = rounds_in_words(watched.soak_rounds_good, watched.soak_rounds_made)
    live = f"Revision {slot.revision} is live in {stage.stage} and watched until {clock(until)} (soak)"
    return Reason(
        about="running",
        text=f"{live}; {rounds}.",
        since=until - timedelta(seconds=watched.soak_seconds),
        deadline=until,
        details=(f"The last round: {watched.problem}",) if watched.problem else (),
    )


def _is_told(gate: OpenGate, wait: Wait) -> bool:
    """Tell whether the run's wait is the one at this gate; its words change with each approval."""
    mine = gate.gate.wait
    return (mine.reason, mine.since, mine.deadline) == (wait.reason, wait.since, wait.deadline)


def _at_gates(gates: Sequence[OpenGate]) -> set[str]:
    return {gate.step for gate in gates}


def _at_gate(stage: StageView, gate: OpenGate) -> Reason:
    """Say what a gate waits for that stands beside what the run waits for."""
    wait = gate.gate.wait
    text = f"It waits too for {waits_for(wait)}"
    return Reason(
        about="running",
        text=text,
        since=wait.since,
        deadline=wait.deadline,
        details=gate_details(gate.gate),
        commands=next_commands.at_gate(stage, wait, gate.step),
    )


def _waiting(stage: StageView, slot: Slot) -> Reason:
    who, wait = f"Revision {slot.revision}", slot.wait
    if stage.queue == "fifo" and slot.line is not None:
        who = f"{who}, number {slot.line} in line,"
    if wait is None:
        return Reason(about="waiting", text=f"{who} is about to start.", since=slot.since)
    further = _further(stage, slot, wait)
    return Reason(
        about="waiting",
        text=f"{who} waits for {waits_for(wait)}{further}",
        since=wait.since,
        deadline=None if further else wait.deadline,
        details=_of_definition(slot.definition) if wait.reason == "approval" else (),
        commands=next_commands.ending(stage, wait, slot),
    )


def _further(stage: StageView, slot: Slot, wait: Wait) -> str:
    """Say what keeps it besides what it waits for: the stage itself."""
    if slot.kind not in {"deploy", "retry"}:
        return ""
    until = ["the stage is resumed"] if stage.stops and wait.reason != "stopped" else []
    if wait.reason != "blocker":
        until += [f"{blocker.name} is over" for blocker in stage.blockers]
    return f" It begins only once {' and '.join(until)}." if until else ""


def _of_definition(held: HeldDefinition | None) -> tuple[str, ...]:
    return definition_details(held) if held and held.answer == "pending" else ()


def waits_for(wait: Wait) -> str:
    """Say what a wait is for, on what, and what ends it."""
    why, way_out = wait.blocked_by.rstrip(" ."), wait.released_by.rstrip(" .")
    then = " Released" if why.endswith(("?", "!")) else "; released"
    return f"{WAITS_FOR[wait.reason]}: {why}{then} by {way_out}."


def _kept(stage: StageView) -> list[Reason]:
    """Say what keeps the stage itself closed, or open, unless a wait says so already."""
    told = {slot.wait.reason for slot in stage.waiting if slot.wait is not None}
    reasons = [] if "blocker" in told else [_blocked(stage, blocker) for blocker in stage.blockers]
    reasons += [] if "stopped" in told else [_stopped(stage, stop) for stop in stage.stops]
    override = stage.window_override
    if override:
        text = f"{override.actor} lets it begin runs whatever its window says{_because(override.reason)}."
        reasons.append(Reason(about="override", text=text, since=override.since, deadline=override.until))
    return reasons


def _blocked(stage: StageView, blocker: Blocked) -> Reason:
    over = "; it is over" if blocker.ends_at else f"; released by {blocker.released_by}"
    text = f"{blocker.name} lets nothing begin{_because(blocker.reason)}{over}."
    commands = next_commands.lift(stage, blocker)
    return Reason(
        about="blocker", text=text, since=blocker.since, deadline=blocker.ends_at, commands=commands
    )


def _stopped(stage: StageView, stop: Stop) -> Reason:
    what = "the pipeline" if stop.whole_pipeline else "the stage"
    text = f"{stop.actor} stopped {what}{_because(stop.reason)}; nothing begins until somebody resumes it."
    return Reason(about="stop", text=text, since=stop.since, commands=(next_commands.resume(stage, stop),))


def _because(reason: str) -> str:
    return f": {reason.rstrip(' .')}" if reason else ""


def _at_rest(stage: StageView) -> Reason:
    if stage.live is None:
        return Reason(about="rest", text="Nothing waits; nothing was deployed here yet.")
    live = f"Nothing waits; revision {stage.live.revision} is live."
    return Reason(about="rest", text=live, since=stage.live.since)


def _over(stage: StageView) -> list[Reason]:
    """Say what the last run that began here came to, if nothing good, and the last that never began."""
    reasons, last, unstarted = [], stage.last, stage.unstarted
    if last is not None and (stage.live is None or last.run != stage.live.run):
        reasons.append(
            _ended(stage, last, f"The last run here, of revision {last.revision}, ended {last.state}")
        )
    if unstarted is not None:
        text = f"Revision {unstarted.revision} ended {unstarted.state} before it began here"
        reasons.append(_ended(stage, unstarted, text))
    return reasons


def _ended(stage: StageView, ended: Ended, text: str) -> Reason:
    at = f" at step {ended.step}" if ended.step else ""
    return Reason(
        about="ended",
        text=f"{text}{at}{_ended_by(stage, ended)}",
        since=ended.at,
        details=failing_details(ended.failing),
        commands=next_commands.after(stage, ended),
    )


def _ended_by(stage: StageView, ended: Ended) -> str:
    """Say what or who ended a run, as the end of a sentence, and what follows if that is a failure."""
    said = f", by {ended.message}" if ended.state in BY_SOMEBODY else f": {ended.message}"
    said = said if ended.message else "."
    again = any(slot.revision == ended.revision for slot in stage.waiting)
    if again or (ended.state not in FAILED and not ended.rollback):
        return said
    return f"{_closed(said)} {aftermath.of_stage(stage, ended).told}"


def _closed(said: str) -> str:
    return said if said.endswith((".", "?", "!")) else f"{said}."
