"""What is deployed to the machine that Windlass runs on."""

from typing import Annotated

from pydantic import AfterValidator, Field, Strict

from shared.plan import Criteria
from shared.step_types.params import NOT_EMPTY, Command, Env, Params, Port, Text, not_empty
from shared.step_types.step_type import StepType


class LocalServiceDeploy(Params):
    """LOCAL:SERVICE:DEPLOY: a supervised process behind a stable port."""

    artifact: Text = Field(description="Unpacked afresh; the command is started in it")
    command: Annotated[Command, AfterValidator(not_empty)] = Field(
        json_schema_extra=NOT_EMPTY,
        description="The program and its arguments; PORT in its environment says where to listen",
        examples=[["python3", "server.py"]],
    )
    port: Port | None = Field(default=None, description="The stable one; without it one is chosen and kept")
    env: Env = Field(default_factory=dict, description="Environment variables")
    verify: Criteria = Field(default=Criteria(), description="When the release counts as good")
    grace_seconds: Annotated[float, Strict()] = Field(
        default=10.0,
        description="From SIGTERM to SIGKILL for the release that is replaced",
        json_schema_extra={"minimum": 0, "maximum": 600},  # `shared/language/criteria.py` holds it to them
    )


class LocalStaticDeploy(Params):
    """LOCAL:STATIC:DEPLOY: an immutable folder behind an atomic switch."""

    artifact: Text = Field(description="The folder that is served")
    port: Port | None = Field(default=None, description="The stable one; without it one is chosen and kept")
    verify: Criteria = Field(default=Criteria(), description="When the release counts as good")


TYPES = (
    StepType(
        name="LOCAL:SERVICE:DEPLOY",
        artifact_kind="bundle",
        params=LocalServiceDeploy,
        outputs=("url",),
        timeout_seconds=300.0,
        targets=("local",),
        verified=True,
        carried_out=True,
        summary="Starts a server on this machine, verifies it, and then leads the stable port to it.",
        example="""\
name: Deploy
type: LOCAL:SERVICE:DEPLOY
params:
  artifact: shop
  command: [python3, server.py]
  port: 8080
  env:
    GREETING: ${{ vars.greeting }}
  verify:
    paths: [{path: /healthz, status: 200}]
""",
    ),
    StepType(
        name="LOCAL:STATIC:DEPLOY",
        artifact_kind="bundle",
        params=LocalStaticDeploy,
        outputs=("url",),
        timeout_seconds=300.0,
        targets=("local",),
        verified=True,
        carried_out=True,
        summary="Serves a folder of files on this machine behind an atomic switch.",
        example="""\
name: Site
type: LOCAL:STATIC:DEPLOY
params:
  artifact: site
  port: 8081
""",
    ),
)
