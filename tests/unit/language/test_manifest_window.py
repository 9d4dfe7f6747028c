"""Windows as users write them: what they mean, what is refused and where, and the how-to's examples."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.language.manifest.window import PRESETS, WindowManifest, name_mistake, resolve
from shared.window import WEEK, Freeze, Opening, Window, is_open, never_opens, next_opening, why_closed

HOW_TO = Path(__file__).parents[3] / "docs/howto/deployment-windows.md"
SUNDAY = datetime(2026, 11, 22, tzinfo=UTC)


def written(**keys: Any) -> Window:
    return resolve("w", WindowManifest.model_validate({"zone": "UTC", **keys}))


def hours(**keys: Any) -> tuple[Opening, ...]:
    return written(hours=[keys]).openings


def test_a_window_of_which_only_the_zone_is_said_is_always_open() -> None:
    assert written() == Window(name="w", zone="UTC")


@pytest.mark.parametrize(
    ("days", "meant"),
    [
        pytest.param("mon", "mon", id="one"),
        pytest.param(["fri", "tue"], "tue fri", id="a list"),
        pytest.param("mon-thu", "mon tue wed thu", id="a range"),
        pytest.param("sat-mon", "mon sat sun", id="a range past Sunday"),
        pytest.param(["mon-tue", "tue-wed", "sun"], "mon tue wed sun", id="ranges in a list"),
        pytest.param("wed-wed", "wed", id="a range of one"),
        pytest.param("wed-tue", " ".join(WEEK), id="the whole week, begun on a Wednesday"),
    ],
)
def test_days_are_written_singly_or_as_ranges(days: object, meant: str) -> None:
    assert " ".join(opening.day for opening in hours(days=days)) == meant


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        pytest.param({}, [("sun", "00:00", "24:00")], id="a whole day"),
        pytest.param({"from": "09:00"}, [("sun", "09:00", "24:00")], id="to the end of the day"),
        pytest.param({"to": "24:00"}, [("sun", "00:00", "24:00")], id="24:00 ends the day"),
        pytest.param({"from": "09:00", "to": "00:00"}, [("sun", "09:00", "24:00")], id="and so does 00:00"),
        pytest.param(
            {"from": "22:00", "to": "04:00"},
            [("mon", "00:00", "04:00"), ("sun", "22:00", "24:00")],
            id="past midnight, and past the end of the week",
        ),
    ],
)
def test_hours_past_midnight_are_two_openings(
    said: dict[str, str], meant: list[tuple[str, str, str]]
) -> None:
    found = [(opening.day, opening.opens, opening.closes) for opening in hours(days="sun", **said)]
    assert found == meant


def test_hours_add_up() -> None:
    both = written(
        hours=[
            {"days": "mon", "from": "09:00", "to": "12:00"},
            {"days": "mon", "from": "11:00", "to": "17:00"},
        ]
    )
    assert both.openings == (Opening(day="mon", opens="09:00", closes="17:00"),)


@pytest.mark.parametrize(
    ("begins", "ends", "meant"),
    [
        pytest.param(
            "2026-12-20", "2027-01-04", ("2026-12-20T00:00", "2027-01-05T00:00"), id="dates, inclusive"
        ),
        pytest.param("2026-12-20", "2026-12-20", ("2026-12-20T00:00", "2026-12-21T00:00"), id="one day"),
        pytest.param(
            "2026-12-20 18:00", "2026-12-20T18:01", ("2026-12-20T18:00", "2026-12-20T18:01"), id="times"
        ),
        pytest.param("2026-12-20 18:00", "2026-12-20", ("2026-12-20T18:00", "2026-12-21T00:00"), id="mixed"),
        pytest.param("2026-12-20", None, ("2026-12-20T00:00", None), id="no end"),
        pytest.param("1970-01-01", "2999-12-31", ("1970-01-01T00:00", "3000-01-01T00:00"), id="all the time"),
    ],
)
def test_freezes_are_dates_or_times(begins: str, ends: str | None, meant: tuple[str, str | None]) -> None:
    freeze = {"from": begins, "to": ends, "reason": "sales"}
    assert written(freezes=[freeze]).freezes == (Freeze(begins=meant[0], ends=meant[1], reason="sales"),)


clocks = st.builds("{:02}:{:02}".format, st.integers(0, 23), st.integers(0, 59))
ranges = st.tuples(st.integers(0, 6), st.integers(0, 6))
entries = st.tuples(ranges, clocks, clocks).filter(lambda entry: entry[1] != entry[2])


@settings(deadline=None)
@given(st.lists(entries, max_size=3), st.integers(0, 7 * 24 * 60))
def test_hours_are_open_as_they_are_written(
    said: list[tuple[tuple[int, int], str, str]], minutes: int
) -> None:
    window = written(
        hours=[
            {"days": f"{WEEK[first]}-{WEEK[last]}", "from": opens, "to": closes}
            for (first, last), opens, closes in said
        ]
    )
    at = SUNDAY + timedelta(minutes=minutes)
    clock, today, yesterday = f"{at:%H:%M}", at.weekday(), (at.weekday() - 1) % 7
    meant = any(
        opens <= clock < closes
        if opens < closes and _between(first, today, last)
        else opens > closes
        and (
            (clock >= opens and _between(first, today, last))
            or (clock < closes and _between(first, yesterday, last))
        )
        for (first, last), opens, closes in said
    )
    assert is_open(window, at) == meant


def _between(first: int, day: int, last: int) -> bool:
    return first <= day <= last if first <= last else day >= first or day <= last


@pytest.mark.parametrize(
    ("keys", "at", "message"),
    [
        ({"zone": "Europe/Berln"}, ("zone",), "must be a time zone that is known here"),
        ({"zone": "../../etc/passwd"}, ("zone",), "must be a time zone like"),
        ({"hours": [{}, {"days": "mon-thx"}]}, ("hours", 1, "days", 0), "must be a day or a range of days"),
        ({"hours": [{"days": ["mon", "Tue"]}]}, ("hours", 0, "days", 1), "must be a day or a range of days"),
        ({"hours": [{"days": "mon-"}]}, ("hours", 0, "days", 0), "must be a day or a range of days"),
        ({"hours": [{"days": "mon-tue-wed"}]}, ("hours", 0, "days", 0), "must be a day or a range of days"),
        ({"hours": [{"from": "9:00"}]}, ("hours", 0, "from"), 'must be a time like "09:00"'),
        ({"hours": [{"from": "24:00"}]}, ("hours", 0, "from"), 'must be a time like "09:00"'),
        ({"hours": [{"to": "24:01"}]}, ("hours", 0, "to"), 'must be a time like "16:30"'),
        ({"hours": [{"from": "09:00", "to": "09:00"}]}, ("hours", 0), "begins and ends at the same time"),
        ({"holidays": ["12-25", "2026-02-30"]}, ("holidays", 1), "must be a day that there is"),
        ({"holidays": ["25-12"]}, ("holidays", 0), "must be a day that there is in some year: month, day"),
        ({"holidays": ["christmas"]}, ("holidays", 0), 'must be a date like "2026-12-25", or every year'),
        ({"holidays": ["9999-01-01"]}, ("holidays", 0), "must lie in the years 1970 to 2999"),
        ({"freezes": [{"from": "tomorrow"}]}, ("freezes", 0, "from"), 'must be a date like "2026-12-25"'),
        ({"freezes": [{"from": "2026-12-20 25:00"}]}, ("freezes", 0, "from"), "must be a time like"),
        ({"freezes": [{"from": "2026-12-20T00:00Z"}]}, ("freezes", 0, "from"), "must be a time like"),
        ({"freezes": [{"from": "2026-12-20", "to": "2026-12-19"}]}, ("freezes", 0), "ends before it begins"),
        (
            {"freezes": [{"from": "2026-12-20", "reason": "a\nb"}]},
            ("freezes", 0, "reason"),
            "must be one line of 1 to 200 characters",
        ),
    ],
    ids=str,
)
def test_a_mistake_is_told_where_it_stands(
    keys: dict[str, Any], at: tuple[str | int, ...], message: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        written(**keys)
    [error] = refused.value.errors()
    assert error["type"] == "language"  # its message begins with a verb, after the name of what is wrong
    assert error["loc"] == at
    assert error["msg"].startswith(message)


def test_every_mistake_is_told_at_once() -> None:
    with pytest.raises(ValidationError) as refused:
        written(
            zone="Berlin", hours=[{"days": ["x", "y"], "from": 9}], holidays=["0"], freezes=[{}], frezes=1
        )
    found = {error["loc"] for error in refused.value.errors()}
    days = {("hours", 0, "days", 0), ("hours", 0, "days", 1), ("hours", 0, "from")}
    assert found == {("zone",), *days, ("holidays", 0), ("freezes", 0, "from"), ("frezes",)}


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("europe/berlin", "did you mean Europe/Berlin?"),
        ("America/New York", "did you mean America/New_York?"),
        ("Amerika/New_York", "did you mean America/New_York?"),
        ("q" * 100_000, "zones have the names that IANA gave them"),
        ("", "zones have the names that IANA gave them"),
    ],
    ids=lambda text: ascii(text[:20]),
)
def test_a_zone_that_is_none_is_told_with_what_was_meant(name: str, hint: str) -> None:
    with pytest.raises(ValidationError) as refused:
        written(zone=name)
    [error] = refused.value.errors()
    assert error["ctx"]["hint"] == hint


@pytest.mark.parametrize(
    ("key", "item"), [("hours", {}), ("holidays", "12-25"), ("freezes", {"from": "2026-12-20"})]
)
def test_a_window_has_bounds(key: str, item: object) -> None:
    with pytest.raises(ValidationError) as refused:
        written(**{key: [item] * 10_000})
    assert [error["type"] for error in refused.value.errors()] == ["too_long"]


texts = (
    st.text() | st.from_regex(r"[0-9:T -]{0,17}") | st.sampled_from(["mon", "sat-fri", "2026-02-29", "12-24"])
)
documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["zone", "hours", "days", "from", "to", "holidays", "freezes", "reason"]), inner
        )
    ),
)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(["zone", "hours", "holidays", "freezes", "x"]), documents))
def test_whatever_is_written_is_a_window_or_refused(document: dict[str, Any]) -> None:
    try:
        window = written(**document)
    except ValidationError:
        return
    for at in (SUNDAY, SUNDAY.replace(year=1970), SUNDAY.replace(year=2999)):
        assert (why_closed(window, at) == "") == is_open(window, at)
        assert (never_opens(window, at.date()) == "") or not next_opening(window, at)


def test_without_hours_nothing_opens() -> None:
    assert never_opens(written(hours=[]), SUNDAY.date()) == "the window w never opens: it has no hours"


@pytest.mark.parametrize(
    ("name", "opens", "closes"),
    [("PACIFIC_WORKING_HOURS", 9, 17), ("PACIFIC_WORKING_HOURS_REDUCED", 10, 16)],
)
def test_a_preset_is_open_on_working_days_in_california(name: str, opens: int, closes: int) -> None:
    window = PRESETS[name]
    assert window is not None
    assert window.name == name
    midnight = datetime(2026, 11, 23, 8, tzinfo=UTC)  # a Monday there
    found = [n for n in range(7 * 24) if is_open(window, midnight + timedelta(hours=n))]
    assert found == [day * 24 + hour for day in range(5) for hour in range(opens, closes)]


def test_the_preset_none_is_no_window() -> None:
    assert PRESETS["NONE"] is None


@pytest.mark.parametrize("name", ["office", "Office_2-b", "a" * 63])
def test_a_window_may_be_called_so(name: str) -> None:
    assert name_mistake(name) == ""


@pytest.mark.parametrize(
    "name", ["", "a b", "a" * 64, "a\n", "-a", "\ud800", "ä", "a" * 100_000], ids=lambda name: ascii(name[:9])
)
def test_what_cannot_name_a_window_is_told(name: str) -> None:
    mistake = name_mistake(name)
    assert mistake.endswith(" cannot name a window: letters, digits, hyphens and underscores can, at most 63")
    assert len(mistake) < 200


def test_a_window_is_not_called_like_a_preset() -> None:
    assert name_mistake("NONE") == '"NONE" is the name of a preset, and a window needs one of its own'


def test_the_schema_lets_days_be_a_range_or_a_list() -> None:
    schema = WindowManifest.model_json_schema()
    days = schema["$defs"]["HoursManifest"]["properties"]["days"]
    assert {"type": "string"} in days["anyOf"]
    assert set(schema["$defs"]["HoursManifest"]["properties"]) == {"days", "from", "to"}
    parts = [schema, *schema["$defs"].values()]
    assert all("description" in each for part in parts for each in part["properties"].values())


def windows_of_the_how_to() -> list[tuple[str, object]]:
    found: list[tuple[str, object]] = []
    for block in re.findall(r"```yaml\n(.*?)```", HOW_TO.read_text("utf-8"), re.DOTALL):
        pipeline = yaml.safe_load(block)["pipeline"]
        found.extend(pipeline["windows"].items())
        used = [stage.get("deployment_time_window") for stage in pipeline.get("stages", [])]
        found.extend(("in place", window) for window in used if isinstance(window, dict))
    return found


def how_to(name: str) -> Window:
    return resolve(name, WindowManifest.model_validate(dict(windows_of_the_how_to())[name]))


def test_every_window_of_the_how_to_is_one() -> None:
    assert [name for name, _ in windows_of_the_how_to()] == ["office", "in place", "nights", "whenever"]
    for name, _ in windows_of_the_how_to():
        assert next_opening(how_to(name), SUNDAY) is not None


def test_the_how_to_names_the_presets() -> None:
    assert re.findall(r"^  \| `([A-Z_]+)` ", HOW_TO.read_text("utf-8"), re.MULTILINE) == list(PRESETS)


@pytest.mark.parametrize(
    ("name", "at", "opened"),
    [
        ("nights", "2026-07-03T08:59", True),  # Friday 3 July, 04:59 in New York
        ("nights", "2026-07-03T09:00", False),
        ("nights", "2026-07-06T01:59", False),
        ("nights", "2026-07-06T02:00", True),  # Sunday 22:00
        ("nights", "2030-07-04T03:59", True),  # 4 July is a Thursday; it is Wednesday 23:59
        ("nights", "2030-07-04T04:00", False),
        ("nights", "2030-07-05T04:00", True),
        ("office", "2026-12-24T09:00", False),
        ("office", "2027-12-24T09:00", False),
        ("office", "2026-12-18T10:59", True),
        ("in place", "2026-11-23T03:59", True),
        ("whenever", "2027-03-01T00:00", False),
    ],
)
def test_the_how_to_tells_the_truth(name: str, at: str, opened: object) -> None:
    assert is_open(how_to(name), datetime.fromisoformat(at).replace(tzinfo=UTC)) is opened
