"""When a stage may begin runs: opening hours in a zone, holidays and freezes. Pure.

What counts is what a clock on the wall in the window's zone shows. From that follows what happens where
clocks are changed: a time that is left out is never shown, so that hours from 02:30 begin at 03:00 on the
day when 02:00 becomes 03:00; a time that is shown twice counts both times; a day that a zone leaves out
opens nothing. Hours lie inside one day: what goes past midnight is two openings.

A zone that this machine does not know is closed, and `why_closed` says so: the plan may come from a
machine whose time zone data is newer.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from shared.wall_calendar import (
    NEVER,
    ZONE_CHARACTERS_MAX,
    Calendar,
    Span,
    open_spans,
    wall_time,
    zone_named,
)

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEK: tuple[Day, ...] = get_args(Day)
YEARS = range(1970, 3000)  # of holidays and freezes

_AGE = range(1800, 9000)
_DAY = timedelta(days=1)
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
_YEARLY = re.compile(r"[0-9]{2}-[0-9]{2}")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_LEAP_YEAR = 2000
_NEVER = NEVER.isoformat()  # sorts after every time that can be written


def clock_time(text: str) -> str:
    """Let a time of day pass."""
    if not _CLOCK.fullmatch(text):
        raise ValueError('must be a time like "09:00", from "00:00" to "23:59"')
    return text


def closing_time(text: str) -> str:
    """Let a time of day pass, or the end of the day."""
    if text != "24:00" and not _CLOCK.fullmatch(text):
        raise ValueError('must be a time like "16:30", from "00:00" to "24:00"')
    return text


def calendar_date(text: str) -> str:
    """Let a date pass that there is."""
    return _checked_date(text, YEARS)


def holiday(text: str) -> str:
    """Let a date pass, or every year's day."""
    if not _YEARLY.fullmatch(text):
        if not _DATE.fullmatch(text):
            raise ValueError('must be a date like "2026-12-25", or every year\'s day like "12-25"')
        return calendar_date(text)
    if not _is_date(f"{_LEAP_YEAR}-{text}"):
        raise ValueError("must be a day that there is in some year: month, day")
    return text


def local_minute(text: str) -> str:
    """Let a date with a time of day pass."""
    day, separator, clock = text.partition("T")
    if not separator:
        raise ValueError('must be a date and time like "2026-12-20T18:00"')
    following = range(YEARS.start, YEARS.stop + 1)  # what lasts to the end of a year ends in the next one
    return f"{_checked_date(day, following)}T{clock_time(clock)}"


def _checked_date(text: str, years: range) -> str:
    if not _DATE.fullmatch(text):
        raise ValueError('must be a date like "2026-12-25"')
    if int(text[:4]) not in years:
        raise ValueError(f"must lie in the years {years[0]} to {years[-1]}")
    if not _is_date(text):
        raise ValueError("must be a day that there is: year, month, day")
    return text


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Opening(_Part):
    """Hours on one day of every week, never past midnight."""

    day: Day
    opens: Annotated[str, AfterValidator(clock_time)] = "00:00"
    closes: Annotated[str, AfterValidator(closing_time)] = "24:00"  # the first minute that is closed again

    @model_validator(mode="after")
    def _ends_after_it_began(self) -> "Opening":
        if self.closes <= self.opens:
            raise ValueError("an opening closes later than it opens")
        return self


class Freeze(_Part):
    """A time in which nothing begins, by the clock on the wall."""

    begins: Annotated[str, AfterValidator(local_minute)]
    ends: Annotated[str, AfterValidator(local_minute)] | None = None  # the first minute after; None: no end
    reason: str = ""

    @model_validator(mode="after")
    def _ends_after_it_began(self) -> "Freeze":
        if self.ends is not None and self.ends <= self.begins:
            raise ValueError("a freeze ends later than it begins")
        return self


def _merged(openings: Iterable[Opening]) -> tuple[Opening, ...]:
    """Return openings in the order of the week, none touching another."""
    kept: list[Opening] = []
    for opening in sorted(openings, key=lambda each: (WEEK.index(each.day), each.opens)):
        last = kept[-1] if kept else None
        if last and last.day == opening.day and opening.opens <= last.closes:
            closes = max(last.closes, opening.closes)
            kept[-1] = Opening(day=last.day, opens=last.opens, closes=closes)
        else:
            kept.append(opening)
    return tuple(kept)


def _distinct(holidays: Iterable[str]) -> tuple[str, ...]:
    days = set(holidays)
    return tuple(sorted(day for day in days if not (_DATE.fullmatch(day) and day[5:] in days)))


def _joined(freezes: Iterable[Freeze]) -> tuple[Freeze, ...]:
    """Return freezes in order; those of one reason do not touch."""
    kept: list[Freeze] = []
    for freeze in sorted(freezes, key=lambda each: (each.reason, each.begins, each.ends or _NEVER)):
        last = kept[-1] if kept else None
        if last and last.reason == freeze.reason and freeze.begins <= (last.ends or _NEVER):
            ends = max(last.ends or _NEVER, freeze.ends or _NEVER)
            kept[-1] = last.model_copy(update={"ends": None if ends == _NEVER else ends})
        else:
            kept.append(freeze)
    return tuple(sorted(kept, key=lambda each: (each.begins, each.ends or _NEVER, each.reason)))


class Window(_Part):
    """A deployment window, resolved: in whatever order and pieces it was written, the form is one."""

    name: str = ""  # "PACIFIC_WORKING_HOURS", or as the file calls it
    zone: Annotated[str, Field(max_length=ZONE_CHARACTERS_MAX)] = "UTC"  # IANA's name
    openings: Annotated[tuple[Opening, ...], AfterValidator(_merged)] = tuple(Opening(day=d) for d in WEEK)
    holidays: Annotated[
        tuple[Annotated[str, AfterValidator(holiday)], ...], AfterValidator(_distinct)
    ] = ()  # "2026-12-25", or every year's "12-25"; closed from midnight to midnight
    freezes: Annotated[tuple[Freeze, ...], AfterValidator(_joined)] = ()


def is_open(window: Window, at: datetime) -> bool:
    """Tell whether a run may begin at an instant, which is aware, here and below."""
    zone = zone_named(window.zone)
    return zone is not None and _calendar(window).is_open(wall_time(zone, _utc(at)))


def next_opening(window: Window, at: datetime) -> datetime | None:
    """Return the first open instant from `at` on; None if `DAYS_LOOKED_AT_MAX` days have none."""
    return next((begins for begins, _ in _open_spans(window, at)), None)


def closes_at(window: Window, at: datetime) -> datetime | None:
    """Return when the window closes that is open at an instant.

    None if it is closed then, or stays open for `DAYS_LOOKED_AT_MAX` days.
    """
    if not is_open(window, at):
        return None
    end = at
    for begins, ends in _open_spans(window, at):
        if begins > end:
            break
        end = ends
    return None if is_open(window, end) else end


def why_closed(window: Window, at: datetime) -> str:
    """Say in one sentence what keeps a window closed at an instant; nothing when it is open."""
    called, zone = _called(window), zone_named(window.zone)
    if zone is None:
        return f"The time zone of {called} is not known here: {window.zone}."
    wall = wall_time(zone, _utc(at))
    calendar = _calendar(window)
    if calendar.is_open(wall):
        return ""
    if freeze := _freeze_over(window, wall):
        return f"T{called[1:]} is frozen {_told(freeze)} ({window.zone})."
    if calendar.is_holiday(wall.date()):
        return f"{wall:%Y-%m-%d} is a holiday of {called} ({window.zone})."
    day = WEEK[wall.weekday()]
    hours = ", ".join(f"{each.opens}-{each.closes}" for each in window.openings if each.day == day)
    own = f"open {hours} that day" if hours else "closed that day"
    return f"It is {day.capitalize()} {wall:%H:%M} in {window.zone}, and {called} is {own}."


def never_opens(window: Window, since: date) -> str:
    """Say in one sentence why a window does not open from a day on; nothing when it does."""
    called, zone = _called(window), zone_named(window.zone)
    if zone is None:
        return f"{called} never opens: its time zone is not known here: {window.zone}"
    if not window.openings:
        return f"{called} never opens: it has no hours"
    midnight = datetime.combine(since, time(), zone).astimezone(UTC)
    if next_opening(window, midnight):
        return ""
    endless = next((freeze for freeze in window.freezes if freeze.ends is None), None)
    if endless:
        return f"{called} does not open from {since} on: it is frozen {_told(endless)}"
    return f"{called} does not open from {since} on: every day that has hours is a holiday or in a freeze"


@lru_cache(maxsize=256)
def _calendar(window: Window) -> Calendar:
    week: list[list[tuple[timedelta, timedelta]]] = [[] for _ in WEEK]
    for opening in window.openings:
        week[WEEK.index(opening.day)].append(
            (_since_midnight(opening.opens), _since_midnight(opening.closes))
        )
    frozen: list[Span] = []
    for freeze in window.freezes:
        begins, ends = _freeze_span(freeze)
        if frozen and begins <= frozen[-1][1]:
            frozen[-1] = (frozen[-1][0], max(frozen[-1][1], ends))
        else:
            frozen.append((begins, ends))
    return Calendar(tuple(map(tuple, week)), frozenset(window.holidays), tuple(frozen))


def _open_spans(window: Window, at: datetime) -> Iterator[Span]:
    zone = zone_named(window.zone)
    return open_spans(_calendar(window), zone, _utc(at)) if zone and window.openings else iter(())


def _utc(at: datetime) -> datetime:
    assert at.tzinfo is not None, "an instant has a zone"
    assert at.year in _AGE, "an instant is one of our age"
    return at.astimezone(UTC)


def _since_midnight(clock: str) -> timedelta:
    return timedelta(hours=int(clock[:2]), minutes=int(clock[3:]))


def _freeze_span(freeze: Freeze) -> Span:
    ends = datetime.fromisoformat(freeze.ends) if freeze.ends else NEVER
    return datetime.fromisoformat(freeze.begins), ends


def _freeze_over(window: Window, wall: datetime) -> Freeze | None:
    """Return the freeze that is on; of several the one that ends last."""
    spans = {freeze: _freeze_span(freeze) for freeze in window.freezes}
    on = [freeze for freeze, (begins, ends) in spans.items() if begins <= wall < ends]
    return max(on, key=lambda freeze: spans[freeze][1], default=None)


def _called(window: Window) -> str:
    return f"the window {window.name}" if window.name else "the window"


def _told(freeze: Freeze) -> str:
    begins = freeze.begins.removesuffix("T00:00").replace("T", " ")
    reason = f": {freeze.reason}" if freeze.reason else ""
    if freeze.ends is None:
        return f"from {begins} on, without an end{reason}"
    day, clock = freeze.ends.split("T")
    last = date.fromisoformat(day) - _DAY
    ends = f"to the end of {last}" if clock == "00:00" else f"to {day} {clock}"
    return f"from {begins} {ends}{reason}"
