"""What every event on topic `windlass.stages` says; the events themselves lie beside this file."""

from typing import ClassVar

from shared.events.envelope import Event
from shared.events.topics import Topic
from shared.ids import Pipeline, Stage, stage_key


class StageEvent(Event):
    """Something about one stage of one pipeline."""

    topic: ClassVar[Topic] = Topic.STAGES

    pipeline: Pipeline
    stage: Stage

    @property
    def key(self) -> str:
        """Return pipeline/stage."""
        return stage_key(self.pipeline, self.stage)
