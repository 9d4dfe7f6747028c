"""Reading a whole file: what stands for what is not written, and what is read on after a mistake."""

from dataclasses import replace
from typing import Any

import pytest

from shared.language.check import check
from shared.language.definition import Definition
from shared.language.definition_reading import read_definition
from shared.language.synthesis import synthesize
from shared.plan import ArtifactPlan, Plan
from tests.unit.language.sample import FILE, facts

HEAD = "version: '1'\npipeline:\n"
CHECK = "  steps: [{name: Check, type: SCRIPT:EXECUTE, params: {commands: make}}]\n"
LIVE = "  stages: [{name: live}]\n"
TWO = "  stages: [{name: staging, vars: {a: 1}}, {name: live, vars: {a: 2}}]\n"


def read(source: str) -> Definition:
    return read_definition(FILE, source.encode())


def messages(source: str) -> list[str]:
    found = check(FILE, source.encode()).problems
    return [problem.message for problem in found if problem.severity == "error"]


@pytest.mark.parametrize(
    ("old", "new"),
    [("stages:", "stage:"), ("steps:", "step:"), ("artifacts:", "artefacts:")],
    ids=["stages", "steps", "artifacts"],
)
def test_a_section_under_a_misspelt_key_is_judged_as_what_is_meant(old: str, new: str) -> None:
    artifacts = "  artifacts: {Web: {type: BUNDLE:BUILD, params: {}}}\n"
    source = f"{HEAD}  stages: [{{name: Live}}]\n{CHECK.replace('commands', 'comands')}{artifacts}"
    others = messages(source)
    assert len(others) == 3
    assert sorted(messages(source.replace(f"  {old}", f"  {new}"))) == sorted(
        [f'"{new.removesuffix(":")}" is not a key of the pipeline', *others]
    )


def test_what_belongs_into_params_and_stands_beside_them_is_judged_as_if_it_stood_there() -> None:
    artifact = "  artifacts: {Web: {type: BUNDLE:BUILD, file_path: dist, params: {}}}\n"
    step = "  steps: [{name: Check, type: SCRIPT:EXECUTE, commands: [[x]], env: {A: b}}]\n"
    found = check(FILE, f"{HEAD}{LIVE}{artifact}{step}".encode()).problems
    assert [(problem.line, problem.rule, problem.hint) for problem in found] == [
        (4, "unknown-key", "it belongs below params:"),
        (4, "wrong-value", 'did you mean "/dist"?'),
        (5, "unknown-key", "it belongs below params:"),
        (5, "wrong-type", ""),
        (5, "unknown-key", "it belongs below params:"),
    ]


def made_for(found: Plan) -> dict[str, ArtifactPlan]:
    return {artifact.stage: artifact for artifact in found.artifacts}


def per_stage(value: str) -> dict[str, ArtifactPlan]:
    artifact = (
        f"  artifacts: {{Web: {{type: BUNDLE:BUILD, per_stage: true, envs: {{A: '{value}'}}, "
        "params: {file_path: /a}}}\n"
    )
    definition = read(f"{HEAD}{TWO}{artifact}{CHECK}")
    assert not definition.problems
    return made_for(_undeployed(definition))


def _undeployed(definition: Definition) -> Plan:
    found = synthesize(definition, replace(facts(definition), for_deployment=False))
    assert found.plan, found.problems
    return found.plan


@pytest.mark.parametrize(
    ("value", "same"),
    [
        pytest.param("constant", True, id="nothing of the stage"),
        pytest.param("${{ vars.a }}", False, id="its vars"),
        pytest.param('${{ secret("A") }}', True, id="the organization's secret"),
        pytest.param('${{ stage_secret("A") }}', False, id="its secret"),
        pytest.param('${{ upper(stage_secret("A")) }}', False, id="something made of its secret"),
    ],
)
def test_two_stages_share_an_artifact_only_if_the_same_goes_into_it(value: str, same: bool) -> None:
    made = per_stage(value)
    assert (made["staging"].build_key == made["live"].build_key) is same


def test_numbers_of_a_users_own_stay_as_they_were_written() -> None:
    params = "{a: 1.10, b: [0x1F, 1e3, 007], c: {d: 2.50, e: 2.5}}"
    terraform = f"{{name: T, type: TERRAFORM:SYNTHESIZE, params: {{source: /t, variables: {params}}}}}"
    source = f"{HEAD}{LIVE}  steps: [{{name: A, type: CUSTOM:X, params: {params}}}, {terraform}]\n"
    exact: Any = {"a": "1.10", "b": ["0x1F", "1e3", "007"], "c": {"d": "2.50", "e": 2.5}}
    found = _undeployed(read(source)).stages[0].steps
    assert found[0].params == exact
    assert found[1].params["variables"] == exact
    assert read(source).steps[0].part.params == exact


def test_a_files_order_of_keys_is_no_part_of_its_plan() -> None:
    env = {"A": '${{ secret("A") }}', "B": '${{ stage_secret("B") }}', "C": "x"}
    written = [", ".join(f"{key}: '{env[key]}'" for key in order) for order in ("ABC", "CBA")]
    one, other = (
        _undeployed(
            read(f"{HEAD}{LIVE}{CHECK.replace('commands: make', f'commands: make, env: {{{each}}}')}")
        )
        for each in written
    )
    assert one.canonical() == other.canonical()


AWS = '{name: #, account_id: "100000000001", region: eu-west-1'


def test_a_stages_infrastructure_overrules_that_of_all_stages_key_by_key() -> None:
    common = (
        "  stage_defaults: {infrastructure: {source: /t, requires_approval: ALWAYS, variables: {a: 1}}}\n"
    )
    own = "infrastructure: {variables: {b: 2}}"
    stages = f"  stages: [{AWS.replace('#', 'staging')}}}, {AWS.replace('#', 'live')}, {own}}}]\n"
    found = _undeployed(read(f"{HEAD}{common}{stages}{CHECK}"))
    params = [stage.steps[0].params for stage in found.stages]
    assert [each["variables"] for each in params] == [{"a": 1}, {"b": 2}]
    assert {each["requires_approval"] for each in params} == {"ALWAYS"}
    assert [stage.steps[1].goes_after for stage in found.stages] == [("infrastructure",)] * 2


def test_steps_that_wait_for_nothing_wait_for_the_infrastructure() -> None:
    steps = "  steps:\n" + "".join(
        f"    - {{name: {name}, type: SCRIPT:EXECUTE, goes_after: [{after}], params: {{commands: x}}}}\n"
        for name, after in (("a", ""), ("b", ""), ("c", "a"))
    )
    stages = f"  stages: [{AWS.replace('#', 'live')}, infrastructure: {{source: /t}}}}]\n"
    found = _undeployed(read(f"{HEAD}{stages}{steps}"))
    assert [(step.id, step.goes_after) for step in found.stages[0].steps] == [
        ("infrastructure", ()),
        ("a", ("infrastructure",)),
        ("b", ("infrastructure",)),
        ("c", ("a",)),
    ]


def test_the_names_of_windows_are_those_that_editors_are_told() -> None:
    windows = "  windows: {Office_Hours-2: {zone: UTC}}\n"
    definition = read(f"{HEAD}{windows}{LIVE}{CHECK}")
    assert not definition.problems
    model = type(definition.pipeline)
    assert model.model_validate({"windows": {"Office_Hours-2": {"zone": "UTC"}}}).windows


@pytest.mark.parametrize("alarm", ["shop 5xx", "shop-5xx\u00e9", "5xx > 1%"])
def test_an_alarm_of_which_no_monitor_can_tell_is_warned_of(alarm: str) -> None:
    definition = read(f"{HEAD}{CHECK}  stages: [{{name: live, auto_rollback_alarm_name: '{alarm}'}}]\n")
    [warned] = definition.problems
    assert (warned.severity, warned.rule, warned.line) == ("warning", "no-effect", 4)
    assert "no monitor can tell" in warned.message


@pytest.mark.parametrize("alarm", ["shop-5xx", "arn:aws:cloudwatch:eu-west-1:1:alarm:a_b/C.d"])
def test_an_alarm_as_monitors_have_them_is_not_warned_of(alarm: str) -> None:
    assert not read(
        f"{HEAD}{CHECK}  stages: [{{name: live, auto_rollback_alarm_name: '{alarm}'}}]\n"
    ).problems


TERRAFORM = """\
version: "1"
pipeline:
  stages: [{name: live}]
  steps:
    - {name: Infra, type: TERRAFORM:SYNTHESIZE, params: {source: /terraform}}
"""


@pytest.mark.parametrize(("of_commit", "severity"), [(True, "error"), (False, "warning")])
def test_what_a_commit_lacks_is_refused_also_where_nothing_is_deployed(
    of_commit: bool, severity: str
) -> None:
    definition = read_definition(FILE, TERRAFORM.encode())
    known = replace(facts(definition), for_deployment=False, of_commit=of_commit)
    found = synthesize(definition, replace(known, entries={"/terraform": None})).problems
    assert [each.severity for each in found if each.rule == "path"] == [severity]
