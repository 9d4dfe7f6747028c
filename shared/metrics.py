"""What is counted of this process, for whoever watches it: plain dictionaries until somebody asks.

Labels come from closed sets only (groups, event types, topics, routes): never a key, a name or a path
that somebody sends. How they are written out is `shared/web/exposition.py`'s business.
"""

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field

Labels = tuple[str, ...]

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0)


@dataclass(slots=True)
class Counter:
    """Only grows."""

    name: str
    meaning: str
    labels: Labels = ()
    values: dict[Labels, float] = field(default_factory=dict)

    def add(self, *labels: str, by: float = 1) -> None:
        """Count."""
        self.values[labels] = self.values.get(labels, 0) + by


@dataclass(slots=True)
class Gauge:
    """Stands somewhere."""

    name: str
    meaning: str
    labels: Labels = ()
    values: dict[Labels, float] = field(default_factory=dict)

    def add(self, *labels: str, by: float = 1) -> None:
        """Move it."""
        self.values[labels] = self.values.get(labels, 0) + by

    def set(self, value: float, *labels: str) -> None:
        """Put it there."""
        self.values[labels] = value

    def replace(self, values: Mapping[Labels, float]) -> None:
        """Put it there for these labels, and forget all others."""
        self.values = dict(values)


@dataclass(slots=True)
class Histogram:
    """How many took how long."""

    name: str
    meaning: str
    labels: Labels = ()
    counts: dict[Labels, list[int]] = field(default_factory=dict)  # of each bucket alone, the last: longer
    sums: dict[Labels, float] = field(default_factory=dict)

    def observe(self, seconds: float, *labels: str) -> None:
        """Count one that took so long."""
        counts = self.counts.get(labels)
        if counts is None:
            counts = self.counts[labels] = [0] * (len(SECONDS) + 1)
        counts[bisect_left(SECONDS, seconds)] += 1
        self.sums[labels] = self.sums.get(labels, 0.0) + seconds


MESSAGES = Counter(
    "windlass_messages",
    "Messages by what became of them: handled, failed (an attempt), retried, dead.",
    ("group", "type", "outcome"),
)
HANDLING = Histogram("windlass_handling_seconds", "How long one attempt took.", ("group", "type"))
IN_HAND = Gauge("windlass_messages_in_hand", "Messages taken from the bus and not done.", ("group",))
LAG = Gauge("windlass_consumer_lag", "Messages on the topic that the group has not done.", ("group", "topic"))
PUBLISHED = Counter("windlass_messages_published", "Messages that the broker has taken.", ("topic",))
WORK = Counter(
    "windlass_work_attempts",
    "Pieces of work that ended in this process: done, put_back, given_up, lost (claimed by another since).",
    ("service", "kind", "outcome"),
)
WORK_IN_HAND = Gauge("windlass_work_in_hand", "Pieces of work under way in this process.", ("service",))
REQUESTS = Counter("windlass_http_requests", "Requests answered.", ("method", "route", "status"))

DATABASE_UP = Gauge("windlass_database_up", "Whether the database answered when these figures were read.")
OUTBOX_ROWS = Gauge("windlass_outbox_waiting", "Events committed and not handed to all who wait for them.")
OUTBOX_AGE = Gauge("windlass_outbox_oldest_seconds", "Age of the oldest of them.")
WORK_OPEN = Gauge("windlass_work_open", "Pieces of work not done, of all replicas.", ("service", "state"))
WORK_AGE = Gauge("windlass_work_oldest_ready_seconds", "How long the oldest has been ready.", ("service",))
POOL = Gauge("windlass_database_connections", "Connections of this process, in use and idle.", ("state",))

COUNTERS = (MESSAGES, PUBLISHED, WORK, REQUESTS)
GAUGES = (
    IN_HAND, LAG, WORK_IN_HAND, DATABASE_UP, OUTBOX_ROWS, OUTBOX_AGE, WORK_OPEN, WORK_AGE, POOL,
)  # fmt: skip
HISTOGRAMS = (HANDLING,)


def message_tried(group: str, type_: str, *, handled: bool, seconds: float) -> None:
    """Count one attempt at a message."""
    MESSAGES.add(group, type_, "handled" if handled else "failed")
    HANDLING.observe(seconds, group, type_)
