"""Checking parts of a file against their models: each mistake once, none of its consequences."""

import pytest

from shared.language.check import Given, check
from shared.language.discovery import Dialect
from shared.language.problem import GATHERED_MAX, PROBLEMS_MAX, Place, Problems, did_you_mean, nearest
from shared.plan import Problem
from tests.unit.language.sample import FILE, with_step, with_steps

SLASH = "must start with a slash, which stands for the repository"
LIVE = '{name: live, account_id: "100000000001", region: eu-west-1}'
QUOTE = '"'
CHECK = '{name: Check, type: "SCRIPT:EXECUTE", params: {commands: make}}'


def errors(source: str, dialect: Dialect = "windlass") -> list[Problem]:
    found = check(FILE, source.encode(), Given(dialect)).problems
    return [problem for problem in found if problem.severity == "error"]


def messages(source: str, dialect: Dialect = "windlass") -> list[str]:
    return [problem.message for problem in errors(source, dialect)]


def pipeline(*lines: str, stages: str = f"[{LIVE}]", steps: str = f"[{CHECK}]") -> str:
    body = [*lines, f"stages: {stages}", f"steps: {steps}"]
    return "\n".join(["version: '1.0.0'", "pipeline:", *(f"  {line}" for line in body)])


SPEAKS_OF_VARS = '{name: Tell, type: "SCRIPT:EXECUTE", params: {commands: make, env: {A: "${{ vars.a }}"}}}'
SPEAKS_OF_ACCOUNT = (
    '{name: Tell, type: "CUSTOM:X", params: {a: "${{ stage.account_id }} ${{ stage.region }}"}}'
)
UPLOAD = '{name: Upload, type: "S3:UPLOAD"}'
ARTIFACT = "artifacts: {Web: {type: BUNDLE:BUILD, params: {file_path: /dist}}}"
OF_IMAGE = '{name: Tell, type: "CUSTOM:X", params: {a: "${{ stage.artifacts.Web.image_url }}"}}'


@pytest.mark.parametrize(
    ("source", "message"),
    [
        pytest.param(
            with_step("name: Run", "type: SCRIPT:EXECUTE", "params: {comands: x}"),
            '"comands" is not a key of params of step "Run"',
            id="a key that is misspelt is not missing too",
        ),
        pytest.param(
            with_step("name: Run", "type: SCRIPT:EXECUTE", "params: {run: x}"),
            '"run" is not a key of params of step "Run"',
            id="nor one by the name that others give it",
        ),
        pytest.param(
            with_step("name: Run", "type: SCRIPT:EXECUTE", "params: {commands: [{a: b}]}"),
            'commands[0] in params of step "Run" must be text',
            id="a list is not empty because its entries were refused",
        ),
        pytest.param(
            pipeline(stages=f"[{LIVE.replace(QUOTE, '')}]", steps=f"[{UPLOAD}]"),
            'account_id in stage "live" must be text',
            id="a stage with a wrong account is in AWS all the same",
        ),
        pytest.param(
            pipeline(stages=f"[{LIVE.replace('acc', 'ac')}]", steps=f"[{UPLOAD}]"),
            '"acount_id" is not a key of stage "live"',
            id="and with a misspelt one",
        ),
        pytest.param(
            pipeline(stages="[{name: live, target: cloud}]", steps=f"[{UPLOAD}]"),
            'target in stage "live" is "cloud" and must be local, docker or aws',
            id="what a stage with an unknown target cannot do is not known",
        ),
        pytest.param(
            pipeline(
                stages="[{name: live, account_id: '12', region: Ireland}]", steps=f"[{SPEAKS_OF_ACCOUNT}]"
            ),
            'account_id in stage "live" is "12" and must be an AWS account id: exactly 12 digits',
            id="a wrong account can be named",
        ),
        pytest.param(
            pipeline(stages="[{name: live, variables: {a: 1}}]", steps=f"[{SPEAKS_OF_VARS}]"),
            '"variables" is not a key of stage "live"',
            id="values under a misspelt key are not missing",
        ),
        pytest.param(
            pipeline(stages="[{name: live, vars: [a]}]", steps=f"[{SPEAKS_OF_VARS}]"),
            'vars in stage "live" must be a mapping of names to values',
            id="nor those that are no mapping",
        ),
        pytest.param(
            pipeline("stage_defaults: {vars: [a]}", stages="[{name: live}]", steps=f"[{SPEAKS_OF_VARS}]"),
            "vars in stage_defaults must be a mapping of names to values",
            id="nor those of all stages",
        ),
        pytest.param(
            pipeline(stages="[{name: laptop, skip: [Uplod]}]", steps=f"[{CHECK}, {UPLOAD}]"),
            'there is no step "Uplod"',
            id="a step whose name is misspelt in skip is skipped",
        ),
        pytest.param(
            pipeline(ARTIFACT.replace("BUNDLE:BUILD", "DOCKER:BUILT"), steps=f"[{OF_IMAGE}]"),
            '"DOCKER:BUILT" is not a type of artifact',
            id="an artifact of an unknown type may have any member",
        ),
        pytest.param(
            pipeline("artifacts: {Web: make}", steps=f"[{OF_IMAGE}]"),
            'artifact "Web" must be a mapping',
            id="so may one that is none",
        ),
        pytest.param(
            pipeline("artifacts: [{name: Web, type: DOCKER:BUILD}]", steps=f"[{OF_IMAGE}]"),
            "artifacts in the pipeline must be a mapping of names to values",
            id="and one of a list",
        ),
        pytest.param(
            pipeline(stages="[{name: live, skip: [Check]}]", steps='{Check: {type: "SCRIPT:EXECUTE"}}'),
            "steps in the pipeline must be a list",
            id="steps that are no list may be named",
        ),
        pytest.param(
            pipeline("artifacts: {Web: {type: BUNDLE:BUILD, params: make}}"),
            'params in artifact "Web" must be a mapping of names to values',
            id="parameters that are no mapping lack nothing",
        ),
        pytest.param(
            pipeline(stages=f"[{LIVE[:-1]}, infrastructure: {{source: terraform}}}}]"),
            f'infrastructure.source in stage "live" is "terraform" and {SLASH}',
            id="a block is not judged again as a step",
        ),
        pytest.param(
            with_step("name: Run", "type: APPROVAL:TEST", "params: {testCommand: x, timeout: 0}"),
            'timeout in params of step "Run" must be whole minutes, 1 to 1440',
            id="a time limit is judged once",
        ),
        pytest.param(
            with_step("name: Run", "type: [x]", "params: {commands: x}"),
            'type in step "Run" must be text',
            id="what is no text is no unknown type too",
        ),
        pytest.param(
            with_step("name: Run", "type: 5", "params: {commands: x}"),
            'type in step "Run" must be text',
            id="nor is a number",
        ),
        pytest.param(
            with_step("name: '  '", "type: SCRIPT:EXECUTE", "params: {commands: x}"),
            'name in step "  " is "  " and must be one line of 1 to 100 characters',
            id="a name that is none needs no id",
        ),
        pytest.param(
            pipeline("stage_defaults: {verify: {successes: 0}}", ARTIFACT, stages="[{name: a}, {name: b}]",
                     steps='[{name: Serve, type: "LOCAL:STATIC:DEPLOY", params: {artifact: Web}}]'),
            "verify.successes in stage_defaults is 0 and must be between 1 and 100",
            id="criteria of all stages are judged where they stand",
        ),
        pytest.param(
            "version: '1'\npipline:\n  stages: []\n",
            '"pipline" is not a key of the file',
            id="a misspelt pipeline is not missing",
        ),
    ],
)  # fmt: skip
def test_a_mistake_is_told_once_and_without_its_consequences(source: str, message: str) -> None:
    found = messages(source)
    assert found[0] == message
    assert len(found) == 1 or found[1:] == [
        'region in stage "live" is "Ireland" and must be an AWS region, like eu-west-1'
    ]


def test_everything_that_is_wrong_with_criteria_is_told_at_once() -> None:
    verify = (
        "{successes: 0, interval_seconds: x, paths: [{path: health, status: 42}, {path: /ok, status: '200'}]}"
    )
    params = f"params: {{artifact: Web, verify: {verify}}}"
    found = messages(with_step("name: Site", "type: LOCAL:STATIC:DEPLOY", params))
    assert found == [
        'verify.successes in params of step "Site" is 0 and must be between 1 and 100',
        'verify.interval_seconds in params of step "Site" must be a number',
        '"health" is not a path to ask a service for',
        "42 is not an HTTP status",
        'verify.paths[1].status in params of step "Site" must be a whole number',
    ]


def test_what_is_asked_beside_paths_is_held_to_what_can_pass() -> None:
    verify = (
        "{tcp: [0, 9090], commands: [{command: []}, {command: [a], timeout_seconds: 500}], paths: [], "
        "release: {header: 'X Release', path: version}, soak_seconds: 9999, health_interval_seconds: 1}"
    )
    params = f"params: {{artifact: Web, verify: {verify}}}"
    assert set(messages(with_step("name: Site", "type: LOCAL:STATIC:DEPLOY", params))) == {
        'verify.soak_seconds in params of step "Site" is 9999 and must be between 0 and 3600',
        'verify.health_interval_seconds in params of step "Site" is 1 and must be between 5 and 3600',
        'verify.paths in params of step "Site" must have 1 to 50 entries',
        "0 is not a TCP port",
        "a command that is asked needs a program to run",
        "timeout_seconds of a command is 500 and must be between 0.1 and 120",
        '"X Release" is not the name of a header',
        '"version" is not a path to ask a service for',
    }


@pytest.mark.parametrize("key", ["account_id", "region"])
def test_an_aws_stage_needs_its_account_and_region_even_if_their_keys_are_there(key: str) -> None:
    stage = LIVE.replace('"100000000001"' if key == "account_id" else "eu-west-1", "~")
    found = messages(pipeline(stages=f"[{stage[:-1]}, target: aws}}]"))
    assert found == [f'{key} is missing in stage "live", which deploys to AWS']


def test_what_an_expression_gives_is_named_with_its_stage() -> None:
    step = '{name: Serve, type: "LOCAL:STATIC:DEPLOY", params: {artifact: Web, port: "${{ vars.port }}"}}'
    stages = "[{name: a, vars: {port: 70000}}, {name: b, vars: {port: x}}]"
    assert messages(pipeline(ARTIFACT, stages=stages, steps=f"[{step}]")) == [
        'port in params of step "Serve" is "70000" and must be at most 65535, in stage a',
        'port in params of step "Serve" must be a whole number, in stage b',
    ]


def test_a_value_that_is_known_too_late_is_refused_for_that() -> None:
    found = errors(with_steps([
        ["name: Infra", "type: TERRAFORM:SYNTHESIZE", "params: {source: /terraform}"],
        ["name: Site", "type: LOCAL:STATIC:DEPLOY",
         "params: {artifact: Web, port: '${{ steps.infra.port }}'}"],
    ]))  # fmt: skip
    assert [(each.message, each.rule) for each in found] == [
        ('port in params of step "Site" must be known when the plan is made', "expression")
    ]


def test_keys_of_ours_are_refused_in_a_devramps_file_however_deep_they_stand() -> None:
    preview = (
        "ephemeral_environments: {preview: {triggers: [{on: pull_request, source_branches: [x]}], "
        'release: [{on: api}], account_id: "100000000001", region: eu-west-1}}'
    )
    assert messages(pipeline(preview)) == []
    assert messages(pipeline(preview), "devramps") == [
        '"source_branches" is Windlass\'s own, and not a key of a DevRamps file'
    ]


def test_parameters_of_ours_are_refused_in_a_devramps_file() -> None:
    ours = "params: {testCommand: x, timeout: 5, results: r.xml, expires_after_hours: 5}"
    source = with_step("name: Run", "type: APPROVAL:TEST", ours)
    assert [text for text in messages(source, "devramps") if "own" in text] == [
        f'"{name}" is Windlass\'s own, and not a key of a DevRamps file'
        for name in ("results", "expires_after_hours")
    ]
    assert [text for text in messages(source) if "own" in text] == []


def test_a_devramps_file_is_not_led_to_keys_that_it_cannot_have() -> None:
    [found] = errors(pipeline("timeout_minute: 5"), "devramps")
    assert "timeout_minutes" not in found.hint


def test_a_default_window_that_is_none_is_told_though_every_stage_has_its_own() -> None:
    source = pipeline("stage_defaults: {deployment_time_window: nights}", stages=f"[{LIVE[:-1]}, "
                      "deployment_time_window: NONE}]")  # fmt: skip
    assert messages(source) == ['there is no window "nights"']


def test_names_hold_no_expressions() -> None:
    name = '"${{ vars.name }}"'
    source = pipeline(
        f"name: {name}", f"artifacts: {{{name}: {{type: BUNDLE:BUILD, params: {{file_path: /a}}}}}}"
    )
    assert {problem.rule for problem in errors(source)} == {"expression"}
    assert [problem.line for problem in errors(source)] == [3, 4]


def test_every_circle_is_told_where_it_can_be_cut() -> None:
    steps = [f'{{name: {a}, type: "SCRIPT:EXECUTE", goes_after: [{b}], params: {{commands: x}}}}'
             for a, b in ("AB", "BA", "CC", "DB")]  # fmt: skip
    found = errors(pipeline(steps=f"[{', '.join(steps)}]"))
    assert [(each.message, each.text) for each in found] == [
        ('these steps wait for each other: "A" after "B" after "A"', "B"),
        ('step "C" waits for itself', "C"),
    ]


def test_warnings_are_never_an_error_because_there_are_many() -> None:
    stages = ", ".join(
        f"{LIVE[:6]} s{n}, account_id: '100000000001', region: eu-west-9}}" for n in range(100)
    )
    checked = check(FILE, pipeline(stages=f"[{stages}]").encode())
    assert len(checked.problems) == PROBLEMS_MAX + 1
    assert checked.is_valid


def test_an_error_is_kept_however_many_warnings_there_are() -> None:
    problems = Problems(FILE)
    for line in range(GATHERED_MAX + 5):
        problems.warn(Place(line + 1, 1), "a warning", "", "no-effect")
    problems.add(Place(1, 1), "an error")
    problems.add(Place(2, 1), "another")
    assert [each.message for each in problems.reported() if each.severity == "error"][:1] == ["an error"]
    assert len(problems.listed()) == GATHERED_MAX + 1


def test_a_word_is_compared_with_few_names_and_still_leads_to_the_nearest() -> None:
    known = [f"step number {number}" for number in range(5_000)]
    assert nearest("step numbr 4321", known) == "step number 4321"
    assert nearest("Step Number 7", known) == "step number 7"
    assert nearest("", known) == nearest("zzzz", known) == ""
    assert did_you_mean("snoke", ["smoke", "Deploy"]) == 'did you mean "smoke"?'
