"""Steps on Amazon EC2 instances, reached through Systems Manager."""

import re
from typing import Annotated, Self

from pydantic import AfterValidator, Field, Strict, model_validator

from shared.placeholder import MAY_BE_LATE, MAY_COME_LATE
from shared.step_types.params import Env, Params, Script, Text, Texts, refusal, require_one
from shared.step_types.step_type import StepType

_BATCH = re.compile(r"[1-9][0-9]{0,6}|[1-9][0-9]?%|100%", re.ASCII)  # as Systems Manager takes it


def _batch(text: str) -> str:
    if not _BATCH.fullmatch(text):
        raise refusal('must be a number of instances or a share of them: "3", "25%"')
    return text


BatchSize = Annotated[
    str,
    Strict(),
    AfterValidator(_batch),
    Field(json_schema_extra={"pattern": f"^({_BATCH.pattern})$"}),
    MAY_BE_LATE,
]


class Ec2Deploy(Params):
    """EC2:DEPLOY: unpacks a bundle on instances and runs commands there, some instances at a time.

    Needs exactly one of `instance_ids`, `tags` and `auto_scaling_group`, and `artifact`, `commands` or both.
    """

    instance_ids: Texts = Field(default=(), description="Which instances", examples=[["i-0123456789abcdef0"]])
    tags: dict[str, Text] = Field(
        default_factory=dict, description="Those with all of these tags", examples=[{"Service": "shop"}]
    )
    auto_scaling_group: Text = Field(default="", description="Those in service in this Auto Scaling group")
    artifact: Text = Field(default="", description="The bundle; empty: nothing is unpacked")
    directory: Text = Field(
        default="",
        description="Absolute path on the instance where the bundle is unpacked, a folder a release; "
        "empty: /opt/ and the pipeline's name",
        examples=["/srv/shop"],
    )
    commands: Script = Field(
        default=(),
        description="Run by `sh -eu` on each instance, in the unpacked bundle",
        examples=["systemctl restart shop"],
    )
    env: Env = Field(default_factory=dict, description="Environment variables of the commands")
    run_as: Text = Field(default="", description="The instance's user that runs them; empty: root")
    batch_size: BatchSize = Field(
        default="1", description="How many instances at a time, or what share of them", examples=["25%"]
    )
    errors_max: Annotated[int, Strict(), Field(ge=0, le=1000), MAY_COME_LATE] = Field(
        default=0, description="How many instances may fail before no further one is touched"
    )

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        require_one(self, "instance_ids", "tags", "auto_scaling_group")
        if not (self.artifact or self.commands):
            raise refusal("need artifact or commands: there is nothing to do otherwise")
        return self


TYPES = (
    StepType(
        name="EC2:DEPLOY",
        artifact_kind="bundle",
        params=Ec2Deploy,
        outputs=("command_id", "instance_ids"),
        timeout_seconds=3600.0,
        summary="Delivers a bundle to EC2 instances and runs commands on them, batch by batch.",
        example="""\
name: Instances
type: EC2:DEPLOY
params:
  tags: {Service: shop, Tier: "${{ vars.tier }}"}
  artifact: server
  directory: /srv/shop
  commands: systemctl restart shop
  batch_size: 25%
""",
    ),
)
