"""Files that were written to cost much: what they cost is bounded, in work and in memory.

Work is counted in calls of functions, which are the same on every machine; nothing is timed.
"""

import sys
import tracemalloc
from types import FrameType
from typing import Any

import pytest

from shared.language.check import check
from shared.language.problem import GATHERED_MAX, PROBLEMS_MAX
from shared.language.source_map import DEPTH_MAX, NODES_MAX, SOURCE_BYTES_MAX
from shared.plan import PLAN_BYTES_MAX, Problem
from tests.unit.language.sample import FILE

HEAD = "version: '1'\npipeline:\n"
STEP = '    - {name: Check, type: "SCRIPT:EXECUTE", params: {commands: make}}\n'
FRAME = f"{HEAD}  steps:\n{STEP}  stages:\n"
MIB = 1024 * 1024


def problems(source: str | bytes) -> tuple[Problem, ...]:
    return check(FILE, source.encode() if isinstance(source, str) else source).problems


def calls(source: str) -> int:
    """Return how many functions are called to check a file."""
    count = 0

    def note(_frame: FrameType, event: str, _argument: Any) -> None:
        nonlocal count
        count += event in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        problems(source)
    finally:
        sys.setprofile(before)
    return count


def listed(form: str, number: int) -> str:
    return ", ".join(form.replace("#", str(each)) for each in range(number))


def lines(form: str, number: int) -> str:
    return "".join(form.replace("#", str(each)) + "\n" for each in range(number))


def several_steps(number: int, goes_after: str = "") -> str:
    form = f'    - {{name: step #, type: "SCRIPT:EXECUTE"{goes_after}, params: {{commands: make}}}}'
    return f"{HEAD}  steps:\n{lines(form, number)}"


SKIP = f"{FRAME}    - name: live\n      skip: ["
VARS = f"{HEAD}  stages: [{{name: live, vars: {{{listed('variable_#: 1', 40)}}}}}]\n"
PARAMS = "  steps:\n    - name: a\n      type: SCRIPT:EXECUTE\n      params:\n        commands: make\n"
LIVE = f"{FRAME}    - name: live\n"
PREVIEW = "  ephemeral_environments:\n"
# What stands before, what is repeated, and what stands behind it.
SHAPES = {
    "keys that are none, of the file": (HEAD, "pipelin#: 1\n", ""),
    "keys that are none, of the pipeline": (LIVE, "  stag#: 1\n", ""),
    "keys that are none, of parameters": (VARS + PARAMS, "        command#: 1\n", ""),
    "keys that are none, of steps": (
        VARS + "  steps:\n",
        "    - {nam: a#, typ: SCRIPT, param: {a: x}}\n",
        "",
    ),
    "values that are none, of stages": (FRAME, "    - {name: S#, account_id: 1, region: x}\n", ""),
    "steps that are none, in skip": (SKIP, "Chek#, ", "]\n"),
    "variables that are none": (f"{VARS}{PARAMS}        env:\n", "          A#: ${{ vars.variabl_# }}\n", ""),
    "windows that are none": (f"{LIVE}  windows:\n    a: {{zone: UTC, hours: [", "{days: x#}, ", "]}\n"),
    "triggers that are none": (
        f"{LIVE}  ephemeral_environments:\n    a: {{triggers: [",
        "{on: x#}, ",
        "]}\n",
    ),
    "tags": (SKIP, "!a x#, ", "]\n"),
    "control characters": (SKIP, '"\\a#", ', "]\n"),
    "aliases of nothing": (SKIP, "*x# , ", "]\n"),
    "keys that are there already": (LIVE, "  name: x\n", ""),
}


@pytest.mark.parametrize(("before", "form", "behind"), SHAPES.values(), ids=list(SHAPES))
def test_a_file_of_twice_the_length_takes_about_twice_the_work(before: str, form: str, behind: str) -> None:
    def source(number: int) -> str:
        return before + "".join(form.replace("#", str(each)) for each in range(number)) + behind

    calls(source(50))  # what is made at first use
    once, twice = calls(source(250)), calls(source(500))
    assert twice < 2.4 * once
    assert twice < 1_500_000


def test_no_more_is_compared_however_many_names_there_are() -> None:
    def source(known: int) -> str:
        return f"{several_steps(known)}  stages:\n    - name: live\n      skip: [{listed('stepp #', 60)}]\n"

    few, many = calls(source(20)), calls(source(99))
    assert many < 4 * few


def test_nothing_is_compared_once_there_are_problems_enough() -> None:
    def source(names: int) -> str:
        return f"{several_steps(3)}  stages:\n    - name: live\n      skip: [{listed('stepp #', names)}]\n"

    assert calls(source(1_000)) < 1.5 * calls(source(GATHERED_MAX + 50))


def test_a_step_that_is_the_same_in_all_stages_is_read_once() -> None:
    def source(stages: int) -> str:
        values = listed("[a, b, c, d]", 300)
        step = f"    - {{name: a, type: CUSTOM:X, params: {{all: [{values}]}}}}\n"
        return f"{HEAD}  steps:\n{step}  stages:\n{lines('    - name: s#', stages)}"

    assert calls(source(50)) < 1.5 * calls(source(5))


def test_a_file_that_is_too_long_is_not_even_looked_at() -> None:
    ten_mebibytes = "x: [" + "[], " * (10 * MIB // 4)
    assert calls(ten_mebibytes) < 20_000
    [found] = problems(ten_mebibytes)
    assert (found.line, found.rule) == (0, "limit")
    assert found.message == f"the file is larger than {SOURCE_BYTES_MAX // 1024} KiB"


def bomb(levels: int, width: int) -> str:
    levelled = [
        f"    a{level}: &a{level} [{listed(f'*a{level - 1}', width)}]\n" for level in range(1, levels)
    ]
    return (
        f"{FRAME}    - name: live\n  notifications:\n    a0: &a0 [{listed('x', width)}]\n{''.join(levelled)}"
    )


@pytest.mark.parametrize(("levels", "width"), [(9, 9), (3, 900), (18, 2), (12, 100)])
def test_aliases_count_as_what_they_stand_for(levels: int, width: int) -> None:
    tracemalloc.start()
    found = problems(bomb(levels, width))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert any(problem.message == f"the file holds more than {NODES_MAX} values" for problem in found)
    assert peak < 40 * MIB


def test_a_chain_of_anchors_is_as_deep_as_what_it_stands_for() -> None:
    chain = "".join(f"    a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 40))
    found = problems(f"{FRAME}    - name: live\n  notifications:\n    a0: &a0 x\n{chain}")
    assert [problem.message for problem in found if problem.rule == "limit"] == [
        f"this is nested more than {DEPTH_MAX} deep"
    ]


@pytest.mark.parametrize(
    "source",
    ["[" * 100_000, "{a: " * 50_000, "- " * 100_000, "".join(f"{' ' * n}a:\n" for n in range(600))],
    ids=["lists", "mappings", "dashes", "blocks"],
)
def test_deep_nesting_is_refused_before_it_is_followed(source: str) -> None:
    assert calls(source) < 20_000
    [found] = problems(source)
    assert found.message == f"this is nested more than {DEPTH_MAX} deep"


def test_many_mistakes_are_told_as_a_few_and_a_number() -> None:
    found = problems(f"{FRAME}    - name: live\n      skip: [{listed('Chek#', 5_000)}]\n")
    assert len(found) == PROBLEMS_MAX + 1
    assert found[-1].message == f"{GATHERED_MAX - PROBLEMS_MAX} further problems are not listed"


def test_huge_words_are_shown_shortened() -> None:
    word = "w" * 60_000
    source = f"{FRAME}    - {{name: {word}, {word}: 1, skip: [{word}], region: {word}}}\n"
    for problem in problems(source):
        assert len(problem.message) + len(problem.hint) + len(problem.text) < 1_000


def test_a_plan_that_is_too_large_is_not_made_to_its_end() -> None:
    values = listed('"${{ vars.a }}"', 200)
    steps = f"  steps:\n    - {{name: a, type: CUSTOM:X, params: {{a: [{values}]}}}}\n"

    def source(stages: int) -> str:
        assert stages * 200 * 2_000 > PLAN_BYTES_MAX
        form = "    - {name: s#, vars: {a: TEXT}}".replace("TEXT", "x" * 2_000)
        return f"{HEAD}{steps}  stages:\n{lines(form, stages)}"

    [found] = [problem for problem in problems(source(20)) if problem.severity == "error"]
    assert found.rule == "limit"
    assert calls(source(80)) < 2 * calls(source(20))
