"""From definition and facts to a plan that leaves nothing to choose."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.git import Entry
from shared.ids import Repository
from shared.language.definition_reading import read_definition
from shared.language.synthesis import synthesize
from shared.plan import PLAN_BYTES_MAX, Plan
from tests.unit.language.sample import (
    COMMIT,
    FILE,
    SHOP,
    facts,
    outcome,
    planned,
    refused,
    step_of,
    with_step,
    with_steps,
)


def test_a_plan_has_everything_resolved() -> None:
    plan = planned(SHOP)
    assert plan.artifacts[0].env == {"VERSION": "1.10", "SHA": COMMIT}
    assert plan.artifacts[0].path == "dist"
    assert plan.artifacts[0].commands == ("mkdir -p dist\ncp -r app/* dist/\n",)
    assert step_of(plan, "migrate").params == {
        "commands": ['echo "$GREETING"'],
        "artifact": "web",
        "env": {"GREETING": "<hello 'you'>", "N": "0010", "PORT": "8101"},
    }
    serve = step_of(plan, "serve").params
    assert serve["command"] == ["python3", "server.py", "--greet", "hello 'you'!", "--stage=staging"]
    assert (serve["port"], serve["grace_seconds"]) == (8101, 10.0)
    assert serve["verify"]["paths"] == [{"path": "/health", "status": 200, "contains": ""}]
    assert serve["verify"]["deadline_seconds"] == 30.0
    assert step_of(plan, "serve", 1).params["port"] == 8102
    smoke = step_of(plan, "smoke")
    assert (smoke.repeatable, smoke.on_sibling_failure) == (True, "finish")
    assert smoke.params["commands"] == ["true", "exit 0"]
    assert plan.stages[1].timeout_seconds == 600.0


def test_a_skipped_step_is_there_and_does_not_let_the_next_one_start_early() -> None:
    plan = planned(SHOP)
    assert [(step.id, step.skip) for step in plan.stages[1].steps] == [
        ("migrate", False),
        ("smoke", True),
        ("serve", False),
    ]
    assert step_of(plan, "serve", 0).goes_after == ("smoke",)
    assert step_of(plan, "serve", 1).goes_after == ("migrate",)


def test_a_step_that_a_stage_skips_needs_none_of_that_stages_values() -> None:
    source = SHOP.replace("skip: [Smoke]", "skip: [Smoke, Serve]").replace("port: 8102, ", "")
    plan = planned(source.replace(', PORT: "${{ vars.port }}"', ""))
    assert step_of(plan, "serve", 1).params == {}


def test_steps_stand_after_what_they_wait_for() -> None:
    plan = planned(
        with_steps(
            [
                [
                    "name: last",
                    "type: SCRIPT:EXECUTE",
                    "goes_after: [first, second]",
                    "params: {commands: x}",
                ],
                ["name: first", "type: SCRIPT:EXECUTE", "goes_after: []", "params: {commands: x}"],
                ["name: second", "type: SCRIPT:EXECUTE", "goes_after: []", "params: {commands: x}"],
            ]
        )
    )
    assert [step.id for step in plan.stages[0].steps] == ["first", "second", "last"]
    assert step_of(plan, "last").goes_after == ("first", "second")


def test_only_a_plan_that_uses_the_revision_depends_on_it() -> None:
    assert planned(SHOP, revision=1).canonical() == planned(SHOP, revision=2).canonical()
    uses = SHOP.replace("trigger.sha", "trigger.revision")
    assert planned(uses, revision=1).content_hash() != planned(uses, revision=2).content_hash()
    assert planned(uses, revision=7).artifacts[0].env["SHA"] == "7"


SOME = {"/app": Entry("app", "folder", "1" * 40)}
ANOTHER = {"/app": Entry("app", "folder", "2" * 40)}


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        pytest.param("name: Shop", "name: Store", True, id="the pipeline's name"),
        pytest.param("id: web", "id: site", True, id="its id"),
        pytest.param(
            "type: BUNDLE:BUILD", "type: BUNDLE:BUILD\n      timeout_minutes: 3", True, id="its time limit"
        ),
        pytest.param("[/app]", "[/app/]", True, id="how a path is written"),
        pytest.param("mkdir", "mkdir -v", False, id="its commands"),
        pytest.param("1.10", "1.1", False, id="its environment"),
        pytest.param("file_path: /dist", "file_path: /out", False, id="its path"),
        pytest.param("[/app]", "[/app, /lib]", False, id="what it depends on"),
    ],
)
def test_an_artifacts_identity_is_what_goes_into_it(old: str, new: str, same: bool) -> None:
    changed = SHOP.replace(old, new).replace("artifact: web", "artifact: Web App")
    before, after = planned(SHOP, SOME), planned(changed, SOME)
    assert (before.artifacts[0].build_key == after.artifacts[0].build_key) is same


def test_an_artifacts_identity_follows_its_sources_and_its_repository() -> None:
    key = planned(SHOP, SOME).artifacts[0].build_key
    assert key == planned(SHOP, SOME, revision=9).artifacts[0].build_key
    assert key != planned(SHOP, ANOTHER).artifacts[0].build_key
    definition = read_definition(FILE, SHOP.encode())
    known = facts(definition, SOME)
    elsewhere = synthesize(definition, replace(known, repository=Repository("evil/shop")))
    assert elsewhere.plan
    assert key != elsewhere.plan.artifacts[0].build_key


def test_a_source_that_is_not_there_is_absent_unless_it_is_the_only_one() -> None:
    two = SHOP.replace("[/app]", "[/app, /lib]")
    assert planned(two, {"/lib": None}).artifacts[0].sources == {"/app": "a" * 40, "/lib": "absent"}
    gone = outcome(SHOP, {"/app": None})
    assert gone.plan is None
    assert "never be rebuilt" in gone.problems[0].message
    assert (gone.problems[0].line, gone.problems[0].column) == (8, 30)


@pytest.mark.parametrize("kind", ["link", "submodule"])
def test_a_source_whose_content_is_elsewhere_is_refused(kind: str) -> None:
    found = outcome(SHOP, {"/app": Entry("app", kind, "1" * 40)})  # type: ignore[arg-type]
    assert found.plan is None
    assert "can change unseen" in found.problems[0].message


@pytest.mark.parametrize(
    ("params", "place", "message", "hint"),
    [
        ("{artifact: Web}", (10, 15), "command is missing", ""),
        ("{artifact: Web, command: x, comand: y}", (10, 43), '"comand" is not a key', '"command"'),
        ("{artifact: Wob, command: x}", (10, 26), 'no artifact "Wob"', '"Web"'),
        ("{artifact: [Web], command: x}", (10, 26), "must be text", ""),
        ("{artifact: Web, command: x, port: 0}", (10, 49), "at least 1", ""),
        ("{artifact: Web, command: x, port: '80'}", (10, 49), "whole number", "without quotes"),
        ("{artifact: Web, command: x, port: 80.5}", (10, 49), "whole number", ""),
        ("{artifact: Web, command: x, port: true}", (10, 49), "whole number", ""),
        ("{artifact: Web, command: x, port: '${{ vars.text }}'}", (10, 49), "whole number", ""),
        ("{artifact: Web, command: x, port: '${{ vars.prt }}'}", (10, 49), 'no "prt"', '"port"'),
        ("{artifact: Web, command: []}", (10, 40), "must not be empty", ""),
        ("{artifact: Web, command: {a: b}}", (10, 40), "must be a list", ""),
        ('{artifact: Web, command: "x \'y"}', (10, 40), "no closing quotation", ""),
        ("{artifact: Web, command: [x, [y]]}", (10, 44), "must be text", ""),
        ("{artifact: Web, command: 'x ${{ vars.list }}'}", (10, 40), "gives a list", ""),
        ("{artifact: Web, command: x, env: {A: '${{ vars.none }}'}}", (10, 52), "or nothing", ""),
        ("{artifact: Web, command: x, env: [A]}", (10, 48), "must be a mapping", ""),
        ("{artifact: Web, command: x, env: {1A: x}}", (10, 49), "environment variable", ""),
        ("{artifact: Web, command: x, verify: {paths: []}}", (10, 59), "1 to 50 entries", ""),
        ("{artifact: Web, command: x, verify: {paths: [{path: health}]}}", (10, 67), "not a path", "slash"),
        ("{artifact: Web, command: x, verify: {paths: [{path: '@evil.test/'}]}}", (10, 67), "not a path", ""),
        ("{artifact: Web, command: x, verify: {paths: [{path: '/a b'}]}}", (10, 67), "not a path", ""),
        (
            "{artifact: Web, command: x, verify: {paths: [{stat: 1}]}}",
            (10, 61),
            '"stat" is not a key',
            '"status"',
        ),
        ("{artifact: Web, command: x, verify: {paths: [{status: 999}]}}", (10, 69), "HTTP status", ""),
        ("{artifact: Web, command: x, verify: {successes: 0}}", (10, 63), "between 1 and 100", ""),
        ("{artifact: Web, command: x, verify: {interval_seconds: 0}}", (10, 70), "between 0.05", ""),
        ("{artifact: Web, command: x, verify: {deadline_seconds: 1e9}}", (10, 70), "between 0.1", ""),
        (
            "{artifact: Web, command: x, verify: {paths: [{contains: 5}]}}",
            (10, 71),
            "must be text",
            "quote it",
        ),
        ("{artifact: Web, command: x, grace_seconds: -1}", (10, 58), "between 0 and 600", ""),
        ("[Web]", (10, 15), "must be a mapping", ""),
    ],
)
def test_a_services_parameters_are_judged_where_they_stand(
    params: str, place: tuple[int, int], message: str, hint: str
) -> None:
    found = refused(with_step("name: Serve", "type: LOCAL:SERVICE:DEPLOY", f"params: {params}"))
    assert [
        problem for problem in found if problem[:2] == place and message in problem[2] and hint in problem[3]
    ], found


def test_one_mistake_is_one_problem_even_if_it_has_consequences() -> None:
    params = "params: {artifact: Web, command: 'x ${{ vars.lst }}', port: '${{ vars.prt }}'}"
    assert len(refused(with_step("name: Serve", "type: LOCAL:SERVICE:DEPLOY", params))) == 2
    assert (
        len(
            refused(
                with_step("name: Run", "type: SCRIPT:EXECUTE", "params: {commands: 'x ${{ vars.text }}'}")
            )
        )
        == 1
    )
    assert len(refused(with_step("name: Run", "type: SCRIPT:EXECUT", "params: {comands: x}"))) == 1


def test_a_mistake_that_every_stage_shares_is_reported_once() -> None:
    source = SHOP.replace("${{ trigger.sha }}", "x").replace("${{ stage.name }}", "${{ pipeline.slog }}")
    assert [problem[3] for problem in refused(source)] == ['did you mean "slug"?']


def test_a_step_that_every_stage_skips_is_judged_as_far_as_can_be() -> None:
    source = SHOP.replace("commands: [true, exit 0]", "comands: [true, '${{ vars.x }}']").replace(
        "greeting: \"hello 'you'\"}", "greeting: hello}\n      skip: [smoke]"
    )
    assert [problem[2] for problem in refused(source)] == [
        '"comands" is not a key of params of step "Smoke"',
    ]


def test_two_services_cannot_want_one_port() -> None:
    found = refused(SHOP.replace("port: ${{ vars.port }}\n", "port: 8101\n"))
    taken = "port 8101 is taken by step Serve in stage staging"
    assert [(problem[:2], problem[2]) for problem in found] == [
        ((39, 15), f"{taken}, and step Serve in stage production wants it too")
    ]


def test_a_script_may_not_hold_an_expression_anywhere() -> None:
    found = refused(
        with_step("name: Run", "type: SCRIPT:EXECUTE", 'params: {commands: [ok, "echo ${{ vars.text }}"]}')
    )
    assert found[0][:2] == (10, 31)
    assert '"$NAME"' in found[0][3]


def test_a_plan_that_no_event_could_carry_is_refused() -> None:
    script = "x" * 100_000
    stages = "".join(f"    - {{name: s{number}}}\n" for number in range(PLAN_BYTES_MAX // len(script) + 1))
    source = (
        "version: '1'\npipeline:\n  stages:\n" + stages + "  steps:\n"
        f"    - {{name: a, type: SCRIPT:EXECUTE, params: {{commands: [{script}]}}}}\n"
    )
    found = refused(source)
    assert found == [
        (0, 1, f"the plan of this file is larger than {PLAN_BYTES_MAX // 1024} KiB",
         "every stage repeats every step: keep values short")
    ]  # fmt: skip


def test_values_that_multiply_are_stopped_by_the_budget() -> None:
    uses = ", ".join(f"E{number}: '${{{{ vars.big }}}}'" for number in range(60))
    source = (
        f"version: '1'\npipeline:\n  stages: [{{name: s, vars: {{big: {'x' * 60_000}}}}}]\n  steps:\n"
        f"    - {{name: a, type: SCRIPT:EXECUTE, params: {{commands: x, env: {{{uses}}}}}}}\n"
    )
    assert any("more text than a plan can hold" in problem[2] for problem in refused(source))


WORDS = st.sampled_from(["a", "b", "c", "d", "e"])


@st.composite
def pipelines(draw: st.DrawFn) -> str:
    names = draw(st.lists(WORDS, min_size=1, max_size=5, unique=True))
    steps = []
    for name in names:
        lines = [f"name: {name}", "type: SCRIPT:EXECUTE", "params: {commands: x}"]
        if draw(st.booleans()):
            after = draw(st.lists(st.sampled_from(names), max_size=3))
            lines.append(f"goes_after: [{', '.join(after)}]")
        steps.append(lines)
    skip = draw(st.lists(st.sampled_from(names), max_size=2))
    return with_steps(steps).replace("name: staging,", f"name: staging, skip: [{', '.join(skip)}],")


@given(pipelines())
def test_a_plan_is_in_order_waits_for_nothing_skipped_and_is_the_same_each_time(source: str) -> None:
    result = outcome(source)
    if result.plan is None:
        assert {problem.rule for problem in result.problems} == {"cycle"}
        return
    steps = result.plan.stages[0].steps
    place = {step.id: number for number, step in enumerate(steps)}
    skipped = {step.id for step in steps if step.skip}
    for step in steps:
        assert all(place[earlier] < place[step.id] for earlier in step.goes_after)
        assert not set(step.goes_after) & skipped
    again = outcome(source)
    assert again.plan
    assert again.plan.canonical() == result.plan.canonical()
    assert Plan.model_validate(json.loads(result.plan.canonical())) == result.plan


MARKS = "${{ }} [ ] { } & * ! | > ' \" : - ? , # % @ ` ~ null 1e9 .inf <<: *x &x"
FRAGMENTS = st.sampled_from([*SHOP.split("\n"), *MARKS.split(" ")])


@given(st.lists(FRAGMENTS, max_size=40), st.sampled_from(["\n", " ", "\n  ", "\n      "]))
def test_shuffled_files_give_a_plan_or_problems_and_nothing_else(lines: list[str], glue: str) -> None:
    source = glue.join(lines)
    first, second = outcome(source), outcome(source)
    assert first == second
    assert first.plan or first.problems


@given(st.binary(max_size=300))
def test_random_bytes_give_problems_and_nothing_else(source: bytes) -> None:
    assert outcome(source).plan is None


@given(st.data())
def test_a_right_file_with_one_line_changed_gives_a_plan_or_problems(data: st.DataObject) -> None:
    lines = SHOP.split("\n")
    number = data.draw(st.integers(0, len(lines) - 1))
    line = lines[number]
    cut = data.draw(st.integers(0, len(line)))
    lines[number] = line[:cut] + data.draw(st.text(max_size=5)) + line[cut + data.draw(st.integers(0, 3)) :]
    result = outcome("\n".join(lines).encode("utf-8", "surrogatepass"))
    assert isinstance(result, Plan) or all(problem.message for problem in result.problems)
    if isinstance(result, Plan):
        result.canonical().decode("ascii")
