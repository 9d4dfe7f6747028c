"""How a pipeline's stages stand for whoever asks now: those of its plan in order, and those it once had.

What was said of the whole pipeline holds for each of them, also for one that is planned and was not
heard of yet. Pure.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from services.status.deployment_status import judged
from services.status.health_known import at_reading
from services.status.views import PipelineView, Slot, StageView, Stop
from shared.ids import WHOLE

PAST_THE_QUEUE = frozenset({"rollback", "roll_forward"})
NOT_READY = 2  # the turn of who has not come through the stage before, or may not begin its way yet


def standing(pipeline: PipelineView, folded: Sequence[StageView], now: datetime) -> list[StageView]:
    """Return the stages in promotion order, given those that were heard of, `*` among them."""
    known = {stage.stage: stage for stage in sorted(folded, key=lambda each: (each.place, each.stage))}
    whole = known.pop(WHOLE, None)
    planned = [
        known.pop(name, StageView(pipeline=pipeline.pipeline, stage=name, place=place))
        for place, name in enumerate(pipeline.stages)
    ]
    stops = whole.stops if whole else ()
    fifo = set(pipeline.fifo)
    return [_standing(_queued(stage, fifo), stops, now) for stage in (*planned, *known.values())]


def stop_of(folded: Sequence[StageView]) -> Stop | None:
    """Return what keeps the whole pipeline from beginning anything."""
    return next((stop for stage in folded if stage.stage == WHOLE for stop in stage.stops), None)


def _queued(stage: StageView, fifo: Collection[str]) -> StageView:
    """Return the stage with everyone who waits in the order of their turns."""
    waiting = sorted(stage.waiting, key=_turn)
    ready = sum(_turn(slot)[0] < NOT_READY for slot in waiting)
    slots = [
        slot.model_copy(update={"line": place if place <= ready else None})
        for place, slot in enumerate(waiting, start=1)
    ]
    return _with(stage, queue="fifo" if stage.stage in fifo else "newest", waiting=tuple(slots))


def _turn(slot: Slot) -> tuple[int, int]:
    if slot.kind in PAST_THE_QUEUE:
        return 0, slot.revision
    held = slot.definition is not None and slot.definition.answer == "pending"
    early = slot.wait is not None and slot.wait.reason == "previous_stage"
    return (NOT_READY if held or early else 1), slot.revision


def _standing(stage: StageView, whole: tuple[Stop, ...], now: datetime) -> StageView:
    override = stage.window_override
    current = _with(
        stage,
        window_override=None if override is not None and override.until <= now else override,
        blockers=tuple(each for each in stage.blockers if each.ends_at is None or now < each.ends_at),
        health=at_reading(stage.health, now),
        stops=(*stage.stops, *whole),
    )
    return judged(current)


def _with(stage: StageView, **told: Any) -> StageView:
    """Return the stage as told: itself where it says so already, as most do at most times."""
    moved = {name: value for name, value in told.items() if getattr(stage, name) != value}
    return stage.model_copy(update=moved) if moved else stage
