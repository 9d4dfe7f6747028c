"""A row of the catalogue of step types."""

from dataclasses import dataclass
from typing import Literal

from shared.plan import Target
from shared.step_types.params import Params

ANYWHERE: tuple[Target, ...] = ("local", "docker", "aws")


@dataclass(frozen=True, slots=True, kw_only=True)
class StepType:
    """What a step of a type takes and gives, and what holds of it unless the step says otherwise."""

    name: str  # "ECS:DEPLOY"
    params: type[Params]
    outputs: tuple[str, ...] | None  # None: whatever comes of it, so that any name may be asked for
    timeout_seconds: float  # of one attempt, or of the longest wait
    summary: str  # one sentence
    example: str  # one entry of `steps`, as YAML
    artifact_kind: Literal["", "bundle", "image"] = ""  # of the artifact that it takes; empty: of any
    paths: tuple[str, ...] = ()  # parameters that name what must be in the repository
    limit_param: str = ""  # a parameter that is the time limit, in minutes; empty: only the step's own key is
    targets: tuple[Target, ...] = ("aws",)  # of the stages that it runs in
    verified: bool = False  # it brings up a candidate that is verified before it takes traffic
    on_rollback: Literal["run", "skip"] = "run"
    carried_out: bool = False  # by the deployer of this release
