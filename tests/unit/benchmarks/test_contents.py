from inspect import iscoroutinefunction
from pathlib import Path

import pytest

from benchmarks import suites
from benchmarks.budgets import BUDGETS
from benchmarks.contents import SUITES


@pytest.mark.parametrize("name", SUITES)
def test_a_suite_that_is_named_can_be_loaded_and_says_what_it_measures(name: str) -> None:
    entry = SUITES[name]
    subjects = entry.subjects()
    assert iscoroutinefunction(entry.load())
    assert subjects
    assert len(set(subjects)) == len(subjects)


def test_every_suite_is_named() -> None:
    [folder] = suites.__path__
    files = {file.stem for file in Path(folder).glob("*.py")} - {"__init__"}
    assert {entry.place for entry in SUITES.values()} == files


def test_whatever_is_asked_some_suite_measures() -> None:
    measured = {subject for entry in SUITES.values() for subject in entry.subjects()}
    assert {budget.subject for budget in BUDGETS} - measured == set()
