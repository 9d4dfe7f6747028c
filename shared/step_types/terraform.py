"""Steps that make infrastructure."""

from typing import Annotated, Literal

from pydantic import Field

from shared.placeholder import MAY_BE_LATE
from shared.step_types.params import Params, RepositoryPath, Text, Values
from shared.step_types.step_type import ANYWHERE, StepType


class TerraformSynthesize(Params):
    """TERRAFORM:SYNTHESIZE: plans, asks where it must, and applies exactly the plan that was shown.

    Every output of the configuration is an output of the step.
    """

    source: RepositoryPath = Field(description="Folder of the configuration", examples=["/terraform"])
    variables: Values = Field(
        default_factory=dict,
        description="The configuration's variables: every one without a default, and none it does not have",
        examples=[{"image": "${{ stage.artifacts.server.image_url }}"}],
    )
    requires_approval: Annotated[Literal["ALWAYS", "NEVER", "DESTRUCTIVE_CHANGES_ONLY"], MAY_BE_LATE] = Field(
        default="DESTRUCTIVE_CHANGES_ONLY",
        description="Which plans a person must approve: those with any change, none, or those that modify "
        "or destroy what exists",
    )
    backend_config: dict[str, Text] = Field(
        default_factory=dict,
        description="Settings for the configuration's empty backend block; without them the stage's own",
        examples=[{"bucket": "acme-terraform-state", "key": "shop/live"}],
    )
    workspace: Text = Field(default="", description="Workspace to work in; empty: the default one")


TYPES = (
    StepType(
        name="TERRAFORM:SYNTHESIZE",
        paths=("source",),
        params=TerraformSynthesize,
        outputs=None,
        timeout_seconds=3600.0,
        targets=ANYWHERE,
        on_rollback="skip",
        summary="Plans and applies a Terraform configuration; its outputs become the step's.",
        example="""\
name: Infrastructure
id: infra
type: TERRAFORM:SYNTHESIZE
params:
  source: /terraform
  requires_approval: DESTRUCTIVE_CHANGES_ONLY
  variables:
    tier: ${{ vars.tier }}
    image: ${{ stage.artifacts.server.image_url }}
    db_password: ${{ stage_secret("DB_PASSWORD") }}
""",
    ),
)
