"""Windows: open by the clock on the wall, whatever the clock does, and one form for one meaning."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.window import (
    WEEK,
    Freeze,
    Opening,
    Window,
    closes_at,
    is_open,
    never_opens,
    next_opening,
    why_closed,
)

MINUTE = timedelta(minutes=1)
# Zones with the moments at which they changed their clocks.
CHANGES = {
    "Europe/Berlin": ("2026-03-29T01:00", "2026-10-25T01:00"),
    "Australia/Lord_Howe": ("2026-04-04T15:00", "2026-10-03T15:30"),  # by half an hour
    "Pacific/Chatham": ("2026-04-04T14:00", "2026-09-26T14:00"),  # 12:45 ahead
    "Pacific/Apia": ("2011-12-30T10:00",),  # 30 December left out
    "Pacific/Kwajalein": ("1993-08-21T12:00",),  # 21 August left out
    "America/Sao_Paulo": ("2018-02-18T02:00", "2018-11-04T03:00"),  # at midnight
    "Africa/Cairo": ("2026-04-23T22:00", "2026-10-29T21:00"),  # at midnight
    "Africa/Casablanca": ("2026-02-15T02:00", "2026-03-22T02:00"),  # for Ramadan
    "Antarctica/Troll": ("2026-03-29T01:00", "2026-10-25T01:00"),  # by two hours
    "Asia/Kathmandu": ("2026-05-01T00:00",),  # never, and 5:45 ahead
    "America/Los_Angeles": ("2026-03-08T10:00", "2026-11-01T09:00"),
    "UTC": ("2028-02-29T00:00",),
}


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def weekly(days: str, opens: str, closes: str, zone: str = "UTC") -> Window:
    return Window(
        zone=zone, openings=tuple(Opening(day=d, opens=opens, closes=closes) for d in WEEK if d in days)
    )


clocks = st.builds(lambda m: f"{m // 60:02}:{m % 60:02}", st.integers(0, 24 * 60))
openings = (
    st.tuples(st.sampled_from(WEEK), clocks, clocks)
    .filter(lambda each: each[1] != each[2])
    .map(lambda each: Opening(day=each[0], opens=min(each[1:]), closes=max(each[1:])))
)


@st.composite
def moments(draw: st.DrawFn) -> tuple[str, datetime]:
    """Draw a zone and a full minute near a change of its clocks."""
    zone = draw(st.sampled_from(sorted(CHANGES)))
    change = utc(draw(st.sampled_from(CHANGES[zone])))
    return zone, change + draw(st.integers(-48 * 60, 24 * 60)) * MINUTE


@st.composite
def windows(draw: st.DrawFn, zone: str, near: datetime) -> Window:
    minutes = st.integers(-72 * 60, 72 * 60).map(lambda m: (near + m * MINUTE).strftime("%Y-%m-%dT%H:%M"))
    days = minutes.map(lambda text: text[:10])
    freezes = (
        st.tuples(minutes, minutes, st.sampled_from(["", "a", "b"]))
        .filter(lambda each: each[0] != each[1])
        .map(lambda each: Freeze(begins=min(each[:2]), ends=max(each[:2]), reason=each[2]))
    )
    return Window(
        zone=zone,
        openings=tuple(draw(st.lists(openings, min_size=1, max_size=12))),
        holidays=tuple(draw(st.lists(days | days.map(lambda day: day[5:]), max_size=2))),
        freezes=tuple(draw(st.lists(freezes, max_size=2))),
    )


def shows_open(window: Window, wall: datetime) -> bool:
    """Judge a minute on the wall, as a person with the calendar at hand would."""
    clock, day = f"{wall:%H:%M}", f"{wall:%Y-%m-%d}"
    if day in window.holidays or day[5:] in window.holidays:
        return False
    if any(f.begins <= f"{day}T{clock}" < (f.ends or "~") for f in window.freezes):
        return False
    today = [opening for opening in window.openings if WEEK.index(opening.day) == wall.weekday()]
    return any(opening.opens <= clock < opening.closes for opening in today)


def minutes_open(window: Window, since: datetime, minutes: int) -> list[bool]:
    zone = ZoneInfo(window.zone)
    return [shows_open(window, (since + n * MINUTE).astimezone(zone)) for n in range(minutes)]


@settings(deadline=None, max_examples=60)
@given(st.data(), moments())
def test_a_window_opens_and_closes_when_the_clock_on_the_wall_says_so(
    data: st.DataObject, moment: tuple[str, datetime]
) -> None:
    zone, at = moment
    window = data.draw(windows(zone, at))
    scanned = minutes_open(window, at, 36 * 60)
    ahead = [n for n, opened in enumerate(scanned) if opened]
    opening = next_opening(window, at)
    assert [is_open(window, at + n * MINUTE) for n in range(0, len(scanned), 7)] == scanned[::7]
    if not ahead:
        assert opening is None or opening >= at + len(scanned) * MINUTE
        return
    assert opening == at + ahead[0] * MINUTE
    closing = closes_at(window, opening)
    closed = [n for n in range(ahead[0], len(scanned)) if not scanned[n]]
    if closed:
        assert closing == at + closed[0] * MINUTE
    else:
        assert closing is None or closing >= at + len(scanned) * MINUTE


@settings(deadline=None, max_examples=60)
@given(st.data(), moments(), st.integers(0, 10**9))
def test_what_is_answered_holds_at_every_microsecond(
    data: st.DataObject, moment: tuple[str, datetime], micros: int
) -> None:
    zone, minute = moment
    window, at = data.draw(windows(zone, minute)), minute + timedelta(microseconds=micros)
    assert (why_closed(window, at) == "") == is_open(window, at)
    opening, closing = next_opening(window, at), closes_at(window, at)
    assert (opening == at) == is_open(window, at)
    if opening:
        assert opening >= at
        assert is_open(window, opening)
        assert opening == at or not is_open(window, opening - timedelta.resolution)
        assert opening.utcoffset() == timedelta(0)
    if closing:
        assert closing > at
        assert not is_open(window, closing)
        assert is_open(window, closing - timedelta.resolution)


@given(st.data(), moments())
def test_one_meaning_has_one_form(data: st.DataObject, moment: tuple[str, datetime]) -> None:
    window = data.draw(windows(*moment))
    said = window.model_dump_json()
    halves = [
        half
        for each in window.openings
        for middle in [data.draw(clocks)]
        for half in (
            [each]
            if not each.opens < middle < each.closes
            else [each.model_copy(update={"closes": middle}), each.model_copy(update={"opens": middle})]
        )
    ]
    again = Window(
        zone=window.zone,
        openings=tuple(data.draw(st.permutations(halves))),
        holidays=tuple(data.draw(st.permutations(window.holidays))) * 2,
        freezes=tuple(data.draw(st.permutations(window.freezes))) * 2,
    )
    assert again.model_dump_json() == said
    assert Window.model_validate_json(said) == window


def test_freezes_of_one_reason_that_touch_are_one() -> None:
    def freeze(begins: int, ends: int, reason: str) -> Freeze:
        return Freeze(begins=f"2026-12-{begins:02}T00:00", ends=f"2026-12-{ends:02}T00:00", reason=reason)

    window = Window(freezes=(freeze(5, 8, "a"), freeze(3, 5, "a"), freeze(4, 9, "b"), freeze(4, 6, "a")))
    assert window.freezes == (freeze(3, 8, "a"), freeze(4, 9, "b"))


def test_a_date_that_is_closed_every_year_is_named_once() -> None:
    assert Window(holidays=("2026-12-24", "12-24", "2026-12-25")).holidays == ("12-24", "2026-12-25")


def test_the_answer_does_not_depend_on_the_zone_in_which_one_asks() -> None:
    window = weekly("mon", "09:00", "17:00", zone="Asia/Tokyo")
    at = utc("2026-11-23T01:00")
    for zone in ("Asia/Tokyo", "America/New_York"):
        assert is_open(window, at.astimezone(ZoneInfo(zone)))
        assert closes_at(window, at.astimezone(ZoneInfo(zone))) == utc("2026-11-23T08:00")


def test_what_is_closed_closes_never_and_what_never_closes_neither() -> None:
    assert closes_at(weekly("mon", "09:00", "17:00"), utc("2026-11-24T00:00")) is None
    assert closes_at(Window(zone="Europe/Berlin"), utc("2026-11-24T00:00")) is None


def test_a_window_closes_for_good_when_a_freeze_without_an_end_begins() -> None:
    window = Window(freezes=(Freeze(begins="2026-12-01T12:00"),))
    assert closes_at(window, utc("2026-11-24T00:00")) == utc("2026-12-01T12:00")
    assert next_opening(window, utc("2026-12-01T12:00")) is None


def test_midnight_does_not_close_what_goes_on() -> None:
    window = Window(openings=(Opening(day="sun", opens="22:00"), Opening(day="mon", closes="04:00")))
    assert closes_at(window, utc("2026-11-22T23:00")) == utc("2026-11-23T04:00")


def test_a_freeze_of_many_years_is_waited_out() -> None:
    freeze = Freeze(begins="2026-01-01T00:00", ends="2999-01-01T00:00")
    window = weekly("tue", "09:00", "10:00").model_copy(update={"freezes": (freeze,)})
    assert next_opening(window, utc("2026-11-24T00:00")) == utc("2999-01-01T09:00")  # a Tuesday


def test_the_last_day_of_all_can_be_frozen() -> None:
    freeze = Freeze(begins="2999-12-31T00:00", ends="3000-01-01T00:00")
    assert never_opens(Window(freezes=(freeze,)), date(2999, 12, 31)) == ""


def test_the_29th_of_february_is_a_holiday_when_there_is_one() -> None:
    window = Window(holidays=("02-29",))
    assert not is_open(window, utc("2028-02-29T12:00"))
    assert is_open(window, utc("2027-03-01T00:00"))


OFFICE = Window(
    name="office",
    zone="Europe/Berlin",
    openings=(
        Opening(day="mon", opens="09:00", closes="12:00"),
        Opening(day="mon", opens="13:00", closes="16:30"),
    ),
    holidays=("2026-12-14",),
    freezes=(
        Freeze(begins="2026-12-20T00:00", ends="2027-01-05T00:00", reason="year's end"),
        Freeze(begins="2026-12-24T12:00", ends="2026-12-28T08:00"),
        Freeze(begins="2027-06-01T18:00", reason="moving"),
    ),
)


@pytest.mark.parametrize(
    ("at", "why"),
    [
        ("2026-11-23T08:00", ""),
        (
            "2026-11-23T11:30",
            (
                "It is Mon 12:30 in Europe/Berlin, "
                "and the window office is open 09:00-12:00, 13:00-16:30 that day."
            ),
        ),
        ("2026-11-24T08:00", "It is Tue 09:00 in Europe/Berlin, and the window office is closed that day."),
        ("2026-12-13T23:00", "2026-12-14 is a holiday of the window office (Europe/Berlin)."),
        (
            "2026-12-25T00:00",
            (
                "The window office is frozen from 2026-12-20 to the end of 2027-01-04: year's end "
                "(Europe/Berlin)."
            ),
        ),
        (
            "2027-06-01T16:00",
            "The window office is frozen from 2027-06-01 18:00 on, without an end: moving (Europe/Berlin).",
        ),
    ],
)
def test_a_closed_window_says_why(at: str, why: str) -> None:
    assert why_closed(OFFICE, utc(at)) == why


def test_a_freeze_that_ends_in_the_day_and_has_no_reason_is_told_so() -> None:
    window = Window(freezes=(Freeze(begins="2026-12-24T12:00", ends="2026-12-28T08:00"),))
    said = why_closed(window, utc("2026-12-25T00:00"))
    assert said == "The window is frozen from 2026-12-24 12:00 to 2026-12-28 08:00 (UTC)."


def holidays_but(*left_out: str) -> tuple[str, ...]:
    days = (f"{date(2028, 1, 1) + timedelta(days=n):%m-%d}" for n in range(366))
    return tuple(day for day in days if day not in left_out)


@pytest.mark.parametrize(
    ("window", "why"),
    [
        pytest.param(OFFICE, "", id="opens soon"),
        pytest.param(Window(openings=()), "the window never opens: it has no hours", id="no hours"),
        pytest.param(
            Window(name="w", freezes=(Freeze(begins="2026-11-22T00:00"),)),
            "the window w does not open from 2026-11-22 on: it is frozen from 2026-11-22 on, without an end",
            id="frozen for ever",
        ),
        pytest.param(Window(freezes=(Freeze(begins="2026-11-22T00:01"),)), "", id="open for a minute"),
        pytest.param(
            Window(holidays=holidays_but()),
            "the window does not open from 2026-11-22 on: "
            "every day that has hours is a holiday or in a freeze",
            id="nothing but holidays",
        ),
        pytest.param(Window(holidays=holidays_but("11-21")), "", id="one day left, a year away"),
        pytest.param(
            Window(name="w", zone="Mars/Olympus"),
            "the window w never opens: its time zone is not known here: Mars/Olympus",
            id="unknown zone",
        ),
    ],
)
def test_a_window_that_never_opens_is_found_out(window: Window, why: str) -> None:
    assert never_opens(window, date(2026, 11, 22)) == why


def test_a_zone_that_this_machine_does_not_know_is_closed() -> None:
    window, at = Window(name="w", zone="Mars/Olympus"), utc("2026-11-24T00:00")
    assert not is_open(window, at)
    assert next_opening(window, at) is None
    assert closes_at(window, at) is None
    said = "The time zone of the window w is not known here: Mars/Olympus."
    assert why_closed(window, at) == said


@pytest.mark.parametrize(
    "wrong",
    [
        {"openings": [{"day": "mon", "opens": "10:00", "closes": "09:00"}]},
        {"openings": [{"day": "mon", "opens": "24:00", "closes": "24:00"}]},
        {"openings": [{"day": "monday"}]},
        {"openings": [{"day": "mon", "opens": "9:00"}]},
        {"openings": [{"day": "mon", "opens": "٠٩:00"}]},
        {"holidays": ["02-30"]},
        {"holidays": ["2027-02-29"]},
        {"holidays": ["1969-12-31"]},
        {"freezes": [{"begins": "2026-12-20"}]},
        {"freezes": [{"begins": "2026-12-20T00:00", "ends": "2026-12-20T00:00"}]},
        {"zone": "E" * 65},
        {"hours": []},
    ],
    ids=str,
)
def test_a_window_without_sense_is_no_window(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Window.model_validate(wrong)
