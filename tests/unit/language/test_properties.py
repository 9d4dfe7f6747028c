"""What holds for every definition, and for whatever becomes of one under somebody's hands."""

import json

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.language.check import Given, check
from shared.language.definition import Definition
from shared.language.definition_reading import read_definition
from shared.language.synthesis import Synthesis, synthesize
from shared.plan import Plan, Problem
from tests.corpus.expectation import right, wrong
from tests.corpus.given import Circumstances, circumstances
from tests.unit.language.pipelines import Tree, definitions, text

AROUND = Circumstances()
FILES = [case.source.decode() for case in (*right(), *wrong()) if len(case.source) < 4_000]
SOURCES = st.sampled_from(FILES)
MARKS = "- : { } [ ] ' \" # &a *a !x | > ${{ }} ~ 5 true <<: é ? , null on .. $${{ --- %"
INSERTS = st.sampled_from(
    ["", " ", "  ", "\t", "\n", "\u2028", "\x07", "\r", *MARKS.split(), "? ", "&a ", "!x "]
)

thorough = settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], deadline=None)


def read(source: str) -> Definition:
    return read_definition(AROUND.file, source.encode("utf-8", "surrogatepass"))


def planned(source: str) -> Synthesis:
    definition = read(source)
    return synthesize(definition, AROUND.facts(definition))


def plan_of(source: str) -> Plan:
    found = planned(source)
    assert found.plan, (source, found.problems)
    return found.plan


@thorough
@given(definitions())
def test_whatever_the_grammar_gives_has_a_plan_that_is_a_topological_order(definition: Tree) -> None:
    plan = plan_of(text(definition))
    wanted = {step["name"] for step in definition["pipeline"]["steps"]}
    for stage in plan.stages:
        place = {step.id: number for number, step in enumerate(stage.steps)}
        skipped = {step.id for step in stage.steps if step.skip}
        assert {step.name for step in stage.steps} == wanted
        for step in stage.steps:
            assert all(place[earlier] < place[step.id] for earlier in step.goes_after)
            assert not set(step.goes_after) & skipped


@thorough
@given(definitions())
def test_equal_input_gives_equal_bytes_and_the_bytes_give_the_plan(definition: Tree) -> None:
    source = text(definition)
    plan = plan_of(source)
    assert plan.canonical() == plan_of(source).canonical()
    assert Plan.model_validate(json.loads(plan.canonical())) == plan


def printed(definition: Definition) -> str:
    """Return a definition as its models write it."""
    pipeline = definition.pipeline.model_dump(mode="json", by_alias=True, exclude_unset=True)
    return text({"version": "1", "pipeline": pipeline})


@thorough
@given(definitions())
def test_a_definition_that_is_printed_and_read_again_is_the_same(definition: Tree) -> None:
    source = text(definition)
    first = read(source)
    again = read(printed(first))
    assert sorted(each.message for each in again.problems) == sorted(each.message for each in first.problems)
    assert again.pipeline == first.pipeline
    assert plan_of(printed(first)).canonical() == plan_of(source).canonical()


@thorough
@given(definitions(), st.data())
def test_comments_and_blank_lines_change_nothing(definition: Tree, data: st.DataObject) -> None:
    source = text(definition).replace("\u2028", "_")  # to YAML, a line's end
    lines = source.split("\n")
    scalars = [event for event in yaml.parse(source) if isinstance(event, yaml.ScalarEvent)]
    inside = {line for each in scalars for line in _after_the_first(each)}
    number = data.draw(st.sampled_from([number for number in range(len(lines)) if number not in inside]))
    comment = data.draw(st.sampled_from(["", "   ", "# a word", "      # ${{ vars.nothing }} *a <<: !x"]))
    more = "\n".join([*lines[:number], comment, *lines[number:]])
    assert plan_of(more).canonical() == plan_of(source).canonical()


def _after_the_first(event: yaml.ScalarEvent) -> range:
    """Return the lines that a scalar goes on in."""
    begins, ends = event.start_mark, event.end_mark
    assert begins
    assert ends
    return range(begins.line + 1, ends.line + 1)


def told(source: str) -> tuple[Problem, ...]:
    """Return the problems of any file, after each was held against it."""
    around = circumstances(source.encode("utf-8", "replace"))
    raw = source.encode("utf-8", "surrogatepass")
    definition = read_definition(around.file, raw, around.dialect)
    known = around.given(definition.sources)
    found = check(around.file, raw, Given(around.dialect, None, known.today, known.secrets)).problems
    for problem in found:
        stands_in(problem, definition.lines)
    return found


def stands_in(problem: Problem, lines: tuple[str, ...]) -> None:
    assert problem.message
    assert problem.rule
    assert "\n" not in problem.message + problem.hint
    assert problem.column >= 1
    if problem.line == 0:
        assert (problem.column, problem.text) == (1, "")
        return
    assert problem.line <= len(lines)
    line = lines[problem.line - 1]
    assert problem.column <= len(line) + 1
    assert line[problem.column - 1 :].startswith(problem.text)


def change(lines: list[str], data: st.DataObject) -> None:
    """Do to a line what happens to lines."""
    number = data.draw(st.integers(0, len(lines) - 1))
    line = lines[number]
    match data.draw(st.sampled_from(["delete", "double", "insert", "indent", "outdent", "swap"])):
        case "delete":
            lines[number : number + 1] = [] if len(lines) > 1 else [""]
        case "double":
            lines.insert(number, line)
        case "insert":
            at = data.draw(st.integers(0, len(line)))
            end = data.draw(st.integers(at, min(len(line), at + 6)))
            lines[number] = line[:at] + data.draw(INSERTS) + line[end:]
        case "indent":
            lines[number] = f"  {line}"
        case "outdent":
            lines[number] = line.removeprefix("  ")
        case _:
            other = data.draw(st.integers(0, len(lines) - 1))
            lines[number], lines[other] = lines[other], line


@thorough
@given(SOURCES, st.data())
def test_a_file_that_is_changed_in_any_way_gives_a_plan_or_problems(source: str, data: st.DataObject) -> None:
    lines = source.split("\n")
    for _ in range(data.draw(st.integers(1, 3))):
        change(lines, data)
    changed = "\n".join(line for line in lines if not line.startswith("# given"))
    found = told(changed)
    assert found == told(changed)
    synthesis = planned(changed)
    assert (synthesis.plan is None) == any(each.severity == "error" for each in synthesis.problems)


@thorough
@given(definitions(), st.data())
def test_a_value_of_another_kind_is_told_where_it_stands(definition: Tree, data: st.DataObject) -> None:
    place = data.draw(st.sampled_from(["stages", "steps"]))
    entry = data.draw(st.sampled_from(definition["pipeline"][place]))
    key = data.draw(st.sampled_from(sorted(entry)))
    entry[key] = data.draw(st.sampled_from([None, [], {}, [None], {"a": []}, "x", 7, True, [[]], ""]))
    told(text(definition))
