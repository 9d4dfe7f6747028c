"""What is deployed to the machine that Windlass runs on."""

from pydantic import Field

from shared.plan import Criteria
from shared.step_types.params import Params, Port, Text


class LocalServiceDeploy(Params):
    """LOCAL:SERVICE:DEPLOY: a supervised process behind a stable port."""

    artifact: Text = Field(description="Unpacked afresh; the command is started in it")
    command: tuple[Text, ...] = Field(
        min_length=1,
        description="The program and its arguments; PORT in its environment says where to listen",
        examples=[["python3", "server.py"]],
    )
    port: Port | None = Field(default=None, description="The stable one; without it one is chosen and kept")
    env: dict[str, Text] = Field(default_factory=dict, description="Environment variables")
    verify: Criteria = Field(default=Criteria(), description="When the release counts as good")
    grace_seconds: float = Field(
        default=10.0, description="From SIGTERM to SIGKILL for the release that is replaced"
    )


class LocalStaticDeploy(Params):
    """LOCAL:STATIC:DEPLOY: an immutable folder behind an atomic switch."""

    artifact: Text = Field(description="The folder that is served")
    port: Port | None = Field(default=None, description="The stable one; without it one is chosen and kept")
    verify: Criteria = Field(default=Criteria(), description="When the release counts as good")
