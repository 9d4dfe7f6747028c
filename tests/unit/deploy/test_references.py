"""The generated references of steps, artifacts and the plan say all that the code says."""

import re

import pytest

from deploy.docs import plan_reference, step_reference
from shared.artifact_types import ARTIFACT_TYPES, ArtifactType
from shared.plan import Plan, StagePlan, StepPlan
from shared.step_types import STEP_TYPES, StepType

PAGE = step_reference.render()
LINES = PAGE.splitlines()
ROWS: dict[str, StepType | ArtifactType] = {**STEP_TYPES, **ARTIFACT_TYPES}


def section(name: str) -> str:
    return PAGE.partition(f"### `{name}`\n")[2].partition("\n### ")[0]


@pytest.mark.parametrize("name", ROWS)
def test_a_type_is_told_with_its_parameters_and_an_example(name: str) -> None:
    told = section(name)
    assert ROWS[name].summary in told
    assert "```yaml\n" in told
    for parameter, field in ROWS[name].params.model_fields.items():
        [line] = [line for line in told.splitlines() if line.startswith(f"| `{parameter}` |")]
        assert str(field.description) in line
        assert ("| needed |" in line) == field.is_required()


@pytest.mark.parametrize("name", STEP_TYPES)
def test_a_step_is_told_with_its_outputs(name: str) -> None:
    outputs = STEP_TYPES[name].outputs
    told = "whatever comes of it" if outputs is None else ", ".join(f"`{each}`" for each in outputs)
    assert f"Outputs: {told or 'none'}." in section(name)


def test_what_is_only_planned_is_told_so() -> None:
    planned = {line.split("`")[1] for line in LINES if line.endswith("| planned |")}
    assert planned == {row.name for row in STEP_TYPES.values() if not row.carried_out}


def test_every_link_leads_to_a_heading() -> None:
    anchors = {re.sub("[^a-z0-9_-]", "", name.lower()) for name in re.findall(r"### `(.*)`", PAGE)}
    assert {*re.findall(r"\(#(.*?)\)", PAGE)} == anchors


@pytest.mark.parametrize(
    ("name", "row"),
    [
        pytest.param(
            "APPROVAL:BAKE", "| `duration_minutes` | whole number, 1 to 10080 | needed |", id="bounds"
        ),
        pytest.param("ECS:RUN_TASK", '| `launch_type` | `FARGATE` · `EC2` | `"FARGATE"` |', id="words"),
        pytest.param("SCRIPT:EXECUTE", "| `commands` | text or list of text | needed |", id="two forms"),
        pytest.param("SCRIPT:EXECUTE", "| `env` | names to text |  |", id="what is turned into a text"),
        pytest.param("LAMBDA:INVOKE", "| `payload` | anything |  |", id="anything"),
        pytest.param(
            "LOCAL:STATIC:DEPLOY", '| `verify.paths[].path` | text | `"/"` |', id="what lies inside"
        ),
    ],
)
def test_a_parameters_type_is_told_in_words(name: str, row: str) -> None:
    assert row in section(name)


@pytest.mark.parametrize("model", [Plan, StagePlan, StepPlan])
def test_the_plan_is_told_with_all_its_fields(model: type) -> None:
    page = plan_reference.render()
    told = page.partition(f" {model.__name__}\n")[2].partition("\n#")[0]
    assert re.findall(r"^\| `(.*?)` ", told, re.MULTILINE) == [*model.__annotations__]
