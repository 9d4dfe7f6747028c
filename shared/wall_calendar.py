"""What the clock on the wall shows in a zone, and which hours a calendar has open: plain times, pure.

Windows are made of this (`shared/window.py`); here nothing is read, canonical or told to anybody.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

DAYS_LOOKED_AT_MAX = 731  # two years, not counting days inside of a freeze
ZONE_CHARACTERS_MAX = 64
NEVER = datetime.fromisoformat("9999-12-31T00:00")  # the end of a freeze that has none

_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)
_SLACK = 2 * _DAY  # more than any change of a zone's clocks has ever moved them
_ZONE = re.compile(r"[A-Z][A-Za-z0-9_+-]*(/[A-Z][A-Za-z0-9_+-]*){0,2}")
_NO_PLACE = frozenset({"Factory"})  # what an installation has until somebody sets its zone


def zone_mistake(name: str) -> str:
    """Say what is wrong with the name of a time zone, if anything. Reads no file but a zone's."""
    if len(name) > ZONE_CHARACTERS_MAX or not _ZONE.fullmatch(name):
        return "must be a time zone like Europe/Berlin, America/Los_Angeles or UTC"
    return "" if zone_named(name) else "must be a time zone that is known here"


@lru_cache(maxsize=256)
def zone_named(name: str) -> ZoneInfo | None:
    """Return a zone that this machine has data of."""
    if not _ZONE.fullmatch(name) or name in _NO_PLACE:
        return None
    try:
        return ZoneInfo(name)
    except (LookupError, OSError, ValueError):
        return None


Span = tuple[datetime, datetime]  # the second is the first instant that does not belong to it


@dataclass(frozen=True, slots=True)
class Calendar:
    """A window made ready for looking things up; times are those on the wall."""

    week: tuple[tuple[tuple[timedelta, timedelta], ...], ...]
    holidays: frozenset[str]
    frozen: tuple[Span, ...]  # in order, none touching another

    def is_open(self, wall: datetime) -> bool:
        """Tell whether the minute that the clock shows is open."""
        return next(self.open_between(wall, wall + timedelta.resolution), None) is not None

    def is_holiday(self, day: date) -> bool:
        """Tell whether a day is closed from midnight to midnight."""
        text = day.isoformat()
        return text in self.holidays or text[5:] in self.holidays

    def freeze_from(self, wall: datetime) -> Span | None:
        """Return the freeze that is on, or else the next one."""
        index = bisect_right(self.frozen, wall, key=lambda span: span[1])
        return self.frozen[index] if index < len(self.frozen) else None

    def frozen_until(self, wall: datetime) -> datetime | None:
        """Return the end of a freeze that is on, and would be however clocks are changed meanwhile."""
        freeze = self.freeze_from(wall)
        return freeze[1] if freeze and freeze[0] + _SLACK <= wall else None

    def open_between(self, begins: datetime, ends: datetime) -> Iterator[Span]:
        """Yield what is open of a stretch, in order."""
        midnight = datetime.combine(begins.date(), time())
        while midnight < ends:
            if not self.is_holiday(midnight.date()):
                for opens, closes in self.week[midnight.weekday()]:
                    yield from self._unfrozen(max(midnight + opens, begins), min(midnight + closes, ends))
            midnight += _DAY

    def _unfrozen(self, begins: datetime, ends: datetime) -> Iterator[Span]:
        while begins < ends:
            freeze = self.freeze_from(begins) or (ends, ends)
            if begins < freeze[0]:
                yield begins, min(freeze[0], ends)
            begins = freeze[1]


def open_spans(calendar: Calendar, zone: ZoneInfo, here: datetime) -> Iterator[Span]:
    """Yield what is open from an instant on, in order; one may follow upon another at once."""
    for _ in range(DAYS_LOOKED_AT_MAX):
        wall, until = wall_time(zone, here), _unchanged_until(zone, here)
        for begins, ends in calendar.open_between(wall, wall + (until - here)):
            yield here + (begins - wall), here + (ends - wall)
        frozen_until = calendar.frozen_until(wall)
        if frozen_until == NEVER:
            return
        here = max(until, here + (frozen_until - wall) - _SLACK) if frozen_until else until


def wall_time(zone: ZoneInfo, at: datetime) -> datetime:
    """Return what the clock on the wall shows."""
    return at.astimezone(zone).replace(tzinfo=None)


def _unchanged_until(zone: ZoneInfo, here: datetime) -> datetime:
    """Return the instant at which the zone's clocks are changed next, at most a day on."""
    known, beyond = here, here + _DAY
    offset = here.astimezone(zone).utcoffset()
    if beyond.astimezone(zone).utcoffset() == offset:
        return beyond
    while beyond - known > _SECOND:
        middle = known + (beyond - known) / 2
        if middle.astimezone(zone).utcoffset() == offset:
            known = middle
        else:
            beyond = middle
    return beyond.replace(microsecond=0)  # clocks are changed on a full second
