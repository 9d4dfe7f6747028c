"""The clock on the wall: zones that change theirs in odd ways, names that are none, and quick answers."""

import time
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.wall_calendar import zone_mistake
from shared.window import WEEK, Freeze, Opening, Window, closes_at, next_opening

# fmt: off
CHANGES = [
    pytest.param("Europe/Berlin", "02:30-04:00", ("2026-03-29 00:00", "2026-03-29 01:00", "2026-03-29 02:00"),
                 id="hours that begin at a time left out begin with the next one shown"),
    pytest.param("Europe/Berlin", "02:10-02:50", ("2026-03-29 00:00", "2026-03-30 00:10", "2026-03-30 00:50"),
                 id="hours left out altogether do not take place"),
    pytest.param("Europe/Berlin", "01:00-02:30", ("2026-10-24 23:00", "2026-10-24 23:00", "2026-10-25 00:30"),
                 id="a closing shown twice closes the first time"),
    pytest.param("Europe/Berlin", "01:00-02:30", ("2026-10-25 00:30", "2026-10-25 01:00", "2026-10-25 01:30"),
                 id="and what is shown again is open again"),
    pytest.param("Europe/Berlin", "02:15-02:45", ("2026-10-25 00:45", "2026-10-25 01:15", "2026-10-25 01:45"),
                 id="hours shown twice are open twice"),
    pytest.param("Australia/Lord_Howe", "01:15-03:00",
                 ("2026-04-04 14:00", "2026-04-04 14:15", "2026-04-04 16:30"),
                 id="half an hour shown twice is half an hour longer"),
    pytest.param("Australia/Lord_Howe", "01:45-03:00",
                 ("2026-04-04 14:00", "2026-04-04 14:45", "2026-04-04 15:00"),
                 id="at two it is half past one again, which is closed"),
    pytest.param("Australia/Lord_Howe", "02:10-03:00",
                 ("2026-10-03 15:00", "2026-10-03 15:30", "2026-10-03 16:00"), id="half an hour left out"),
    pytest.param("Pacific/Apia", "09:00-10:00", ("2011-12-29 21:00", "2011-12-30 19:00", "2011-12-30 20:00"),
                 id="a day left out opens nothing: Thursday, then Saturday"),
    pytest.param("America/Sao_Paulo", "00:00-01:00",
                 ("2018-11-03 12:00", "2018-11-05 02:00", "2018-11-05 03:00"),
                 id="a day whose first hour is left out"),
    pytest.param("America/Sao_Paulo", "00:00-02:00",
                 ("2018-11-03 12:00", "2018-11-04 03:00", "2018-11-04 04:00"),
                 id="a day without its midnight begins at one"),
    pytest.param("America/Sao_Paulo", "23:30-24:00",
                 ("2018-02-18 00:00", "2018-02-18 01:30", "2018-02-18 02:00"),
                 id="the last hour of a day, the first time"),
    pytest.param("America/Sao_Paulo", "23:30-24:00",
                 ("2018-02-18 02:00", "2018-02-18 02:30", "2018-02-18 03:00"),
                 id="the last hour of a day, the second time"),
    pytest.param("Africa/Cairo", "00:30-01:30", ("2026-04-23 12:00", "2026-04-23 22:00", "2026-04-23 22:30"),
                 id="Cairo goes from midnight to one"),
    pytest.param("Africa/Monrovia", "00:00-01:00",
                 ("1972-01-07 00:44:29", "1972-01-07 00:44:30", "1972-01-07 01:00"),
                 id="a zone that was behind by seconds leaves out 44 minutes and a half"),
]
HOSTILE = [
    "", " ", ".", "..", "../../etc/passwd", "/etc/passwd", "Europe/../../../etc/passwd", "Europe/Berlin\0",
    "Europe//Berlin", "Europe/", "/Europe/Berlin", "Europe/Berlin\n", "europe/berlin", "posix/Europe/Berlin",
    "right/UTC", "posixrules", "localtime", "Factory", "tzdata.zi", "zone.tab", "leapseconds", "+VERSION",
    "Europe", "C:\\Windows", "Ünited/Kingdom", "\ud800", "UTC0", "A/B/C/D", "E" * 65, "E" * 100_000,
    "A/" * 50_000,
]
# fmt: on


@pytest.mark.parametrize(("zone", "hours", "times"), CHANGES)
def test_hours_where_clocks_are_changed(zone: str, hours: str, times: tuple[str, str, str]) -> None:
    asked, opens, closes = (datetime.fromisoformat(text).replace(tzinfo=UTC) for text in times)
    first, last = hours.split("-")
    window = Window(zone=zone, openings=tuple(Opening(day=day, opens=first, closes=last) for day in WEEK))
    assert next_opening(window, asked) == opens
    assert closes_at(window, opens) == closes


@pytest.mark.parametrize("name", HOSTILE, ids=lambda name: ascii(name[:20]))
def test_what_is_no_zone_is_told_and_nothing_is_read(name: str) -> None:
    mistake = zone_mistake(name)
    assert mistake in {
        "must be a time zone like Europe/Berlin, America/Los_Angeles or UTC",
        "must be a time zone that is known here",
    }


@given(st.text())
def test_no_text_breaks_the_look_up_of_zones(name: str) -> None:
    assert isinstance(zone_mistake(name), str)


ZONES = ["UTC", "Etc/GMT+5", "America/Argentina/Buenos_Aires", "America/Port-au-Prince", "EST5EDT", "GB"]


@pytest.mark.parametrize("name", ZONES)
def test_a_zone_has_no_mistake(name: str) -> None:
    assert zone_mistake(name) == ""


def every_day_of_the_year() -> tuple[str, ...]:
    return tuple(f"{date(2028, 1, 1) + timedelta(days=n):%m-%d}" for n in range(366))


def daily_freezes(count: int) -> tuple[Freeze, ...]:
    days = [f"{date(2026, 12, 1) + timedelta(days=n)}" for n in range(count)]
    return tuple(Freeze(begins=f"{d}T00:00", ends=f"{d}T23:59", reason=d) for d in days)


@pytest.mark.parametrize(
    ("freezes", "holidays"),
    [
        pytest.param((Freeze(begins="2026-12-01T00:00", ends="2027-12-01T00:00"),), (), id="a year"),
        pytest.param(daily_freezes(365), (), id="days"),
        pytest.param((), every_day_of_the_year(), id="two years of holidays"),
    ],
)
def test_looking_far_ahead_takes_no_time(freezes: tuple[Freeze, ...], holidays: tuple[str, ...]) -> None:
    openings = (Opening(day="mon", closes="10:00"),)
    window = Window(zone="Europe/Berlin", openings=openings, freezes=freezes, holidays=holidays)
    begun = time.process_time()
    next_opening(window, datetime(2026, 12, 2, tzinfo=UTC))
    assert time.process_time() - begun < 0.1  # 0.05 to 7 ms; by single minutes it would be seconds
