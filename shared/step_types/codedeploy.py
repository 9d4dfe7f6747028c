"""Steps on AWS CodeDeploy."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from shared.placeholder import MAY_BE_LATE
from shared.step_types.params import Filled, Flag, Params, Text, require_one
from shared.step_types.step_type import StepType


class CodedeployDeploy(Params):
    """CODEDEPLOY:DEPLOY: creates a deployment of a bundle and waits for its end.

    Needs exactly one of `artifact` and `s3_url`.
    """

    application_name: Filled = Field(description="Name of the application", examples=["shop"])
    deployment_group_name: Filled = Field(description="Name of the deployment group", examples=["shop-live"])
    artifact: Text = Field(default="", description="The bundle, with its appspec file in it")
    s3_url: Text = Field(
        default="",
        description="The bundle as an object; instead of artifact",
        examples=["s3://acme/shop.zip"],
    )
    deployment_config_name: Text = Field(
        default="",
        description="How fast; empty: as the deployment group has it",
        examples=["CodeDeployDefault.OneAtATime"],
    )
    description: Text = Field(default="", description="Shown beside the deployment; empty: the revision")
    file_exists_behavior: Annotated[Literal["DISALLOW", "OVERWRITE", "RETAIN"], MAY_BE_LATE] = Field(
        default="DISALLOW", description="What becomes of a file that is in the way on an instance"
    )
    ignore_application_stop_failures: Flag = Field(
        default=False, description="Whether a deployment goes on if the earlier one's stop hook fails"
    )

    @model_validator(mode="after")
    def _has_one_bundle(self) -> Self:
        require_one(self, "artifact", "s3_url")
        return self


TYPES = (
    StepType(
        name="CODEDEPLOY:DEPLOY",
        artifact_kind="bundle",
        params=CodedeployDeploy,
        outputs=("deployment_id",),
        timeout_seconds=3600.0,
        summary="Deploys a bundle through a CodeDeploy deployment group.",
        example="""\
name: Instances
type: CODEDEPLOY:DEPLOY
params:
  application_name: shop
  deployment_group_name: shop-live
  artifact: server
""",
    ),
)
