"""When a release that met its criteria, and is watched, has failed after all.

Something that serves people answers badly now and then. So it takes more than one blip; what it takes
is a table.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

FAILURES_IN_A_ROW = 3
RESTARTS = 2
ROUNDS_LOOKED_BACK = 20
FAILURES_OF_THEM = 6  # 30 %; before so many rounds were made, as many are needed
INTERVALS_BETWEEN_ROUNDS_MAX = 3  # what lies further apart was not watched
INTERVAL_SECONDS_MIN = 1.0  # between rounds: it is watched for minutes, and serves people meanwhile
SOAK_SECONDS_MAX = 3600.0


@dataclass(frozen=True, slots=True)
class Noted:
    """What outlives us of a watch."""

    until: datetime
    restarts: Mapping[str, int] = field(default_factory=dict)  # by service, when it met its criteria


@dataclass(frozen=True, slots=True)
class Soak:
    """A release under watch."""

    met_at: datetime
    until: datetime
    passed: tuple[bool, ...] = ()  # the last rounds, the latest last
    restarts: int = 0  # of its processes since it met its criteria
    owed: int = 0  # rounds to be made before it may pass, because nobody looked for a while

    def after(self, *, passed: bool, restarts: int, after_a_gap: bool) -> "Soak":
        """Return it one round later."""
        rounds = (*self.passed, passed)[-ROUNDS_LOOKED_BACK:]
        owed = FAILURES_IN_A_ROW if after_a_gap else self.owed
        return replace(self, passed=rounds, restarts=restarts, owed=max(owed - 1, 0))

    @property
    def failing(self) -> str:
        """Return in words what has failed it; empty while nothing has."""
        return next((limit.says for limit in LIMITS if limit.is_reached(self)), "")


@dataclass(frozen=True, slots=True)
class Limit:
    """What a release under watch may not come to."""

    says: str
    is_reached: Callable[[Soak], bool]


def _in_a_row(soak: Soak) -> bool:
    last = soak.passed[-FAILURES_IN_A_ROW:]
    return len(last) == FAILURES_IN_A_ROW and not any(last)


LIMITS = (
    Limit(f"{FAILURES_IN_A_ROW} rounds in a row failed", _in_a_row),
    Limit(f"its process was restarted {RESTARTS} times", lambda soak: soak.restarts >= RESTARTS),
    Limit(
        f"{FAILURES_OF_THEM} of the last {ROUNDS_LOOKED_BACK} rounds failed",
        lambda soak: soak.passed.count(False) >= FAILURES_OF_THEM,
    ),
)
