"""A step's late values, filled in from what its own run already knows: outputs and pinned artifacts.

The outputs of a step that succeeded never change, nor do a revision's artifacts: whoever fills in again
after a restart fills in the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from pydantic import ValidationError

from services.deployer.records import StepRecord
from shared.events import Evidence
from shared.ids import Digest
from shared.language.expression import Mistake
from shared.language.late import fill
from shared.language.problem import quoted
from shared.placeholder import ArtifactOf, FactOf, OutputOf, SecretOf
from shared.plan import StepPlan
from shared.step_types import find


def filled_in(
    step: StepPlan, steps: Mapping[str, StepRecord], artifacts: Mapping[str, Digest]
) -> StepPlan | Mistake:
    """Return the step with nothing late left in its parameters, or why that cannot be."""
    if not step.late:
        return step
    params = fill(step.params, step.late, _Known(steps, artifacts).value)
    if isinstance(params, Mistake):
        return params
    filled = step.model_copy(update={"params": params, "late": ()})
    return _misfit(filled) or filled


def lacking(step: StepPlan, mistake: Mistake, now: datetime) -> Evidence:
    """Return why a step was not begun: in no phase of a release, since nothing of one was brought up."""
    return Evidence(
        phase="deploy",
        kind="error",
        what=step.name,
        message=f"step '{step.name}' was not started: {mistake.message}",
        finished_at=now,
        stated="lacking",
    )


@dataclass(frozen=True, slots=True)
class _Known:
    """What this release can tell when a step starts."""

    steps: Mapping[str, StepRecord]
    artifacts: Mapping[str, Digest]

    def value(self, source: OutputOf | SecretOf | ArtifactOf | FactOf) -> str | Mistake:
        match source:
            case OutputOf(step=step, name=name):
                return self._output(step, name)
            case ArtifactOf(artifact=artifact, name="digest"):
                missing = Mistake(f"artifact {quoted(artifact)} has no digest in this run")
                return self.artifacts.get(artifact) or missing
            case ArtifactOf(artifact=artifact, name=name):
                return Mistake(f"this release cannot tell {name} of artifact {quoted(artifact)}")
            case SecretOf(owner=owner, name=name):
                return Mistake(f"this release keeps no secrets, and {quoted(name)} is one of the {owner}'s")
            case FactOf(names=names):
                return Mistake(f"this installation does not tell {quoted('.'.join(names))}")

    def _output(self, step: str, name: str) -> str | Mistake:
        record = self.steps.get(step)
        if record is None:
            return Mistake(f"this run has no step {quoted(step)}")
        if name in record.outputs:
            return record.outputs[name]
        if not record.attempt:
            why = f"step {quoted(step)} was left out of this run and gave no {quoted(name)}"
        else:
            why = f"step {quoted(step)} gave no output {quoted(name)}"
        return Mistake(why, absent=True)


def _misfit(step: StepPlan) -> Mistake | None:
    """Return why the step's type does not take the values: only now is known what kind they are of."""
    type_ = find(step.type)
    if type_ is None:
        return Mistake(f"this release has no step type {quoted(step.type)}")
    try:
        type_.params.model_validate(step.params)  # scalars are strict of themselves
    except ValidationError as exc:
        error = exc.errors(include_url=False, include_input=False, include_context=False)[0]
        at = ".".join(map(str, error["loc"])) or "params"
        what = error["msg"][:1].lower() + error["msg"][1:]
        return Mistake(f"the value for {quoted(at)} does not fit: {what}")
    return None
