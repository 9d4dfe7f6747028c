"""How verifications follow from what the verifier says: in their run, their stage, and each in full. Pure.

Run and stage have what fits into a document that is read all the time; the rest is with the verification.
"""

from collections.abc import Iterable
from typing import Any, TypeVar

from services.status.shown_words import clock, rounds_in_words
from services.status.timeline import moment
from services.status.verification_rounds import IN_FULL, IN_RUN, Kept, counted, with_rounds
from services.status.views import (
    RunView,
    Slot,
    StageView,
    VerificationProgress,
    VerificationStory,
    VerificationView,
)
from shared.events import (
    Evidence,
    Message,
    VerificationFailed,
    VerificationPassed,
    VerificationProbed,
    VerificationRequested,
)
from shared.events.verification import VerificationEvent

VERIFYING_SHOWN_MAX = 20  # of one run at a time, in its stage

Verdict = VerificationPassed | VerificationFailed
V = TypeVar("V", bound=VerificationView)


def requested_in_run(view: RunView | None, message: Message[VerificationRequested]) -> RunView | None:
    """Fold in what is being verified."""
    if view is None:
        return None
    asked = VerificationView(**_asked(message))
    others = [each for each in view.verifications if each.verification != asked.verification]
    return moment(view, message, f"Verifying {', '.join(asked.urls)}", verifications=(*others, asked))


def probed_in_run(view: RunView | None, message: Message[VerificationProbed]) -> RunView | None:
    """Fold in what was seen, a moment only where a soak begins."""
    body = message.body
    earlier = _of_run(view, body)
    if view is None or earlier is None:
        return None
    now = with_rounds(earlier, body, IN_RUN)
    verifications = _replaced(view.verifications, now)
    if body.soaks_until is None or body.soaks_until == earlier.soaks_until:
        return view.model_copy(update={"verifications": verifications})
    text = f"Verified, and watched until {clock(body.soaks_until)} (soak)"
    return moment(view, message, text, verifications=verifications)


def passed_in_run(view: RunView | None, message: Message[VerificationPassed]) -> RunView | None:
    """Fold in that it was found good; of its rounds the last stays."""
    earlier = _of_run(view, message.body)
    if view is None or earlier is None:
        return moment(view, message, _verified(message.body, None)) if view else None
    now = _passed(earlier, message, Kept(first=0, last=1, probes=IN_RUN.probes))
    text = _verified(message.body, now)
    return moment(view, message, text, verifications=_replaced(view.verifications, now))


def failed_in_run(view: RunView | None, message: Message[VerificationFailed]) -> RunView | None:
    """Fold in what was observed instead; the output and the probes of it are with the run's evidence."""
    if view is None:
        return None
    body, earlier = message.body, _of_run(view, message.body)
    text = f"Verification failed: {body.evidence.message}"
    if earlier is None:
        return moment(view, message, text)
    now = _failed(earlier, message, IN_RUN)
    if now.soak == "failed":
        text = f"Verification failed while it was watched (soak): {body.evidence.message}"
    now = now.model_copy(update={"evidence": _in_short(body.evidence)})
    return moment(view, message, text, verifications=_replaced(view.verifications, now))


def requested(view: VerificationStory | None, message: Message[VerificationRequested]) -> VerificationStory:
    """Begin the verification's own story."""
    return view or VerificationStory(**_asked(message), **_where(message.body))


def probed(view: VerificationStory | None, message: Message[VerificationProbed]) -> VerificationStory | None:
    """Fold in the rounds that were made since; nothing, once there is an answer."""
    story = _story(view, message)
    return with_rounds(story, message.body, IN_FULL) if story.answered_at is None else None


def passed(view: VerificationStory | None, message: Message[VerificationPassed]) -> VerificationStory:
    """Fold in that it was found good."""
    return _passed(_story(view, message), message, IN_FULL)


def failed(view: VerificationStory | None, message: Message[VerificationFailed]) -> VerificationStory:
    """Fold in what was observed instead."""
    return _failed(_story(view, message), message, IN_FULL)


def requested_in_stage(view: StageView | None, message: Message[VerificationRequested]) -> StageView | None:
    """Fold in that the run which holds the stage is being verified."""
    slot = _slot(view, message.body)
    if view is None or slot is None:
        return None
    told = {
        name: value for name, value in _asked(message).items() if name in VerificationProgress.model_fields
    }
    others = _without(slot.verifying, message.body)
    return _with_verifying(view, slot, (*others, VerificationProgress(**told))[-VERIFYING_SHOWN_MAX:])


def probed_in_stage(view: StageView | None, message: Message[VerificationProbed]) -> StageView | None:
    """Fold in how far it has come."""
    slot = _slot(view, message.body)
    if view is None or slot is None:
        return None
    body = message.body
    verifying = tuple(
        counted(each, body.rounds, body.soaks_until)[0] if each.verification == body.verification else each
        for each in slot.verifying
    )
    return _with_verifying(view, slot, verifying)


def answered_in_stage(view: StageView | None, message: Message[Verdict]) -> StageView | None:
    """Fold in that it is over."""
    slot = _slot(view, message.body)
    if view is None or slot is None:
        return None
    return _with_verifying(view, slot, _without(slot.verifying, message.body))


def _asked(message: Message[VerificationRequested]) -> dict[str, Any]:
    body = message.body
    return {
        "verification": body.verification,
        "step": body.step,
        "asked_at": message.time,
        "urls": tuple(target.base_url for target in body.targets),
        "soak_seconds": body.soak_seconds,
        "soak": "not_begun" if body.soak_seconds else "none",
    }


def _where(body: VerificationEvent) -> dict[str, Any]:
    return {name: getattr(body, name) for name in ("run", "pipeline", "stage", "revision")}


def _story(view: VerificationStory | None, message: Message[Any]) -> VerificationStory:
    """Return what is known of it; little, if its beginning was never heard."""
    body: VerificationEvent = message.body
    begun = {"verification": body.verification, "step": body.step, "asked_at": message.time}
    return view or VerificationStory(**begun, **_where(body))


def _passed(view: V, message: Message[VerificationPassed], kept: Kept) -> V:
    answer = {"answered_at": message.time, "passed": True, "probes": len(message.body.probes)}
    if view.soak != "none":
        answer["soak"] = "passed"
    return with_rounds(view, message.body, kept).model_copy(update=answer)


def _failed(view: V, message: Message[VerificationFailed], kept: Kept) -> V:
    evidence = message.body.evidence
    answer = {"answered_at": message.time, "passed": False, "probes": len(evidence.probes)}
    answer |= {"evidence": evidence, "diagnostics": _in_short(evidence).diagnostics}
    if view.soaks_until is not None:
        answer["soak"] = "failed"
    return with_rounds(view, message.body, kept).model_copy(update=answer)


def _in_short(evidence: Evidence) -> Evidence:
    """Return the evidence without output and probes: they are told elsewhere in the same document."""
    found = evidence.diagnostics
    found = found.model_copy(update={"log_tail": ()}) if found else None
    return evidence.model_copy(update={"log_tail": (), "probes": (), "diagnostics": found})


def _verified(body: VerificationPassed, view: VerificationView | None) -> str:
    if view is not None and view.soak == "passed" and view.soak_rounds_made:
        rounds = rounds_in_words(view.soak_rounds_good, view.soak_rounds_made)
        return f"Stayed good for as long as it was watched (soak): {rounds}"
    text = f"Verified by {len(body.probes)} probes"
    return f"{text}, in {view.rounds_made} rounds" if view is not None and view.rounds_made > 1 else text


def _of_run(view: RunView | None, body: VerificationEvent) -> VerificationView | None:
    known = view.verifications if view else ()
    return next((each for each in known if each.verification == body.verification), None)


def _replaced(known: Iterable[VerificationView], now: VerificationView) -> tuple[VerificationView, ...]:
    return tuple(now if each.verification == now.verification else each for each in known)


def _without(
    known: Iterable[VerificationProgress], body: VerificationEvent
) -> tuple[VerificationProgress, ...]:
    return tuple(each for each in known if each.verification != body.verification)


def _slot(view: StageView | None, body: VerificationEvent) -> Slot | None:
    """Return the run that holds the stage, if it is this one."""
    return view.running if view and view.running and view.running.run == body.run else None


def _with_verifying(view: StageView, slot: Slot, verifying: tuple[VerificationProgress, ...]) -> StageView:
    return view.model_copy(update={"running": slot.model_copy(update={"verifying": verifying})})
