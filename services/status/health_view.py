"""How what services do follows from the verifier's words: as it stands in their stage, and as it was. Pure.

A run that succeeds brings services anew, of which nobody has seen anything yet. What is still heard of those
that they took the place of changes nothing of the stage: it is in the history.
"""

from collections.abc import Iterable
from typing import Any

from services.status.deployment_status import judged
from services.status.health_history import with_sample
from services.status.health_known import known_for
from services.status.views import HealthChange, HealthHistory, ServiceHealth, StageView
from services.status.views.health import KNOWN_FOR_SECONDS_MAX
from shared.events import HealthChanged, HealthEnded, HealthSampled, Message, RunSucceeded
from shared.events.health import HealthEvent

SERVICES_MAX = 100  # of one stage
CHANGES_MAX = 100  # kept of one service

Healths = tuple[ServiceHealth, ...]


def after_success(health: Healths, message: Message[RunSucceeded]) -> Healths:
    """Return how the services do right after a run: those that it brought are not known yet."""
    body = message.body
    brought = {target.service: target for target in body.targets}
    fresh = [
        ServiceHealth(
            service=service,
            health="unknown",
            since=message.time,
            reason=f"revision {body.revision} was just deployed, and nobody has looked at it since",
            run=body.run,
            revision=body.revision,
            known_for_seconds=known_for(target.criteria),
        )
        for service, target in brought.items()
    ]
    left = set(body.services) or {each.service for each in health}  # empty: an earlier release said it
    kept = [each for each in health if each.service in left and each.service not in brought]
    return _in_order([*kept, *fresh])


def changed(view: StageView | None, message: Message[HealthChanged]) -> StageView | None:
    """Fold in how a service does from now on."""
    body = message.body
    stage = view or StageView(pipeline=body.pipeline, stage=body.stage)
    if not _is_live(stage, body):
        return None
    known = _known(stage, body)
    now = ServiceHealth(
        service=body.service,
        health=body.health,
        since=body.since,
        reason=body.reason,
        run=body.run,
        revision=body.revision,
        looked_at=message.time,
        known_for_seconds=known.known_for_seconds if known else KNOWN_FOR_SECONDS_MAX,
    )
    return judged(stage.model_copy(update={"health": _in_order([*_others(stage.health, body), now])}))


def sampled(view: StageView | None, message: Message[HealthSampled]) -> StageView | None:
    """Fold in that somebody still looks: a stretch is told by the first look after it."""
    body = message.body
    known = _known(view, body)
    if view is None or known is None or not _is_live(view, body):
        return None
    changes: dict[str, Any] = {"looked_at": message.time}
    if known.health == "unknown" and known.looked_at is None:
        changes["reason"] = "it was looked at since it was deployed, and what was seen does not tell"
    now = known.model_copy(update=changes)
    return view.model_copy(update={"health": _in_order([*_others(view.health, body), now])})


def ended(view: StageView | None, message: Message[HealthEnded]) -> StageView | None:
    """Fold in that nobody looks after a service any more."""
    body = message.body
    if view is None or not _is_live(view, body):
        return None
    return judged(view.model_copy(update={"health": tuple(_others(view.health, body))}))


def history_changed(view: HealthHistory | None, message: Message[HealthChanged]) -> HealthHistory:
    """Fold in that it began to do otherwise."""
    body = message.body
    history = _history(view, message)
    change = HealthChange.model_validate(body.model_dump())
    changes = (*history.changes, change)
    over = max(len(changes) - CHANGES_MAX, 0)
    told = {"changes": changes[over:], "changes_left_out": history.changes_left_out + over, "ended_at": None}
    return history.model_copy(update=told)


def history_sampled(view: HealthHistory | None, message: Message[HealthSampled]) -> HealthHistory:
    """Fold in how it did over a stretch."""
    return with_sample(_history(view, message), message.body.counts)


def history_ended(view: HealthHistory | None, message: Message[HealthEnded]) -> HealthHistory:
    """Fold in that nobody looks after it any more."""
    return _history(view, message).model_copy(update={"ended_at": message.time})


def _history(
    view: HealthHistory | None,
    message: Message[HealthChanged] | Message[HealthSampled] | Message[HealthEnded],
) -> HealthHistory:
    body: HealthEvent = message.body
    return view or HealthHistory(
        pipeline=body.pipeline, stage=body.stage, service=body.service, since=message.time
    )


def _is_live(stage: StageView, body: HealthEvent) -> bool:
    """Tell whether it is about what is live, as far as that is known: others have had their time."""
    known = _known(stage, body)
    if known is None or known.run == body.run:
        return True
    return stage.live is not None and body.run == stage.live.run


def _known(stage: StageView | None, body: HealthEvent) -> ServiceHealth | None:
    return next((each for each in stage.health if each.service == body.service), None) if stage else None


def _others(health: Healths, body: HealthEvent) -> list[ServiceHealth]:
    return [each for each in health if each.service != body.service]


def _in_order(health: Iterable[ServiceHealth]) -> Healths:
    return tuple(sorted(health, key=lambda each: each.service))[:SERVICES_MAX]
