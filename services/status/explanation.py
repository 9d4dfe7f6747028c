"""Why a stage is where it is, in sentences (L2): why, on what, since when, what releases it, by when."""

from datetime import datetime

from services.status.views import Slot, StageView, View
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


class Reason(View):
    """One sentence, with the times that belong to it."""

    text: str
    since: datetime | None = None
    deadline: datetime | None = None  # when it ends by itself at the latest


def why(stage: StageView) -> list[Reason]:
    """Say what happens in the stage and what waits in it; never nothing."""
    reasons = [_running(stage.running)] if stage.running else []
    reasons += [_waiting(slot) for slot in stage.waiting]
    reasons += [
        Reason(
            text=f"Revision {hold.revision} is kept out, a newer one goes past it: {hold.reason}.",
            since=hold.since,
        )
        for hold in stage.holds
        if stage.live is None or hold.revision > stage.live.revision
    ]
    return [*reasons, *_at_rest(stage)] if not stage.running and not stage.waiting else reasons


def _running(slot: Slot) -> Reason:
    doing = f"Revision {slot.revision} is {slot.state} here"
    if slot.wait is None:
        return Reason(text=f"{doing}.", since=slot.since, deadline=slot.deadline)
    text = f"{doing} and waits for {_what(slot.wait)}"
    return Reason(text=text, since=slot.wait.since, deadline=slot.wait.deadline or slot.deadline)


def _waiting(slot: Slot) -> Reason:
    if slot.wait is None:
        return Reason(text=f"Revision {slot.revision} is about to start.", since=slot.since)
    text = f"Revision {slot.revision} waits for {_what(slot.wait)}"
    return Reason(text=text, since=slot.wait.since, deadline=slot.wait.deadline)


def _what(wait: Wait) -> str:
    return f"{WAITS_FOR[wait.reason]}: {wait.blocked_by}; released by {wait.released_by}."


def _at_rest(stage: StageView) -> list[Reason]:
    reasons = []
    if stage.live is None:
        reasons.append(Reason(text="Nothing waits; nothing was deployed here yet."))
    else:
        live = f"Nothing waits; revision {stage.live.revision} is live."
        reasons.append(Reason(text=live, since=stage.live.since))
    last = stage.last
    if last is not None and (stage.live is None or last.run != stage.live.run):
        said = f": {last.message}" if last.message else "."
        ended = f"The last run here, of revision {last.revision}, ended {last.state}{said}"
        reasons.append(Reason(text=ended, since=last.at))
    return reasons
