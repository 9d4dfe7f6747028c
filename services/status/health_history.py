"""How looks at a service are kept: closely for a day, by the hour for a month, by the day for a year. Pure.

What is the oldest of a full list goes into the next, coarser one, so that nothing depends on a clock: the
same samples in the same order always give the same lists (L3), and a clock that was wrong for a while spoils
no more than the stretches it wrote.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence

from services.status.deployment_status import WORST_FIRST
from services.status.views import HealthHistory, Stretch
from shared.events import HealthCounts

FIVE_MINUTES, HOUR, DAY = 300, 3_600, 86_400  # seconds
FIVE_MINUTES_MAX = 288  # kept: those of 24 hours
HOURS_MAX = 720  # those of 30 days
DAYS_MAX = 365

Stretches = tuple[Stretch, ...]


def with_sample(history: HealthHistory, counts: HealthCounts) -> HealthHistory:
    """Return the history with a sample more; what has no room any more is put together, or is over."""
    close, old = _newest(_put(history.five_minutes, stretch_of(counts), FIVE_MINUTES), FIVE_MINUTES_MAX)
    hours, older = _newest(_all_put(history.hours, old, HOUR), HOURS_MAX)
    days, _ = _newest(_all_put(history.days, older, DAY), DAYS_MAX)
    return history.model_copy(update={"five_minutes": close, "hours": hours, "days": days})


def in_hours(history: HealthHistory) -> Stretches:
    """Return the last of it by the hour."""
    return _newest(_all_put(history.hours, history.five_minutes, HOUR), HOURS_MAX)[0]


def in_days(history: HealthHistory) -> Stretches:
    """Return all of it by the day."""
    stretches = _all_put(history.days, history.hours, DAY)
    return _newest(_all_put(stretches, history.five_minutes, DAY), DAYS_MAX)[0]


def stretch_of(counts: HealthCounts) -> Stretch:
    """Return a sample as a stretch of its own."""
    timed = counts.latency_seconds is not None
    answers = counts.good + counts.slow + counts.bad if timed else 0
    return Stretch(
        begins=int(counts.begins_at.timestamp()),
        seconds=counts.seconds,
        looks=counts.looks,
        good=counts.good,
        slow=counts.slow,
        bad=counts.bad,
        silent=counts.silent,
        answers=answers,
        latency_total=(counts.latency_seconds or 0.0) * answers,
        latency_max=counts.latency_seconds_max,
        worst=counts.worst,
    )


def together(one: Stretch, other: Stretch) -> Stretch:
    """Return two stretches as one that begins where the first does."""
    known = [each.latency_max for each in (one, other) if each.latency_max is not None]
    return Stretch(
        begins=one.begins,
        seconds=one.seconds + other.seconds,
        looks=one.looks + other.looks,
        good=one.good + other.good,
        slow=one.slow + other.slow,
        bad=one.bad + other.bad,
        silent=one.silent + other.silent,
        answers=one.answers + other.answers,
        latency_total=one.latency_total + other.latency_total,
        latency_max=max(known, default=None),
        worst=min(one.worst, other.worst, key=WORST_FIRST.index),
    )


def _put(stretches: Sequence[Stretch], new: Stretch, width: int) -> Stretches:
    begins = new.begins // width * width
    new = new._replace(begins=begins)
    place = bisect_left(stretches, begins, key=lambda each: each.begins)
    if place < len(stretches) and stretches[place].begins == begins:
        return (*stretches[:place], together(stretches[place], new), *stretches[place + 1 :])
    return (*stretches[:place], new, *stretches[place:])


def _all_put(stretches: Stretches, new: Iterable[Stretch], width: int) -> Stretches:
    for each in new:
        stretches = _put(stretches, each, width)
    return stretches


def _newest(stretches: Stretches, kept: int) -> tuple[Stretches, Stretches]:
    """Return the newest, and the others."""
    over = max(len(stretches) - kept, 0)
    return stretches[over:], stretches[:over]
