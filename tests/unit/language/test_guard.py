from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.language.guard import GUARDS, KINDS, VERIFIED, broken, window_broken
from shared.placeholder import Constant, Joined
from shared.plan import Criteria
from shared.step_types import STEP_TYPES
from shared.window import Freeze, Opening, Window
from tests.unit.language.live import JSON, SECRET

# What the guards' rows compare: old, new that is weaker, new that is not (None: any change counts).
WEAKER: dict[str, tuple[Any, Any, Any]] = {
    "approvers": (["a"], [], ["a"]),
    "approvals": (2, 1, 3),
    "self_approval": (False, True, False),
    "duration_minutes": (5, 4, 6),
    "requires_approval": ("DESTRUCTIVE_CHANGES_ONLY", "NEVER", "ALWAYS"),
    "verify.paths": (
        [{"path": "/a", "status": 200, "contains": "ok"}, {"path": "/b", "status": None, "contains": ""}],
        [{"path": "/a", "status": 200, "contains": "ok"}],
        [
            {"path": "/c", "status": None, "contains": ""},
            {"path": "/b", "status": 200, "contains": "x"},
            {"path": "/a", "status": 200, "contains": "ok!"},
        ],
    ),
    "verify.tcp": ([80, 81], [80], [81, 80, 82]),
    "verify.commands": ([{"command": ["a"]}], [{"command": ["b"]}], [{"command": ["a"]}, {"command": ["b"]}]),
    "verify.soak_seconds": (60.0, 59.0, 61.0),
    "verify.successes": (2, 1, 3),
    "verify.interval_seconds": (1.0, 0.1, 2.0),
    "verify.latency_seconds_max": (5.0, 6.0, 4.0),
    "circuit_breaker": (True, False, True),
    "minimum_healthy_percent": (100, 50, 110),
    "desired_count": (2, 0, 3),
    "atomic": (True, False, True),
    "delete_removed": (False, True, False),
    "kms_key_id": ("key", "", "key"),
    "file_exists_behavior": ("RETAIN", "OVERWRITE", "DISALLOW"),
    "ignore_application_stop_failures": (False, True, False),
    "errors_max": (1, 2, 0),
    "on_rollback": ("run", "skip", "run"),
}


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: f"{min(guard.types, default='any')} {guard.at}")
def test_each_guard_tells_weaker_from_not_weaker(guard: Any) -> None:
    name = ".".join(each for each in guard.at if each != "params")
    type_ = min(guard.types, default="SCRIPT:EXECUTE")
    if name in WEAKER:
        old, weaker, not_weaker = WEAKER[name]
        assert broken(type_, guard.at, old, weaker) == guard.rule
        assert broken(type_, guard.at, old, not_weaker) is None
    else:
        assert guard.rule in {"place-changed", "approval-weakened"} or name == "verify.release"
        assert broken(type_, guard.at, "one", "other") == guard.rule
        inside = broken(type_, (*guard.at, "inside"), None, "new")
        assert inside == (guard.rule if name != "verify.release" else None)
    assert broken(type_, guard.at, SECRET, Joined(parts=(Constant(value="x"), SECRET))) == guard.rule
    if guard.types:
        assert broken("SCRIPT:EXECUTE", guard.at, "one", "other") is None


@pytest.mark.parametrize(
    ("field", "weaker"),
    [
        pytest.param({"status": None}, True, id="no status"),
        pytest.param({"status": 500}, True, id="another status"),
        pytest.param({"contains": ""}, True, id="no content"),
        pytest.param({"contains": "o"}, True, id="less content"),
        pytest.param({"path": "/other"}, True, id="another path"),
        pytest.param({"contains": "it is ok"}, False, id="more content"),
    ],
)
def test_less_asked_of_a_path_is_weaker(field: dict[str, Any], weaker: bool) -> None:
    asked = {"path": "/", "status": 200, "contains": "ok"}
    found = broken("LOCAL:SERVICE:DEPLOY", ("params", "verify", "paths"), [asked], [{**asked, **field}])
    assert found == ("verification-weakened" if weaker else None)


def test_a_soak_of_no_time_is_not_weaker_than_none_was_asked_for() -> None:
    at = ("params", "verify", "soak_seconds")
    assert broken("LOCAL:SERVICE:DEPLOY", at, None, 0.0) is None
    assert broken("LOCAL:SERVICE:DEPLOY", at, 5.0, None) == "verification-weakened"


def test_the_well_known_paths_ask_for_as_much_as_the_first_of_them() -> None:
    at, slash = ("params", "verify", "paths"), {"path": "/", "status": None, "contains": ""}
    assert broken("LOCAL:SERVICE:DEPLOY", at, [slash], []) is None
    assert broken("LOCAL:SERVICE:DEPLOY", at, [{**slash, "status": 200}], []) == "verification-weakened"


@pytest.mark.parametrize(
    ("old", "new", "weaker"),
    [
        pytest.param([], [{"path": "/robots.txt"}], True, id="another path than the first well-known one"),
        pytest.param([], [{"path": "/", "status": 200}], False, id="the first one, and more of it"),
    ],
)
def test_paths_in_place_of_the_well_known_ones(old: Any, new: Any, weaker: bool) -> None:
    found = broken("LOCAL:SERVICE:DEPLOY", ("params", "verify", "paths"), old, new)
    assert found == ("verification-weakened" if weaker else None)


@pytest.mark.parametrize(
    ("inside", "old", "new", "weaker"),
    [
        pytest.param((), None, {"header": "X-Release"}, False, id="a marker more"),
        pytest.param((), {"header": "X-Release"}, None, True, id="no marker any more"),
        pytest.param(("value",), "", "ok", True, id="a constant for the commit"),
        pytest.param(("path",), "", "/static.txt", True, id="another place"),
        pytest.param(("header",), None, "X-Release", False, id="a part of a marker that is new"),
    ],
)
def test_another_marker_is_weaker_and_one_more_is_not(
    inside: tuple[str, ...], old: Any, new: Any, weaker: bool
) -> None:
    found = broken("LOCAL:SERVICE:DEPLOY", ("params", "verify", "release", *inside), old, new)
    assert found == ("verification-weakened" if weaker else None)


def test_a_longer_deadline_to_become_good_is_not_weaker() -> None:
    at = ("params", "verify", "deadline_seconds")
    assert broken("LOCAL:SERVICE:DEPLOY", at, 30.0, 300.0) is None


WORK = tuple(Opening(day=day, opens="09:00", closes="17:00") for day in ("mon", "tue"))
FREEZE = Freeze(begins="2026-12-20T00:00", ends="2027-01-04T00:00")
OFFICE = Window(zone="UTC", openings=WORK, holidays=("12-25", "2026-05-01"), freezes=(FREEZE,))


def office(**changed: Any) -> Window:
    return Window(**{name: getattr(OFFICE, name) for name in Window.model_fields} | changed)


# fmt: off
WIDER = [
    pytest.param(None, "window-removed", id="removed"),
    pytest.param(office(name="another"), None, id="another name"),
    pytest.param(office(openings=WORK[:1]), None, id="fewer days"),
    pytest.param(office(openings=(*WORK, Opening(day="wed"))), "window-widened", id="more days"),
    pytest.param(office(openings=(Opening(day="mon", opens="08:59", closes="17:00"),)), "window-widened",
                 id="earlier"),
    pytest.param(office(openings=(Opening(day="mon", opens="09:00", closes="12:00"),
                                  Opening(day="mon", opens="13:00", closes="17:00"))), None, id="a break"),
    pytest.param(office(zone="Europe/Berlin"), "window-widened", id="another zone"),
    pytest.param(office(holidays=("12-25",)), "window-widened", id="a holiday less"),
    pytest.param(office(holidays=("12-25", "05-01")), None, id="a holiday every year"),
    pytest.param(office(holidays=("2026-12-25", "2026-05-01")), "window-widened", id="only one year's"),
    pytest.param(office(freezes=()), "window-widened", id="no freeze"),
    pytest.param(office(freezes=(Freeze(begins="2026-12-20T00:00", ends="2027-01-03T00:00"),)),
                 "window-widened", id="a shorter freeze"),
    pytest.param(office(freezes=(Freeze(begins="2026-12-19T00:00", ends="2026-12-24T00:00", reason="a"),
                                 Freeze(begins="2026-12-24T00:00", reason="b"))), None, id="two that cover"),
    pytest.param(office(freezes=(Freeze(begins="2026-12-20T00:00", ends="2026-12-24T00:00", reason="a"),
                                 Freeze(begins="2026-12-24T00:01", reason="b"))), "window-widened",
                 id="two with a gap"),
]
# fmt: on


@pytest.mark.parametrize(("new", "rule"), WIDER)
def test_a_window_is_wider_if_a_run_might_begin_that_might_not_before(
    new: Window | None, rule: str | None
) -> None:
    assert window_broken(OFFICE, new) == rule


def test_a_window_where_there_was_none_takes_nothing_away() -> None:
    assert window_broken(None, OFFICE) is None


def test_every_step_type_is_judged_and_every_verified_one_is_guarded() -> None:
    assert set(KINDS) == set(STEP_TYPES)
    verified = {
        name
        for name, row in STEP_TYPES.items()
        if (field := row.params.model_fields.get("verify")) and field.annotation is Criteria
    }
    assert set(VERIFIED.split()) == verified
    for guard in GUARDS:
        for type_ in guard.types:
            assert guard.at[1] in STEP_TYPES[type_].params.model_fields, guard


@given(st.sampled_from(GUARDS), JSON, JSON)
def test_values_of_any_shape_are_judged(guard: Any, old: Any, new: Any) -> None:
    type_ = min(guard.types, default="SCRIPT:EXECUTE")
    assert broken(type_, guard.at, old, new) in {guard.rule, None}
