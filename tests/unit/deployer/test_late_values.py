"""What a step's late values are filled in from, and what is said where that cannot be."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from services.deployer.late_values import filled_in, lacking
from services.deployer.records import StepRecord
from services.deployer.run_picture import VerificationState
from services.deployer.step_state import StepState
from shared.ids import Digest, Step
from shared.language.expression import Mistake
from shared.placeholder import Call, Constant, LateValue, OutputOf, Placeholder
from shared.plan import StepPlan

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def record(step: str, attempt: int, **outputs: str) -> StepRecord:
    return StepRecord(
        run=UUID(int=1),
        step=step,
        state=StepState.SUCCEEDED if attempt else StepState.SKIPPED,
        attempt=attempt,
        deadline_at=None,
        targets=(),
        verification=None,
        verification_state=VerificationState.NONE,
        outcome=None,
        outcome_reason="",
        outputs=outputs,
        evidence=None,
        finished_at=NOW,
    )


STEPS = {"web": record("web", 1, url="http://a"), "left": record("left", 0)}


def step(value: LateValue | None, type_: str = "SCRIPT:EXECUTE", **params: Any) -> StepPlan:
    return StepPlan(
        id=Step("smoke"),
        name="Smoke",
        type=type_,
        params={"commands": ["true"], "env": {"URL": None if value else "x"}, **params},
        late=(Placeholder(at=("env", "URL"), value=value),) if value else (),
        goes_after=(),
        timeout_seconds=1.0,
    )


def test_a_step_without_late_values_is_left_as_it_is() -> None:
    bare = step(None, type_="ANY:THING")
    assert filled_in(bare, {}, {}) is bare


def test_the_plan_itself_is_not_changed() -> None:
    late = step(OutputOf(step=Step("web"), name="url"))
    before = late.model_dump_json()
    filled = filled_in(late, STEPS, {})
    assert isinstance(filled, StepPlan)
    assert filled.params["env"] == {"URL": "http://a"}
    assert not filled.late
    assert late.model_dump_json() == before


@pytest.mark.parametrize(
    ("late", "message"),
    [
        (step(OutputOf(step=Step("left"), name="url")), "was left out of this run"),
        (step(OutputOf(step=Step("web"), name="ulr")), 'gave no output "ulr"'),
        (step(OutputOf(step=Step("gone"), name="url")), 'no step "gone"'),
        (step(OutputOf(step=Step("web"), name="url"), type_="NO:SUCH"), 'no step type "NO:SUCH"'),
        (step(OutputOf(step=Step("web"), name="url"), commands=[1]), 'the value for "commands.0"'),
        (step(OutputOf(step=Step("web"), name="url"), comands=[]), 'the value for "comands"'),
        (step(Call(function="exec", arguments=(Constant(value="x"),))), 'no function "exec"'),
    ],
)
def test_what_cannot_be_filled_in_is_a_mistake(late: StepPlan, message: str) -> None:
    found = filled_in(late, STEPS, {"web": Digest("sha256:0")})
    assert isinstance(found, Mistake)
    assert message in found.message


def test_a_refused_value_is_not_told() -> None:
    late = step(OutputOf(step=Step("web"), name="url"), artifact=7)
    found = filled_in(late, STEPS, {})
    assert isinstance(found, Mistake)
    assert "http://a" not in found.message


def test_the_evidence_names_the_step_and_belongs_to_no_release() -> None:
    evidence = lacking(step(None), Mistake("it has no value"), NOW)
    assert (evidence.phase, evidence.kind, evidence.what) == ("deploy", "error", "Smoke")
    assert evidence.message == "step 'Smoke' was not started: it has no value"
    assert evidence.finished_at == NOW
