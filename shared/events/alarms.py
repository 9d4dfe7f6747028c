"""Topic `windlass.alarms`: what monitors say."""

from datetime import datetime
from typing import ClassVar, Literal

from shared.events.envelope import Event
from shared.events.topics import Topic

AlarmState = Literal["firing", "clear", "unknown"]
FIRING: frozenset[AlarmState] = frozenset({"firing"})
CLEAR: frozenset[AlarmState] = frozenset({"clear"})
KNOWN = FIRING | CLEAR  # good or bad news; the rest changes nothing
OF_HEALTH = "health:"  # how names begin that belong to the verifier: `health:pipeline/stage`


class AlarmChanged(Event):
    """A monitor raised or cleared an alarm, or no longer knows."""

    type: ClassVar[str] = "windlass.alarm.changed.v1"
    topic: ClassVar[Topic] = Topic.ALARMS

    alarm: str  # its name, as stages give it
    state: AlarmState
    reason: str
    source: str  # whose token said it
    at: datetime

    @property
    def key(self) -> str:
        """Return the alarm's name."""
        return self.alarm
