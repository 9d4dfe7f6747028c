"""What each step type takes and gives: a contract between the language and the deployer.

How a step is carried out lives in the deployer, one module a type.
"""

from dataclasses import dataclass

from shared.step_types.local import LocalServiceDeploy, LocalStaticDeploy
from shared.step_types.params import Params
from shared.step_types.script import ScriptExecute

__all__ = [
    "STEP_TYPES",
    "LocalServiceDeploy",
    "LocalStaticDeploy",
    "Params",
    "ScriptExecute",
    "StepType",
]


@dataclass(frozen=True, slots=True)
class StepType:
    """One row of the catalogue."""

    params: type[Params]
    outputs: tuple[str, ...]
    verified: bool  # it brings up a candidate that is verified before it takes traffic
    timeout_seconds: float  # unless the step says otherwise


STEP_TYPES: dict[str, StepType] = {
    "SCRIPT:EXECUTE": StepType(ScriptExecute, outputs=(), verified=False, timeout_seconds=1800.0),
    "LOCAL:SERVICE:DEPLOY": StepType(
        LocalServiceDeploy, outputs=("url",), verified=True, timeout_seconds=300.0
    ),
    "LOCAL:STATIC:DEPLOY": StepType(
        LocalStaticDeploy, outputs=("url",), verified=True, timeout_seconds=300.0
    ),
}
