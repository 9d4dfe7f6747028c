"""How a pipeline's stages stand for whoever asks now: those of its plan in order, and those it once had.

What was said of the whole pipeline holds for each of them, also for one that is planned and was not
heard of yet. Pure.
"""

from collections.abc import Sequence
from datetime import datetime

from services.status.stage_view import with_stops
from services.status.views import PipelineView, StageView, Stop
from shared.ids import WHOLE


def standing(pipeline: PipelineView, folded: Sequence[StageView], now: datetime) -> list[StageView]:
    """Return the stages in promotion order, given those that were heard of, `*` among them."""
    known = {stage.stage: stage for stage in sorted(folded, key=lambda each: (each.place, each.stage))}
    whole = known.pop(WHOLE, None)
    planned = [
        known.pop(name, StageView(pipeline=pipeline.pipeline, stage=name, place=place))
        for place, name in enumerate(pipeline.stages)
    ]
    stops = whole.stops if whole else ()
    return [_standing(stage, stops, now) for stage in (*planned, *known.values())]


def stop_of(folded: Sequence[StageView]) -> Stop | None:
    """Return what keeps the whole pipeline from beginning anything."""
    return next((stop for stage in folded if stage.stage == WHOLE for stop in stage.stops), None)


def _standing(stage: StageView, whole: tuple[Stop, ...], now: datetime) -> StageView:
    override = stage.window_override
    passed = override is not None and override.until <= now
    current = stage.model_copy(update={"window_override": None}) if passed else stage
    standing = tuple(each for each in stage.blockers if each.ends_at is None or now < each.ends_at)
    current = current.model_copy(update={"blockers": standing})
    return with_stops(current, (*stage.stops, *whole))
