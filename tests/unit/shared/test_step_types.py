"""The catalogue of step types: what each takes, refuses and leaves for later, and how it is found."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from services.deployer.app import local_target
from services.deployer.gate import GATES
from services.deployer.settings import DeployerSettings
from shared.clock import SystemClock
from shared.ids import Step
from shared.placeholder import Late, OutputOf, SecretOf, taken_out
from shared.plan import Target
from shared.step_types import STEP_TYPES, Params, StepType, canonical, find, known, written
from shared.step_types.catalogue import ANY_CUSTOM

LATE = Late(OutputOf(step=Step("infra"), name="value"))
ROWS = [pytest.param(row, id=row.name) for row in STEP_TYPES.values()]

REFERENCE = {  # the types that DevRamps has, by its own names
    "TERRAFORM:SYNTHESIZE", "ECS:DEPLOY", "ECS:RUN_TASK", "EKS:DEPLOY", "EKS:HELM", "LAMBDA:DEPLOY",
    "LAMBDA:INVOKE", "S3:UPLOAD", "CLOUDFRONT:INVALIDATE", "CODEDEPLOY:DEPLOY", "EC2:DEPLOY",
    "DATABASE:MIGRATE", "APPROVAL:BAKE", "APPROVAL:TEST",
}  # fmt: skip
OURS = {"SCRIPT:EXECUTE", "APPROVAL:MANUAL", "LOCAL:SERVICE:DEPLOY", "LOCAL:STATIC:DEPLOY"}


def refused(type_: str, params: Any) -> list[tuple[tuple[str | int, ...], str]]:
    """Return where and what a model says against parameters."""
    row = find(type_)
    assert row
    try:
        row.params.model_validate(params)
    except ValidationError as exc:
        return [(error["loc"], error["msg"]) for error in exc.errors()]
    return []


def example(row: StepType) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(row.example)
    return loaded


def test_the_catalogue_is_whole() -> None:
    assert set(STEP_TYPES) == REFERENCE | OURS | {ANY_CUSTOM}
    assert {*known()} == REFERENCE | OURS


def test_a_type_is_carried_out_if_and_only_if_the_deployer_has_a_carrier(tmp_path: Path) -> None:
    carriers = local_target(DeployerSettings(data=tmp_path), SystemClock()).carriers()
    assert {row.name for row in STEP_TYPES.values() if row.carried_out} == {*carriers} | GATES


@pytest.mark.parametrize("row", ROWS)
def test_a_row_says_all_there_is_to_say(row: StepType) -> None:
    assert STEP_TYPES[row.name] is row
    assert re.fullmatch(r"[A-Z].*[^.]\.", row.summary)
    assert row.timeout_seconds > 0
    assert row.targets
    assert {*row.targets} <= {*get_args(Target)}
    assert len({*(row.outputs or ())}) == len(row.outputs or ())
    assert all(re.fullmatch("[a-z][a-z0-9_]*", name) for name in row.outputs or ())
    assert all(field.description for field in row.params.model_fields.values())


@pytest.mark.parametrize("row", ROWS)
def test_an_example_is_a_step_of_its_type(row: StepType) -> None:
    step = example(row)
    assert find(step["type"]) is row
    assert isinstance(row.params.model_validate(step["params"]), row.params)


@pytest.mark.parametrize("row", ROWS)
def test_what_is_written_out_is_json_and_means_the_same(row: StepType) -> None:
    params = row.params.model_validate(example(row)["params"])
    out = written(params)
    assert row.params.model_validate(json.loads(json.dumps(out))) == params
    assert out == params.model_dump(mode="json")


@pytest.mark.parametrize("row", ROWS)
def test_a_key_that_a_type_does_not_have_is_refused(row: StepType) -> None:
    mistakes = refused(row.name.replace("*", "X"), {**example(row)["params"], "colour": "red"})
    told = [location for location, _ in mistakes]
    assert told == ([] if row.name == ANY_CUSTOM else [("colour",)])


@pytest.mark.parametrize(
    ("text", "name"),
    [
        pytest.param("ECS:DEPLOY", "ECS:DEPLOY", id="ours"),
        pytest.param("DEVRAMPS:ECS:DEPLOY", "ECS:DEPLOY", id="DevRamps'"),
        pytest.param("CUSTOM:CDN", "CUSTOM:CDN", id="custom"),
        pytest.param("CUSTOM:cdn-invalidate", "CUSTOM:CDN-INVALIDATE", id="custom in small letters"),
        pytest.param("DEVRAMPS:CUSTOM:a", "CUSTOM:A", id="custom with the other's prefix"),
        pytest.param("DEVRAMPS:DOCKER:BUILD", "DOCKER:BUILD", id="an artifact's"),
        pytest.param("ecs:deploy", "ecs:deploy", id="small letters stay"),
        pytest.param("CUSTOM:\u0131", "CUSTOM:\u0131", id="letters whose capitals are others' stay"),
        pytest.param("", "", id="nothing"),
    ],
)
def test_a_name_has_one_notation(text: str, name: str) -> None:
    assert canonical(text) == name
    assert canonical(name) == name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("ECS:DEPLOY", "ECS:DEPLOY"),
        ("DEVRAMPS:ECS:DEPLOY", "ECS:DEPLOY"),
        ("LOCAL:STATIC:DEPLOY", "LOCAL:STATIC:DEPLOY"),
        ("CUSTOM:SCRIPT:DEPLOY", ANY_CUSTOM),
        ("CUSTOM:cdn-invalidate", ANY_CUSTOM),
        ("CUSTOM:" + "A" * 100, ANY_CUSTOM),
    ],
)
def test_a_type_is_found_in_either_notation(text: str, name: str) -> None:
    assert find(text) is STEP_TYPES[name]


@pytest.mark.parametrize(
    "text",
    [
        "", "ECS", "ecs:deploy", " ECS:DEPLOY", "ECS:DEPLOY\n", "DEVRAMPS:", "DEVRAMPS:DEVRAMPS:ECS:DEPLOY",
        "CUSTOM:", "CUSTOM:*", "CUSTOM:A B", "CUSTOM:A\n", "CUSTOM:\u0131", "CUSTOM:É", "CUSTOM:" + "A" * 101,
        "custom:a", "MIRROR:ECR", "\x00", "A" * 100_000,
    ],
)  # fmt: skip
def test_what_is_no_type_is_not_found(text: str) -> None:
    assert find(text) is None


@given(st.text())
def test_any_text_is_either_a_type_or_none(text: str) -> None:
    assert canonical(canonical(text)) == canonical(text) or text.startswith("DEVRAMPS:DEVRAMPS:")
    row = find(text)
    assert row is None or row in STEP_TYPES.values()


@pytest.mark.parametrize(
    ("names", "on_rollback"),
    [
        (("TERRAFORM:SYNTHESIZE",), "skip"),
        (("DATABASE:MIGRATE",), "skip"),
        (("APPROVAL:MANUAL", "APPROVAL:BAKE", "APPROVAL:TEST"), "skip"),
        (("ECS:DEPLOY", "S3:UPLOAD", "SCRIPT:EXECUTE", "LOCAL:SERVICE:DEPLOY", ANY_CUSTOM), "run"),
    ],
)
def test_a_rollback_leaves_out_infrastructure_migrations_and_approvals(
    names: tuple[str, ...], on_rollback: str
) -> None:
    assert {STEP_TYPES[name].on_rollback for name in names} == {on_rollback}


@pytest.mark.parametrize("type_", ["S3:UPLOAD", "DATABASE:MIGRATE"])
def test_a_type_whose_parameters_all_have_defaults_takes_none(type_: str) -> None:
    assert refused(type_, {}) == []


def test_the_test_gate_is_written_as_devramps_writes_it() -> None:
    assert written(STEP_TYPES["APPROVAL:TEST"].params.model_validate({"testCommand": "true"})) == {
        "testCommand": "true",
        "timeout": 30,
        "workingDirectory": "",
        "environmentVariables": {},
        "testType": "generic",
        "results": "",
        "expires_after_hours": 168,
    }


def test_what_waits_is_given_the_time_for_its_longest_wait() -> None:
    bake, manual = STEP_TYPES["APPROVAL:BAKE"], STEP_TYPES["APPROVAL:MANUAL"]
    assert refused(bake.name, {"duration_minutes": bake.timeout_seconds // 60})
    assert refused(manual.name, {"expires_after_hours": manual.timeout_seconds // 3600})


ECS: dict[str, Any] = {"cluster_name": "c", "service_name": "s"}
TASK: dict[str, Any] = {"cluster_name": "c", "task_definition": "t"}
EC2: dict[str, Any] = {"instance_ids": ["i-1"], "artifact": "a"}
EKS: dict[str, Any] = {"cluster_name": "c", "workload": "deployment/web", "artifact": "a"}
HELM: dict[str, Any] = {"cluster_name": "c", "release_name": "r", "chart": "/chart"}


@pytest.mark.parametrize(
    ("type_", "params", "location", "message"),
    [
        pytest.param("ECS:DEPLOY", ECS, (), "need exactly one of image_url and artifact", id="no image"),
        pytest.param("ECS:DEPLOY", {**ECS, "image_url": "a", "artifact": "b"}, (),
                     "need exactly one of image_url and artifact", id="two images"),
        pytest.param("ECS:DEPLOY", {**ECS, "image_url": ""}, (),
                     "need exactly one of image_url and artifact", id="an empty image"),
        pytest.param("ECS:RUN_TASK", TASK, (),
                     "need subnets, or service_name to take those of a service, for FARGATE", id="no net"),
        pytest.param("ECS:RUN_TASK", {**TASK, "subnets": ["a"], "service_name": "s"}, (),
                     "cannot have both service_name and subnets", id="two networks"),
        pytest.param("ECS:RUN_TASK", {**TASK, "subnets": ["a"], "image_url": "a", "artifact": "b"}, (),
                     "cannot have both image_url and artifact", id="a task of two images"),
        pytest.param("EKS:DEPLOY", {"cluster_name": "c"}, (),
                     "need manifests, or a workload that gets a new image", id="nothing to do on EKS"),
        pytest.param("EKS:DEPLOY", {"cluster_name": "c", "manifests": ["/k8s"], "image_url": "a"}, (),
                     "need workload, because image_url is given", id="an image for nobody"),
        pytest.param("EKS:DEPLOY", {**EKS, "artifact": ""}, (),
                     "need exactly one of image_url and artifact", id="a workload without an image"),
        pytest.param("EKS:DEPLOY", {**EKS, "manifests": ["k8s"]}, ("manifests", 0),
                     "must start with a slash, which stands for the repository", id="no slash"),
        pytest.param("EKS:HELM", {**HELM, "chart_repository": "https://charts.example"}, (),
                     "cannot have chart_repository: chart says where it is", id="two places of a chart"),
        pytest.param("LAMBDA:DEPLOY", {"function_name": "f"}, (),
                     "need exactly one of artifact, image_url and s3_url", id="no code"),
        pytest.param("LAMBDA:DEPLOY", {"function_name": "f", "artifact": "a", "publish": False, "alias": "b"},
                     (), "cannot have alias without publish: an alias leads to a published version",
                     id="an alias of no version"),
        pytest.param("CODEDEPLOY:DEPLOY", {"application_name": "a", "deployment_group_name": "g"}, (),
                     "need exactly one of artifact and s3_url", id="no bundle"),
        pytest.param("EC2:DEPLOY", {"artifact": "a"}, (),
                     "need exactly one of instance_ids, tags and auto_scaling_group", id="no instances"),
        pytest.param("EC2:DEPLOY", {**EC2, "tags": {"a": "b"}}, (),
                     "need exactly one of instance_ids, tags and auto_scaling_group", id="two ways"),
        pytest.param("EC2:DEPLOY", {"instance_ids": ["i"]}, (),
                     "need artifact or commands: there is nothing to do otherwise", id="nothing to do"),
        pytest.param("EC2:DEPLOY", {**EC2, "batch_size": "all"}, ("batch_size",),
                     'must be a number of instances or a share of them: "3", "25%"', id="no batch"),
        pytest.param("EC2:DEPLOY", {**EC2, "batch_size": "150%"}, ("batch_size",),
                     'must be a number of instances or a share of them: "3", "25%"', id="more than all"),
        pytest.param("DATABASE:MIGRATE", {"tool": "alembic", "commands": "x"}, (),
                     "cannot have both tool and commands", id="two ways to migrate"),
        pytest.param("DATABASE:MIGRATE", {"to": "1", "commands": "x"}, (),
                     "cannot have both to and commands: the commands say it themselves", id="two ends"),
        pytest.param("APPROVAL:MANUAL", {"approvers": ["a"], "approvals": 2}, (),
                     "need 2 approvals and name fewer approvers", id="approvals that cannot be had"),
        pytest.param("CLOUDFRONT:INVALIDATE", {"distribution_id": "E", "paths": ["index.html"]}, ("paths",),
                     'must hold paths, each with a slash in front: "/*"', id="a path of no site"),
        pytest.param("TERRAFORM:SYNTHESIZE", {"source": "/../other"}, ("source",),
                     "leaves the place it is in", id="out of the repository"),
        pytest.param("TERRAFORM:SYNTHESIZE", {"source": "/--help"}, ("source",),
                     "could be taken for an option", id="an option for a folder"),
        pytest.param("TERRAFORM:SYNTHESIZE", {"source": "/a\x00b"}, ("source",),
                     "must be a path with slashes, on one line", id="a path with a NUL"),
        pytest.param("TERRAFORM:SYNTHESIZE", {"source": "/" + "a" * 1000}, ("source",),
                     "must have at most 1000 characters", id="a path too long"),
        pytest.param("S3:UPLOAD", {"path": "a/../../b"}, ("path",),
                     "leaves the place it is in", id="out of the bundle"),
    ],
)  # fmt: skip
def test_parameters_that_do_not_fit_are_refused_in_a_plain_sentence(
    type_: str, params: Any, location: tuple[str | int, ...], message: str
) -> None:
    assert refused(type_, params) == [(location, message)]


@pytest.mark.parametrize(
    ("type_", "params", "location"),
    [
        pytest.param("APPROVAL:BAKE", {"duration_minutes": "30"}, ("duration_minutes",), id="quotes"),
        pytest.param("APPROVAL:BAKE", {"duration_minutes": True}, ("duration_minutes",), id="a switch"),
        pytest.param("APPROVAL:BAKE", {"duration_minutes": 1.5}, ("duration_minutes",), id="half a minute"),
        pytest.param("APPROVAL:BAKE", {"duration_minutes": 0}, ("duration_minutes",), id="no minutes"),
        pytest.param("APPROVAL:BAKE", {"duration_minutes": 10**30}, ("duration_minutes",), id="for ever"),
        pytest.param("APPROVAL:BAKE", {}, ("duration_minutes",), id="left out"),
        pytest.param("APPROVAL:TEST", {"testCommand": "a", "timeout": 1441}, ("timeout",), id="too long"),
        pytest.param("APPROVAL:TEST", {"testCommand": ""}, ("testCommand",), id="an empty command"),
        pytest.param("APPROVAL:TEST", {"testCommand": "a", "testType": "Jest"}, ("testType",), id="a word"),
        pytest.param("ECS:DEPLOY", {**ECS, "artifact": 7}, ("artifact",), id="a number for a name"),
        pytest.param("ECS:DEPLOY", {**ECS, "artifact": "a", "circuit_breaker": "yes"}, ("circuit_breaker",),
                     id="a word for a switch"),
        pytest.param("ECS:DEPLOY", {**ECS, "artifact": "a", "desired_count": -1}, ("desired_count",),
                     id="less than none"),
        pytest.param("SCRIPT:EXECUTE", {"commands": []}, ("commands",), id="no commands"),
        pytest.param("LOCAL:SERVICE:DEPLOY", {"artifact": "a", "command": []}, ("command",), id="no command"),
        pytest.param("CLOUDFRONT:INVALIDATE", {"distribution_id": "E", "paths": []}, ("paths",), id="none"),
        pytest.param("CLOUDFRONT:INVALIDATE", {"distribution_id": "E", "paths": [7]}, ("paths", 0),
                     id="a number for a path"),
        pytest.param("SCRIPT:EXECUTE", {"commands": [7]}, ("commands", 0), id="a number for a line"),
        pytest.param("S3:UPLOAD", {"include": "*.html"}, ("include",), id="a text for a list"),
        pytest.param("S3:UPLOAD", {"include": ["a"] * 1001}, ("include",), id="too many"),
    ],
)  # fmt: skip
def test_a_value_of_another_kind_is_refused_where_it_stands(
    type_: str, params: Any, location: tuple[str | int, ...]
) -> None:
    assert [place for place, _ in refused(type_, params)] == [location]


def test_a_script_may_be_one_text() -> None:
    row = STEP_TYPES["SCRIPT:EXECUTE"]
    assert written(row.params.model_validate({"commands": "a\nb"}))["commands"] == ["a\nb"]


@pytest.mark.parametrize(
    ("type_", "params"),
    [
        pytest.param("ECS:DEPLOY", {**ECS, "cluster_name": LATE, "image_url": LATE}, id="texts"),
        pytest.param("ECS:DEPLOY", {**ECS, "artifact": "a", "desired_count": LATE}, id="a number"),
        pytest.param("ECS:DEPLOY", {**ECS, "artifact": "a", "circuit_breaker": LATE}, id="a switch"),
        pytest.param("ECS:RUN_TASK", {**TASK, "subnets": LATE}, id="a whole list"),
        pytest.param("ECS:RUN_TASK", {**TASK, "launch_type": LATE, "service_name": "s"}, id="a word"),
        pytest.param("ECS:RUN_TASK", {**TASK, "subnets": [LATE], "env": {"A": LATE}}, id="entries"),
        pytest.param("EKS:HELM", {**HELM, "values": {"a": [{"b": LATE}]}}, id="deep in free values"),
        pytest.param("EKS:HELM", {**HELM, "chart": LATE, "chart_repository": "r"}, id="a chart"),
        pytest.param("LAMBDA:DEPLOY", {"function_name": "f", "s3_url": LATE, "publish": LATE, "alias": "a"},
                     id="a rule that cannot be judged yet"),
        pytest.param("LAMBDA:INVOKE", {"function_name": "f", "payload": LATE}, id="anything"),
        pytest.param("EC2:DEPLOY", {**EC2, "batch_size": LATE}, id="a text of a form"),
        pytest.param("CLOUDFRONT:INVALIDATE", {"distribution_id": LATE, "paths": LATE}, id="all paths"),
        pytest.param("CLOUDFRONT:INVALIDATE", {"distribution_id": "E", "paths": [LATE, "/a"]}, id="a path"),
        pytest.param("APPROVAL:MANUAL", {"approvers": LATE, "approvals": 3}, id="approvers"),
        pytest.param("APPROVAL:MANUAL", {"approvers": ["a"], "approvals": LATE}, id="approvals"),
        pytest.param("APPROVAL:BAKE", {"duration_minutes": LATE}, id="minutes"),
        pytest.param("DATABASE:MIGRATE", {"tool": LATE, "database_url": LATE}, id="a tool"),
        pytest.param("CUSTOM:X", {"anything": {"goes": [LATE]}}, id="custom"),
    ],
)  # fmt: skip
def test_a_value_may_come_late_and_is_kept_apart(type_: str, params: dict[str, Any]) -> None:
    row = find(type_)
    assert row
    plain, placeholders = taken_out(written(row.params.model_validate(params)))
    assert {placeholder.value for placeholder in placeholders} == {LATE.value}
    json.dumps(plain)


def test_what_fixes_the_plan_cannot_come_late() -> None:
    assert refused("TERRAFORM:SYNTHESIZE", {"source": LATE})
    assert refused("LOCAL:STATIC:DEPLOY", {"artifact": "a", "port": LATE})
    assert refused("SCRIPT:EXECUTE", {"commands": [LATE]})
    assert refused("APPROVAL:TEST", {"testCommand": LATE})


def test_a_late_value_counts_as_given() -> None:
    late = Late(SecretOf(owner="stage", name="A"))
    message = "need exactly one of image_url and artifact"
    assert refused("ECS:DEPLOY", {**ECS, "image_url": late, "artifact": LATE}) == [((), message)]


@pytest.mark.parametrize(
    "name", ["model_config", "model_fields", "copy", "__class__", "self", "", "a b", "é"]
)
def test_a_custom_step_may_call_its_parameters_anything(name: str) -> None:
    row = STEP_TYPES[ANY_CUSTOM]
    assert written(row.params.model_validate({name: [1]})) == {name: [1]}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just(LATE),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@pytest.mark.parametrize("row", ROWS)
@settings(max_examples=40)
@given(data=st.data())
def test_no_input_does_more_than_be_refused(row: StepType, data: st.DataObject) -> None:
    params = example(row)["params"]
    fields = [*row.params.model_fields] or ["anything"]
    for name in data.draw(st.lists(st.sampled_from(fields), max_size=3)):
        params[name] = data.draw(JSON)
    try:
        checked: Params = row.params.model_validate(params)
    except ValidationError:
        return
    plain, _ = taken_out(written(checked))
    json.dumps(plain)


@pytest.mark.parametrize("params", [None, [], "text", 7, {7: 8}, {"params": {"params": {}}}])
def test_what_is_no_mapping_of_parameters_is_refused(params: Any) -> None:
    for row in STEP_TYPES.values():
        if row.params.model_fields:
            assert refused(row.name, params)


def test_the_catalogue_is_there_at_once() -> None:
    script = """
import sys
import shared.step_types, shared.artifact_types
heavy = {"boto3", "yaml", "sqlalchemy", "asyncio", "httpx"} & sys.modules.keys()
built = [r.name for r in shared.step_types.STEP_TYPES.values() if r.params.__pydantic_complete__]
sys.exit(f"{heavy} {built}" if heavy or built else 0)
"""
    root = Path(__file__).parents[3]
    ended = subprocess.run(
        [sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
