import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.figures import Series
from benchmarks.record import VALUES_MAX, Result, Unreadable, condensed, read, read_all, rounded, written
from tests.unit.benchmarks.results import of_all, of_push, result

WORDS = st.text(max_size=20)
ROUNDS = st.lists(
    st.lists(st.floats(-1e12, 1e12).map(rounded), min_size=1, max_size=5).map(tuple), max_size=4
).map(tuple)
SERIES = st.builds(
    Series, WORDS, WORDS, WORDS, ROUNDS, at=st.none() | st.floats(0, 1e6), along=WORDS, note=WORDS
)


@pytest.mark.parametrize("one", of_all(), ids=lambda one: one.suite)
def test_a_result_is_read_as_it_was_written(one: Result) -> None:
    assert read(written(one), "a file") == one


@settings(max_examples=30)
@given(st.lists(SERIES, max_size=3))
def test_any_series_is_read_as_it_was_written(series: list[Series]) -> None:
    one = result("push", *series)
    assert read(written(one), "a file").series == one.series


def test_a_series_stands_on_a_line_of_its_own() -> None:
    one = of_push()
    rows = [line for line in written(one).splitlines() if '"subject"' in line]
    assert len(rows) == len(one.series)


def test_what_was_counted_is_kept_to_the_last_digit() -> None:
    assert rounded(1_234_567.0) == 1_234_567
    assert rounded(1.234567) == 1.2346
    assert rounded(0.000123456789) == 0.00012346


def test_ten_thousand_values_make_a_small_file_of_the_same_quantiles() -> None:
    values = [1 + (step * 7919 % 10_000) ** 2 / 1e7 for step in range(10_000)]  # each of 10,000 once, mixed
    long = Series("webhook answered", "Windlass", "ms", (tuple(values[:2_000]), tuple(values[2_000:])))
    kept = condensed(long)
    one = replace(result("push", kept), taken=(10_000,))

    assert len(written(one)) < 20_000
    assert abs(sum(map(len, kept.rounds)) - VALUES_MAX) <= 2
    assert [len(values) for values in kept.rounds] == [400, 1_600]  # rounds weigh what they did
    for share in (0.0, 0.5, 0.95, 0.99, 1.0):
        assert kept.quantile(share) == pytest.approx(long.quantile(share), rel=0.005)
    assert (kept.quantile(0), kept.quantile(1)) == (1.0, rounded(max(values)))
    assert kept.medians == pytest.approx(long.medians, rel=0.005)
    assert read(written(one), "a file").taken_of(kept) == 10_000


def test_few_values_keep_their_order() -> None:
    few = Series("webhook answered", "Windlass", "ms", ((3.0, 1.0, 2.0), (1.0,)))
    assert condensed(few) == few


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("", "is not a result", id="nothing"),
        pytest.param("[1, 2]", "is not a result", id="a list"),
        pytest.param("{}", "is not a result", id="no schema"),
        pytest.param('{"schema": 2}', "has schema 2, not 1: measure the suite anew", id="a later schema"),
        pytest.param('{"schema": 1, "series": []}', "is not a result", id="no machine"),
    ],
)
def test_what_is_no_result_is_refused_by_name(text: str, words: str) -> None:
    with pytest.raises(Unreadable, match=f"^push.json {words}"):
        read(text, "push.json")


def test_a_key_that_nobody_knows_is_refused() -> None:
    content = json.loads(written(of_push())) | {"mood": "good"}
    with pytest.raises(Unreadable, match="mood"):
        read(json.dumps(content), "push.json")


def test_results_are_read_by_the_names_of_their_suites(tmp_path: Path) -> None:
    for one in reversed(of_all()):
        (tmp_path / f"{one.suite}.json").write_text(written(one), encoding="utf-8")
    assert read_all(tmp_path) == of_all()
    assert read_all(tmp_path / "nowhere") == []
