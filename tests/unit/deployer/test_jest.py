"""Jest's summary, as terminals get to see it, out of whatever else a command prints."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.deployer.jest import read
from services.deployer.report import Report
from shared.events.shown import FAILED_TESTS_MAX

PRINTED = """\
\x1b[0m\x1b[7m\x1b[1m\x1b[31m FAIL \x1b[39m\x1b[22m\x1b[27m\x1b[0m \x1b[2msrc/\x1b[22mcart.test.js
  Cart
    \x1b[32m\u2713\x1b[39m \x1b[2madds (2 ms)\x1b[22m
    \x1b[31m\u2715\x1b[39m \x1b[2mremoves (1 ms)\x1b[22m

  ● Console

    console.log
      ● not a test

\x1b[1m\x1b[31m  \x1b[1m● \x1b[22m\x1b[1mCart \u203a removes\x1b[39m\x1b[22m

    expect(\x1b[31mreceived\x1b[39m).toBe(\x1b[32mexpected\x1b[39m)

    Expected: \x1b[32m1\x1b[39m

  ● sells

    no price

\x1b[1mSummary of all failing tests\x1b[22m
\x1b[1m\x1b[31m  \x1b[1m● \x1b[22m\x1b[1mCart \u203a removes\x1b[39m\x1b[22m

    expect(received).toBe(expected)

\x1b[1mTest Suites: \x1b[22m\x1b[1m\x1b[31m1 failed\x1b[39m\x1b[22m, 1 total
\x1b[1mTests:       \x1b[22m\x1b[1m\x1b[31m2 failed\x1b[39m\x1b[22m, \x1b[1m\x1b[33m3 skipped\x1b[39m\x1b[22m\
, \x1b[1m\x1b[35m1 todo\x1b[39m\x1b[22m, \x1b[1m\x1b[32m39 passed\x1b[39m\x1b[22m, 45 total
\x1b[1mSnapshots:   \x1b[22m0 total
"""


def test_the_summary_and_the_failures_are_read_through_the_colours() -> None:
    found = read(PRINTED.split("\n"))
    assert found is not None
    assert (found.passed, found.failed, found.skipped) == (39, 2, 4)
    assert [(each.name, each.message) for each in found.failures] == [
        ("Cart \u203a removes", "expect(received).toBe(expected)"),
        ("sells", "no price"),
    ]


@pytest.mark.parametrize(
    ("line", "counts"),
    [
        pytest.param("Tests:       39 passed, 39 total", (39, 0, 0), id="all passed"),
        pytest.param("Tests:       1 failed, 2 skipped, 39 passed, 42 total", (39, 1, 2), id="some of each"),
        pytest.param("Tests:       0 total", (0, 0, 0), id="none"),
        pytest.param("Tests: 2 pending, 2 total\r", (0, 0, 2), id="an old jest on Windows"),
        pytest.param("web:test: Tests:       1 failed, 1 total", (0, 1, 0), id="a runner's prefix"),
        pytest.param("Tests:       1 failed, 41 of 42 total", None, id="no number"),
        pytest.param("Tests:       39 passed", None, id="no total"),
        pytest.param("Tests:       3 exploded, 3 total", None, id="another word"),
        pytest.param("Tests:       " + "9" * 10 + " total", None, id="too large a number"),
        pytest.param("Tests: ², 1 total", None, id="a digit that is none"),
        pytest.param("MyTests: 1 passed, 1 total", None, id="another label"),
        pytest.param("Tests:", None, id="nothing"),
    ],
)
def test_what_is_a_summary(line: str, counts: tuple[int, int, int] | None) -> None:
    found = read([line])
    assert (found and (found.passed, found.failed, found.skipped)) == counts


def test_the_summaries_of_several_projects_are_added() -> None:
    found = read(
        [
            "  ● A \u203a one",
            "Tests: 1 failed, 4 passed, 5 total",
            "  ● B \u203a one",
            "Tests: 1 failed, 1 skipped, 2 total",
        ]
    )
    assert found is not None
    assert (found.passed, found.failed, found.skipped) == (4, 2, 1)
    assert [each.name for each in found.failures] == ["A \u203a one", "B \u203a one"]


def test_a_failure_that_is_told_twice_is_one() -> None:
    found = read(["  ● A \u203a one", "  ● A \u203a one", "  ● A \u203a two", "Tests: 2 failed, 2 total"])
    assert found is not None
    assert [each.name for each in found.failures] == ["A \u203a one", "A \u203a two"]


def test_no_more_failures_are_named_than_there_were() -> None:
    assert read(["  ● A \u203a one", "Tests: 1 total"]) == Report()
    many = [f"  ● A \u203a {number}" for number in range(100)]
    found = read([*many, "Tests: 100 failed, 100 total"])
    assert found is not None
    assert len(found.failures) == FAILED_TESTS_MAX


LINES = st.lists(
    st.text()
    | st.sampled_from(["  ● A \u203a b", "● ", "Tests: 1 failed, 1 total", "Tests: ,", "\x1b[1m", "\x1b["]),
    max_size=20,
)


@given(LINES)
def test_any_output_has_a_summary_or_none(lines: list[str]) -> None:
    found = read(lines)
    assert found is None or found.total >= len(found.failures)


def test_an_output_without_end_is_read_soon() -> None:
    lines = ["\x1b[" + "1;" * 8_000, "● " * 8_000, "Tests: " + "1 passed, " * 1_600] * 1_000
    assert read(lines) is None
