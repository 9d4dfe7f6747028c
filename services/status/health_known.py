"""For how long it is known how a service does, once somebody has looked. Pure.

Looks are told when they change something, and else a stretch of them at a time. So nobody is heard of for
that long though all is well; longer, and nobody looks, or nobody can tell of it. What is read then says so.
No fold asks for the time: the read model stays as it was told (L3).
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from math import ceil

from services.status.views import ServiceHealth
from shared.plan import Criteria

INTERVALS = 3  # without a look after which nothing is known any more
INTERVAL_SECONDS_MIN, INTERVAL_SECONDS_MAX = 5.0, 3600.0
LATENCY_SECONDS_MAX = 60.0  # that a look waits for an answer, twice
LOOK_SLACK_SECONDS = 5.0
CHECKS_AT_ONCE = 4
STRETCH_SECONDS = 300.0  # of looks that are told together


def known_for(criteria: Criteria) -> float:
    """Return how many seconds after a look it is known how a service does that is looked at by these."""
    asked = criteria.health_interval_seconds
    interval = min(max(INTERVAL_SECONDS_MIN, asked), INTERVAL_SECONDS_MAX)
    return INTERVALS * max(interval, _look_seconds(criteria)) + STRETCH_SECONDS


def at_reading(health: Iterable[ServiceHealth], now: datetime) -> tuple[ServiceHealth, ...]:
    """Return how the services do for whoever asks now: unknown where nobody was heard of for too long."""
    return tuple(_forgotten(each) if _is_forgotten(each, now) else each for each in health)


def _look_seconds(criteria: Criteria) -> float:
    """Return how long one look may take, where all that is asked hangs."""
    patience = min(max(0.0, criteria.latency_seconds_max), LATENCY_SECONDS_MAX)
    rounds = ceil((len(criteria.paths) + len(criteria.tcp)) / CHECKS_AT_ONCE)
    return max(rounds, 1) * (2 * patience + LOOK_SLACK_SECONDS)


def _is_forgotten(service: ServiceHealth, now: datetime) -> bool:
    if service.looked_at is None or service.health == "unknown":
        return False
    return now > service.looked_at + timedelta(seconds=service.known_for_seconds)


def _forgotten(service: ServiceHealth) -> ServiceHealth:
    looked_at = service.looked_at
    reason = f"nobody told of a look at it since {looked_at:%Y-%m-%d %H:%M:%S} UTC; it was {service.health}"
    return service.model_copy(update={"health": "unknown", "since": looked_at, "reason": reason})
