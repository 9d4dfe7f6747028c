import re
from dataclasses import replace

from benchmarks.budgets import BUDGETS
from benchmarks.figures import Series
from benchmarks.record import read_all
from benchmarks.report import PLACES_MAX, page
from benchmarks.suite import Effort
from tests.unit.benchmarks.accept import GOLDEN
from tests.unit.benchmarks.results import of_all, of_push, result


def test_the_page_of_some_results_is_the_one_that_was_read_and_accepted() -> None:
    assert page(read_all(GOLDEN.results)) == GOLDEN.page.read_text(encoding="utf-8")


def test_the_accepted_results_are_those_of_these_tests() -> None:
    assert read_all(GOLDEN.results) == of_all()


def test_the_page_does_not_depend_on_the_order_of_the_files() -> None:
    assert page(of_all()) == page(list(reversed(of_all())))


def test_without_results_the_page_says_what_is_asked() -> None:
    empty = page([])
    assert empty.count("| not measured |") == len(BUDGETS)
    assert empty.count("| not measured beside it |") == sum(budget.beside is not None for budget in BUDGETS)
    assert "Nothing has been published yet" in empty


def test_every_row_of_a_table_has_the_columns_of_its_head() -> None:
    tables = re.findall(r"(?:^\|.*\|\n)+", page(of_all()), re.MULTILINE)
    assert len(tables) > 3
    for rows in tables:
        assert len({len(re.findall(r"(?<!\\)\|", row)) for row in rows.splitlines()}) == 1


def test_a_suite_that_nobody_names_any_more_is_told_last() -> None:
    told = page([result("abacus", Series("sums", "Windlass", "ms", ((1.0,),))), of_push()])
    assert told.index("## push") < told.index("## abacus") < told.index("## How it was measured")


def test_of_a_long_curve_a_table_shows_some_places_and_both_ends() -> None:
    curve = [Series("memory", "Windlass", "MB", ((120.0,),), at=at, along="deployments") for at in range(101)]
    rows = re.findall(r"^\| (\d+) \| Windlass", page([result("memory", *curve)]), re.MULTILINE)
    assert len(rows) <= PLACES_MAX + 1
    assert (rows[0], rows[-1]) == ("0", "100")


def test_a_figure_that_misses_is_said_to_where_its_ratio_is_as_asked() -> None:
    ours = Series("step to next step", "Windlass", "ms", ((14.4,),))
    told = page([result("push", ours, replace(ours, party="Buildbot", rounds=((107.0,),)))])
    row = "| 14.4 ms | **missed: 1.44 times what is asked** | met, by 6% | [push](#push) |"
    assert row in told
    assert "| p50 at most 10 / 70 ms | at most 0.143 | 14.4 / 107 ms | 0.135 (0.135 to 0.135) | met" in told


def test_a_ratio_that_misses_stands_out_and_one_of_a_count_does_not() -> None:
    ours = Series("memory", "Windlass", "MB", ((160.0,),))
    runs = Series("burst of 200 pushes: runs", "Windlass", "runs", ((2.0,),))
    beside = [replace(ours, party="Buildbot", rounds=((50.0,),)), replace(runs, party="Buildbot")]
    told = page([result("push", ours, runs, *beside)])
    assert "| met, by 20% | **missed: 1.42 times what is asked** |" in told
    assert "| 2 / 2 runs | 1 (1 to 1) | a count: asked as it is |" in told


def test_a_brief_look_is_told_as_one() -> None:
    assert "figures worth little" in page([replace(of_push(), effort=Effort(rounds=2, brief=True))])
