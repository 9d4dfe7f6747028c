import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.figures import Ratio, Series, in_milliseconds, one_each, quantile, ratio, ratio_of

HUNDRED = tuple(float(value) for value in range(1, 101))
VALUES = st.lists(st.floats(0, 1e9), min_size=1, max_size=300)


def series(*rounds: tuple[float, ...], party: str = "Windlass") -> Series:
    return Series("webhook answered", party, "ms", rounds)


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [
        pytest.param(HUNDRED, 0.0, 1, id="the lowest"),
        pytest.param(HUNDRED, 0.5, 50, id="half of them are no greater"),
        pytest.param(HUNDRED, 0.07, 7, id="binary fractions put no value too far"),
        pytest.param(HUNDRED, 0.95, 95, id="p95"),
        pytest.param(HUNDRED, 0.99, 99, id="p99"),
        pytest.param(HUNDRED, 0.999, 100, id="p99.9"),
        pytest.param(HUNDRED, 1.0, 100, id="the highest"),
        pytest.param((7.0,), 0.5, 7, id="of one value"),
        pytest.param((7.0,), 0.0, 7, id="the lowest of one"),
        pytest.param((3.0, 1.0, 2.0), 0.5, 2, id="in any order"),
        pytest.param((4.0, 1.0, 2.0, 3.0), 0.5, 2, id="never between two values"),
        pytest.param((1.0, 1.0, 9.0), 0.67, 9, id="two of three are not 67 of 100"),
    ],
)
def test_a_quantile_is_as_counted_by_hand(values: tuple[float, ...], share: float, expected: float) -> None:
    assert quantile(values, share) == expected
    assert series(values[:1], values[1:] or values[:1]).quantile(0) == min(values)


@given(VALUES, st.integers(0, 1000))
def test_a_quantile_is_the_smallest_value_that_its_share_does_not_exceed(
    values: list[float], thousandths: int
) -> None:
    found = quantile(values, thousandths / 1000)
    needed = max(math.ceil(len(values) * Fraction(thousandths, 1000)), 1)
    fits = [each for each in values if sum(other <= each for other in values) >= needed]
    assert found == min(fits)


@given(st.lists(VALUES.map(tuple), min_size=1, max_size=5))
def test_rounds_count_as_one_for_a_quantile(rounds: list[tuple[float, ...]]) -> None:
    all_values = [value for values in rounds for value in values]
    assert series(*rounds).quantile(0.95) == quantile(all_values, 0.95)
    assert series(*rounds).values == sorted(all_values)


def test_a_ratio_is_taken_within_each_round() -> None:
    ours = series((1.0, 2.0, 3.0), (20.0,), (3.0,))
    theirs = series((4.0,), (10.0, 40.0), (30.0,), party="Buildbot")
    assert ratio(ours, theirs) == Ratio(median=0.5, lowest=0.1, highest=0.8)


def test_a_ratio_of_a_quantile_is_taken_within_each_round() -> None:
    ours = series((1.0, 9.0), (2.0, 4.0, 6.0), (1.0,))
    theirs = series((10.0, 90.0), (3.0,), (4.0, 2.0), party="Buildbot")
    assert ratio_of(1.0, ours, theirs) == Ratio(median=0.25, lowest=0.1, highest=2.0)
    assert ratio_of(0.0, ours, theirs) == Ratio(median=0.5, lowest=0.1, highest=2 / 3)
    with pytest.raises(ValueError, match="shorter"):
        ratio_of(0.5, ours, series((1.0,)))


def test_a_ratio_of_different_rounds_is_refused() -> None:
    with pytest.raises(ValueError, match="shorter"):
        ratio(series((1.0,), (1.0,)), series((1.0,)))


def test_seconds_are_told_in_milliseconds() -> None:
    assert in_milliseconds([[0.5, 1], [2]]) == ((500, 1000), (2000,))
    assert one_each([1, 2]) == ((1,), (2,))
