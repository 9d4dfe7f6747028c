"""What each step type takes and gives: a contract between synthesizer and deployer.

How a step is carried out lives in the deployer, one module a type.
"""

from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from shared.plan import Criteria


class Params(BaseModel):
    """Parameters of a step; strict keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


Port = Annotated[int, Field(ge=1, le=65535)]


class ScriptExecute(Params):
    """SCRIPT:EXECUTE: shell lines of the repository's own, in an unpacked artifact or an empty folder."""

    commands: tuple[str, ...] = Field(min_length=1)  # run by `sh -eu`, one script
    artifact: str = ""  # unpacked afresh as the working directory
    env: dict[str, str] = Field(default_factory=dict)


class LocalServiceDeploy(Params):
    """LOCAL:SERVICE:DEPLOY: a supervised process behind a stable port."""

    artifact: str
    command: tuple[str, ...] = Field(
        min_length=1
    )  # started in the unpacked artifact; PORT says where to listen
    port: Port | None = None  # the stable one; None: one is chosen once and kept
    env: dict[str, str] = Field(default_factory=dict)
    verify: Criteria = Criteria()
    grace_seconds: float = 10.0  # from SIGTERM to SIGKILL for the release that is replaced


class LocalStaticDeploy(Params):
    """LOCAL:STATIC:DEPLOY: an immutable folder behind an atomic switch."""

    artifact: str
    port: Port | None = None
    verify: Criteria = Criteria()


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
