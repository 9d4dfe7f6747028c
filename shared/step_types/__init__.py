"""What each step type takes and gives: a contract between the language and the deployer.

How a step is carried out lives in the deployer, one module a type.
"""

from shared.step_types.approval import ApprovalTest
from shared.step_types.catalogue import STEP_TYPES, canonical, find, known
from shared.step_types.local import LocalServiceDeploy, LocalStaticDeploy
from shared.step_types.params import Params, written
from shared.step_types.script import ScriptExecute
from shared.step_types.step_type import StepType

__all__ = [
    "STEP_TYPES",
    "ApprovalTest",
    "LocalServiceDeploy",
    "LocalStaticDeploy",
    "Params",
    "ScriptExecute",
    "StepType",
    "canonical",
    "find",
    "known",
    "written",
]
