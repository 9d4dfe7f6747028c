"""When a release under watch has failed."""

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from services.verifier.soak import FAILURES_IN_A_ROW, FAILURES_OF_THEM, ROUNDS_LOOKED_BACK, Soak

MET = datetime(2026, 3, 1, 12, tzinfo=UTC)


def soak(rounds: str, restarts: int = 0) -> Soak:
    """Return it after rounds that passed (.) or failed (x)."""
    watched = Soak(MET, MET + timedelta(minutes=5))
    for each in rounds:
        watched = watched.after(passed=each == ".", restarts=restarts, after_a_gap=False)
    return watched


@pytest.mark.parametrize(
    ("rounds", "restarts", "why"),
    [
        pytest.param("", 0, "", id="nothing yet"),
        pytest.param("x", 0, "", id="one blip"),
        pytest.param("xx", 0, "", id="two in a row"),
        pytest.param("xxx", 0, "3 rounds in a row failed", id="three in a row"),
        pytest.param("." * 50 + "xxx", 0, "3 rounds in a row failed", id="three in a row, late"),
        pytest.param("xx.xx", 0, "", id="a good one between"),
        pytest.param("x.x.x.x.x.", 0, "", id="five"),
        pytest.param("x.x.x.x.x.x", 0, "6 of the last 20 rounds failed", id="six, though few were made"),
        pytest.param("x.." * 5 + "....." + "x", 0, "", id="the first of six is long ago"),
        pytest.param("....", 1, "", id="one restart"),
        pytest.param("....", 2, "its process was restarted 2 times", id="two restarts"),
        pytest.param("xxx", 2, "3 rounds in a row failed", id="the first of the table is said"),
    ],
)
def test_a_release_under_watch_fails_by_the_table(rounds: str, restarts: int, why: str) -> None:
    assert soak(rounds, restarts).failing == why


@pytest.mark.parametrize("rounds", [4, 9])
def test_every_course_fails_exactly_when_the_table_says(rounds: int) -> None:
    for course in product(".x", repeat=rounds):
        text = "".join(course)
        fails = text.endswith("x" * FAILURES_IN_A_ROW) or text.count("x") >= FAILURES_OF_THEM
        assert bool(soak(text).failing) is fails, text


def test_after_a_gap_a_few_rounds_are_owed() -> None:
    watched, owed = soak("..."), []
    for gap in (False, True, False, True, False, False, False):
        watched = watched.after(passed=True, restarts=0, after_a_gap=gap)
        owed.append(watched.owed)
    assert owed == [0, 2, 1, 2, 1, 0, 0]


def test_what_is_remembered_is_bounded() -> None:
    assert len(soak("." * 1000).passed) == ROUNDS_LOOKED_BACK
