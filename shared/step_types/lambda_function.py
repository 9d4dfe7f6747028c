"""Steps on AWS Lambda."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from shared.placeholder import MAY_BE_LATE
from shared.step_types.params import Filled, Flag, Params, Text, refusal, require_one
from shared.step_types.step_type import StepType


class LambdaDeploy(Params):
    """LAMBDA:DEPLOY: updates a function's code and waits until it is in use.

    Needs exactly one of `artifact`, `image_url` and `s3_url`.
    """

    function_name: Filled = Field(description="Name or ARN of the function", examples=["shop-thumbnails"])
    artifact: Text = Field(default="", description="The bundle or image artifact that is its code")
    image_url: Text = Field(default="", description="The image that is its code; instead of artifact")
    s3_url: Text = Field(
        default="",
        description="The zip file that is its code; instead of artifact",
        examples=["${{ stage.artifacts.thumbnails.s3_url }}"],
    )
    architecture: Annotated[Literal["", "x86_64", "arm64"], MAY_BE_LATE] = Field(
        default="", description="What the code is made for; empty: as the function has it"
    )
    publish: Flag = Field(default=True, description="Whether the code becomes a version of its own")
    alias: Text = Field(
        default="", description="Alias that is moved to the new version once it is active", examples=["live"]
    )

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        require_one(self, "artifact", "image_url", "s3_url")
        if self.alias and self.publish is False:
            raise refusal("cannot have alias without publish: an alias leads to a published version")
        return self


class LambdaInvoke(Params):
    """LAMBDA:INVOKE: calls a function and waits for its answer; the step fails if the function does.

    Outputs are `response` (the answer as it is), `status_code`, `executed_version`, and every key of an
    answer that is an object.
    """

    function_name: Filled = Field(description="Name or ARN of the function", examples=["shop-reindex"])
    payload: Any = Field(
        default_factory=dict, description="What it is called with", examples=[{"full": True}]
    )
    qualifier: Text = Field(
        default="", description="Version or alias; empty: the latest code", examples=["live"]
    )


TYPES = (
    StepType(
        name="LAMBDA:DEPLOY",
        params=LambdaDeploy,
        outputs=("function_arn", "version", "code_sha256"),
        timeout_seconds=900.0,
        summary="Updates a Lambda function's code from a bundle or an image.",
        example="""\
name: Thumbnails
type: LAMBDA:DEPLOY
params:
  function_name: shop-thumbnails
  artifact: thumbnails
  alias: live
""",
    ),
    StepType(
        name="LAMBDA:INVOKE",
        params=LambdaInvoke,
        outputs=None,
        timeout_seconds=960.0,  # a function runs for 900 at most
        summary="Calls a Lambda function; its answer becomes the step's output.",
        example="""\
name: Reindex
type: LAMBDA:INVOKE
params:
  function_name: shop-reindex
  payload: {revision: "${{ trigger.revision }}", full: true}
""",
    ),
)
