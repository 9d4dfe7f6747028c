"""Topic `windlass.logs`: output lines, batched, in order per attempt."""

from typing import ClassVar

from shared.events.envelope import Event
from shared.events.evidence import LogLine
from shared.events.topics import Topic


class LogAppended(Event):
    """A batch of lines; `first_line` makes hearing it twice harmless."""

    type: ClassVar[str] = "windlass.log.appended.v1"
    topic: ClassVar[Topic] = Topic.LOGS

    log: str  # the attempt: "run/step/attempt" or "build/<key>/<attempt>"
    pipeline: str
    revision: int
    stage: str = ""  # empty for a build
    what: str = ""  # the step or artifact
    first_line: int  # number of the first line in this batch, from 0
    lines: tuple[LogLine, ...]
    last: bool = False  # no batch follows

    @property
    def key(self) -> str:
        """Return the attempt."""
        return self.log

    @property
    def correlation(self) -> str:
        """Return pipeline@revision."""
        return f"{self.pipeline}@{self.revision}"
