"""Windows as chance draws them, and installations that begin where clocks are changed."""

from datetime import datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

from shared.window import WEEK, Day, Freeze, Opening, Window

BEGINS = tuple(
    datetime.fromisoformat(each)
    for each in (
        "2026-03-02T06:00:00+00:00",  # a Monday like any other
        "2026-03-08T06:52:00+00:00",  # New York leaves out an hour at 07:00
        "2026-03-29T00:55:00+00:00",  # Berlin leaves one out at 01:00
        "2026-04-04T14:50:00+00:00",  # Lord Howe shows half an hour twice from 15:00
        "2026-10-25T00:50:00+00:00",  # Berlin shows one twice from 01:00
        "2026-11-01T05:52:00+00:00",  # so does New York from 06:00
        "2026-12-31T23:54:00+00:00",  # another year
    )
)
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe")


def window(dice: Random, begins: datetime) -> Window | None:
    """Return some stage's window; mostly it has none."""
    if dice.random() < 0.75:
        return None
    zone = dice.choice(ZONES)
    wall = begins.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    return Window(
        name="hours",
        zone=zone,
        openings=_openings(dice, wall),
        holidays=(wall.date().isoformat(),) if dice.random() < 0.1 else (),
        freezes=(_freeze(dice, wall),) if dice.random() < 0.3 else (),
    )


def _openings(dice: Random, wall: datetime) -> tuple[Opening, ...]:
    opens, closes = dice.choice(
        (("08:00", "20:00"), ("02:30", "03:30"), ("01:15", "02:45"), _around(dice, wall))
    )
    days: list[Day] = list(WEEK) if dice.random() < 0.8 else list(WEEK[:5])
    return tuple(Opening(day=day, opens=opens, closes=closes) for day in days)


def _around(dice: Random, wall: datetime) -> tuple[str, str]:
    """Return hours that begin or end soon."""
    minutes = wall.hour * 60 + wall.minute + dice.randint(-60, 30)
    opens = min(max(minutes, 0), 24 * 60 - 2)
    closes = min(opens + dice.choice((20, 70, 240)), 24 * 60 - 1)
    return _shown(opens), _shown(closes)


def _shown(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _freeze(dice: Random, wall: datetime) -> Freeze:
    begins = wall + timedelta(minutes=dice.randint(-30, 10))
    ends = begins + timedelta(minutes=dice.choice((20, 60, 180)))
    return Freeze(begins=begins.isoformat()[:16], ends=ends.isoformat()[:16], reason="fair")
