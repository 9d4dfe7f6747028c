"""Saying that something is away once, and once that it is back: not at every try in between."""

from datetime import datetime

import structlog

from shared.clock import Clock

log = structlog.get_logger()


class Outage:
    """What one part of a process tells about failures in a row."""

    def __init__(self, clock: Clock, failed: str, resumed: str, told_every: int = 0, **about: str) -> None:
        self._clock = clock
        self._failed, self._resumed = failed, resumed  # names of the events in the log
        self._told_every = told_every  # failures, after the first; 0: only that one is told
        self._about = about
        self._since: datetime | None = None
        self.failures = 0  # in a row

    def failed(self, reason: str) -> None:
        """Hear of a failure."""
        self._since = self._since or self._clock.now()
        self.failures += 1
        if self.failures == 1 or (self._told_every and self.failures % self._told_every == 0):
            log.warning(self._failed, reason=reason, in_a_row=self.failures, **self._about)

    def over(self) -> None:
        """Hear that it works, again or still."""
        if self._since is not None:
            lasted = round((self._clock.now() - self._since).total_seconds(), 1)
            log.info(self._resumed, lasted_seconds=lasted, failures=self.failures, **self._about)
        self._since, self.failures = None, 0
