"""The topics, and what orders the events on each (DESIGN 3)."""

from enum import StrEnum


class Topic(StrEnum):
    """Where an event is published; its key decides which others it keeps its order with."""

    PUSHES = "windlass.pushes"  # keyed by repository
    REVISIONS = "windlass.revisions"  # keyed by pipeline
    STAGES = "windlass.stages"  # keyed by pipeline/stage
    BUILDS = "windlass.builds"  # keyed by build key
    LOGS = "windlass.logs"  # keyed by attempt
    ALARMS = "windlass.alarms"  # keyed by alarm
    DEAD_LETTERS = "windlass.dead-letters"  # keyed as the message that died


TOPICS: tuple[Topic, ...] = tuple(Topic)
