"""Steps on Amazon ECS."""

from typing import Annotated, Literal, Self

from pydantic import Field, Strict, model_validator

from shared.placeholder import MAY_BE_LATE, MAY_COME_LATE
from shared.step_types.params import (
    Command,
    Env,
    Filled,
    Flag,
    Params,
    Percent,
    Text,
    Texts,
    forbid_both,
    refusal,
    require_one,
)
from shared.step_types.step_type import StepType


class EcsDeploy(Params):
    """ECS:DEPLOY: registers a revision of a task definition with the new image and rolls it out.

    Needs exactly one of `image_url` and `artifact`.
    """

    cluster_name: Filled = Field(description="Name or ARN of the cluster", examples=["shop"])
    service_name: Filled = Field(description="Name or ARN of the service", examples=["shop-web"])
    reference_task_definition: Text = Field(
        default="",
        description="Family, revision or ARN that the new revision is a copy of, but for the image; "
        "empty: what the service runs now",
        examples=["shop-web", "shop-web:41"],
    )
    image_url: Text = Field(
        default="", description="The image, by digest or tag; instead of artifact", examples=["nginx:1.27"]
    )
    artifact: Text = Field(default="", description="The image artifact; instead of image_url")
    container_name: Text = Field(
        default="", description="Whose image it is; needed if the task definition has several containers"
    )
    env: Env = Field(
        default_factory=dict, description="Environment variables that are added to that container's"
    )
    desired_count: Annotated[int, Strict(), Field(ge=0, le=10_000), MAY_COME_LATE] | None = Field(
        default=None, description="How many tasks; without it as many as there are"
    )
    minimum_healthy_percent: Percent | None = Field(
        default=None, description="Of the tasks, how many stay up meanwhile; without it as the service has it"
    )
    maximum_percent: Percent | None = Field(
        default=None,
        description="Of the tasks, how many may be up meanwhile; without it as the service has it",
    )
    circuit_breaker: Flag = Field(
        default=True, description="Whether ECS gives up on tasks that keep failing, before the timeout does"
    )

    @model_validator(mode="after")
    def _has_one_image(self) -> Self:
        require_one(self, "image_url", "artifact")
        return self


class EcsRunTask(Params):
    """ECS:RUN_TASK: starts a task, follows its output and waits for its end.

    The step fails if a container that is essential ends with another code than 0.

    On FARGATE it needs `subnets`, or `service_name` to take those of a service. Of `image_url` and
    `artifact` it takes one at most.
    """

    cluster_name: Filled = Field(description="Name or ARN of the cluster", examples=["shop"])
    task_definition: Filled = Field(
        description="Family, revision or ARN of what is run", examples=["shop-report"]
    )
    image_url: Text = Field(
        default="", description="Image to run it with, as a new revision; empty: the task definition's own"
    )
    artifact: Text = Field(default="", description="The same as an image artifact")
    container_name: Text = Field(
        default="",
        description="Whose image, command and env these are; needed if there are several containers",
    )
    command: Command = Field(
        default=(),
        description="The program and its arguments; empty: the container's own",
        examples=[["python", "manage.py", "report"]],
    )
    env: Env = Field(default_factory=dict, description="Environment variables added to the container's")
    launch_type: Annotated[Literal["FARGATE", "EC2"], MAY_BE_LATE] = Field(
        default="FARGATE", description="What it runs on"
    )
    service_name: Text = Field(
        default="", description="Service whose subnets and security groups the task gets; instead of subnets"
    )
    subnets: Texts = Field(default=(), description="Ids of subnets", examples=[["subnet-0a1b2c3d"]])
    security_groups: Texts = Field(default=(), description="Ids of security groups, beside subnets")
    assign_public_ip: Flag = Field(default=False, description="Whether the task gets a public address")
    cpu: Text = Field(default="", description="CPU units instead of the task definition's", examples=["512"])
    memory: Text = Field(default="", description="MiB instead of the task definition's", examples=["1024"])
    count: Annotated[int, Strict(), Field(ge=1, le=10), MAY_COME_LATE] = Field(
        default=1, description="How many of them, side by side"
    )

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        forbid_both(self, "image_url", "artifact")
        forbid_both(self, "service_name", "subnets")
        if self.launch_type == "FARGATE" and not (self.subnets or self.service_name):
            raise refusal("need subnets, or service_name to take those of a service, for FARGATE")
        return self


TYPES = (
    StepType(
        name="ECS:DEPLOY",
        artifact_kind="image",
        params=EcsDeploy,
        outputs=("service_arn", "task_definition_arn", "deployment_id"),
        timeout_seconds=1800.0,
        summary="Rolls a new image out to an ECS service and waits until it is steady.",
        example="""\
name: Roll out
type: ECS:DEPLOY
params:
  cluster_name: ${{ steps.infra.cluster }}
  service_name: ${{ steps.infra.service }}
  reference_task_definition: ${{ steps.infra.taskdef }}
  image_url: ${{ stage.artifacts.server.image_url }}
""",
    ),
    StepType(
        name="ECS:RUN_TASK",
        artifact_kind="image",
        params=EcsRunTask,
        outputs=("task_arns", "exit_code"),
        timeout_seconds=3600.0,
        summary="Runs a one-off ECS task to its end, with its output in the log.",
        example="""\
name: Warm the cache
type: ECS:RUN_TASK
params:
  cluster_name: shop
  task_definition: shop-web
  artifact: server
  command: [python, manage.py, warm_cache]
  service_name: shop-web
""",
    ),
)
