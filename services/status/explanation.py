"""Why a stage is where it is, in sentences (L2): why, on what, since when, what releases it, by when."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from pydantic import Field

from services.status.shown_words import definition_details, failing_details, gate_details
from services.status.views import Blocked, HeldDefinition, OpenGate, Slot, StageView, Stop, View
from shared.events import Wait

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

About = Literal["running", "waiting", "hold", "rest", "blocker", "stop", "override"]


class Reason(View):
    """One sentence, with the times that belong to it."""

    text: str = Field(description="The sentence")
    about: About = Field(
        description="What it is about: who runs, who waits, the stage at rest, or what keeps it"
    )
    since: datetime | None = Field(None, description="Since when it is so")
    deadline: datetime | None = Field(None, description="When it ends by itself at the latest")
    details: tuple[str, ...] = Field(
        (),
        description="What belongs to it, line by line: the first failures of "
        "tests, the first changes that are to be approved",
    )


def why(stage: StageView) -> list[Reason]:
    """Say what happens in the stage and what waits in it; never nothing."""
    reasons = _running(stage.running) if stage.running else []
    reasons += [_waiting(slot, in_line=stage.queue == "fifo") for slot in stage.waiting]
    reasons += [
        Reason(
            about="hold",
            text=f"Revision {hold.revision} is kept out, a newer one goes past it: {hold.reason}.",
            since=hold.since,
        )
        for hold in stage.holds
        if stage.live is None or hold.revision > stage.live.revision
    ]
    reasons += _at_rest(stage) if not stage.running and not stage.waiting else []
    return [*reasons, *_kept(stage)]


def _running(slot: Slot) -> list[Reason]:
    doing = f"Revision {slot.revision} is {slot.state} here"
    failing = failing_details([each for each in slot.failing if each.step not in _at_gates(slot.gates)])
    if slot.wait is None:
        reason = Reason(
            about="running", text=f"{doing}.", since=slot.since, deadline=slot.deadline, details=failing
        )
        return [reason, *map(_at_gate, slot.gates)]
    wait = slot.wait
    told = next((gate for gate in slot.gates if _is_told(gate, wait)), None)
    details = (*(gate_details(told.gate) if told else ()), *failing)
    text = f"{doing} and waits for {waits_for(wait)}"
    reason = Reason(
        about="running", text=text, since=wait.since, deadline=wait.deadline or slot.deadline, details=details
    )
    return [reason, *[_at_gate(gate) for gate in slot.gates if gate is not told]]


def _is_told(gate: OpenGate, wait: Wait) -> bool:
    """Tell whether the run's wait is the one at this gate; its words change with each approval."""
    mine = gate.gate.wait
    return (mine.reason, mine.since, mine.deadline) == (wait.reason, wait.since, wait.deadline)


def _at_gates(gates: Sequence[OpenGate]) -> set[str]:
    return {gate.step for gate in gates}


def _at_gate(gate: OpenGate) -> Reason:
    """Say what a gate waits for that stands beside what the run waits for."""
    wait = gate.gate.wait
    text = f"It waits too for {waits_for(wait)}"
    return Reason(
        about="running", text=text, since=wait.since, deadline=wait.deadline, details=gate_details(gate.gate)
    )


def _waiting(slot: Slot, *, in_line: bool) -> Reason:
    who = f"Revision {slot.revision}"
    if in_line and slot.line is not None:
        who = f"{who}, number {slot.line} in line,"
    if slot.wait is None:
        return Reason(about="waiting", text=f"{who} is about to start.", since=slot.since)
    text = f"{who} waits for {waits_for(slot.wait)}"
    details = _of_definition(slot.definition) if slot.wait.reason == "approval" else ()
    return Reason(
        about="waiting", text=text, since=slot.wait.since, deadline=slot.wait.deadline, details=details
    )


def _of_definition(held: HeldDefinition | None) -> tuple[str, ...]:
    return definition_details(held) if held and held.answer == "pending" else ()


def waits_for(wait: Wait) -> str:
    """Say what a wait is for, on what, and what ends it."""
    return f"{WAITS_FOR[wait.reason]}: {wait.blocked_by}; released by {wait.released_by}."


def _kept(stage: StageView) -> list[Reason]:
    """Say what keeps the stage itself closed, or open, unless a wait says so already."""
    told = {slot.wait.reason for slot in stage.waiting if slot.wait is not None}
    reasons = [] if "blocker" in told else [_blocked(blocker) for blocker in stage.blockers]
    reasons += [] if "stopped" in told else [_stopped(stop) for stop in stage.stops]
    override = stage.window_override
    if override:
        text = f"{override.actor} lets it begin runs whatever its window says{_because(override.reason)}."
        reasons.append(Reason(about="override", text=text, since=override.since, deadline=override.until))
    return reasons


def _blocked(blocker: Blocked) -> Reason:
    over = "; it is over" if blocker.ends_at else f"; released by {blocker.released_by}"
    text = f"{blocker.name} lets nothing begin{_because(blocker.reason)}{over}."
    return Reason(about="blocker", text=text, since=blocker.since, deadline=blocker.ends_at)


def _stopped(stop: Stop) -> Reason:
    what = "the pipeline" if stop.whole_pipeline else "the stage"
    text = f"{stop.actor} stopped {what}{_because(stop.reason)}; nothing begins until somebody resumes it."
    return Reason(about="stop", text=text, since=stop.since)


def _because(reason: str) -> str:
    return f": {reason}" if reason else ""


def _at_rest(stage: StageView) -> list[Reason]:
    reasons = []
    if stage.live is None:
        reasons.append(Reason(about="rest", text="Nothing waits; nothing was deployed here yet."))
    else:
        live = f"Nothing waits; revision {stage.live.revision} is live."
        reasons.append(Reason(about="rest", text=live, since=stage.live.since))
    last = stage.last
    if last is not None and (stage.live is None or last.run != stage.live.run):
        said = f": {last.message}" if last.message else "."
        ended = f"The last run here, of revision {last.revision}, ended {last.state}{said}"
        reasons.append(Reason(about="rest", text=ended, since=last.at, details=failing_details(last.failing)))
    return reasons
