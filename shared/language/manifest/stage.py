"""A stage, as the user writes it."""

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from shared.language.manifest.part import (
    FORM,
    OURS,
    AccountId,
    Anything,
    Line,
    ManifestPart,
    Minutes,
    Region,
    RepositoryPath,
    Slug,
)
from shared.language.manifest.window import WindowManifest
from shared.plan import Criteria, Target


def _window_form(value: Any) -> str:
    return FORM + ("name" if isinstance(value, str) else "window")


WindowSetting = Annotated[
    Annotated[str, Tag(FORM + "name")] | Annotated[WindowManifest, Tag(FORM + "window")],
    Discriminator(_window_form),
]


class Infrastructure(ManifestPart):
    """DevRamps' older way to say TERRAFORM:SYNTHESIZE: a block of the stage instead of a step."""

    source: RepositoryPath | None = Field(default=None, description="Folder of the Terraform code")
    requires_approval: Literal["ALWAYS", "NEVER", "DESTRUCTIVE_CHANGES_ONLY"] | None = Field(
        default=None, description="Which changes a person must approve"
    )
    variables: dict[str, Anything] = Field(default_factory=dict, description="Terraform variables")


class Stage(ManifestPart):
    """One place that revisions are deployed to, after the stages above it."""

    name: Slug = Field(description="Unique in the pipeline; stands in URLs and logs", examples=["staging"])
    target: Target | None = Field(
        default=None,
        description="What it deploys to: `aws` where there is an account_id, else `local`",
        json_schema_extra=OURS,
    )
    account_id: AccountId | None = Field(
        default=None, description="AWS account, 12 digits, in quotes", examples=["100000000001"]
    )
    region: Region | None = Field(default=None, description="AWS region", examples=["eu-west-1"])
    deployment_time_window: WindowSetting | None = Field(
        default=None,
        description="When runs may begin: a preset, the name of one of `windows`, or a window",
        examples=["PACIFIC_WORKING_HOURS"],
    )
    vars: dict[str, Anything] = Field(
        default_factory=dict,
        description="Values of this stage, read as ${{ vars.name }}",
        examples=[{"port": 8080}],
    )
    skip: tuple[str, ...] = Field(
        default=(), description="Names or ids of steps that are left out here", examples=[["Smoke test"]]
    )
    auto_rollback_alarm_name: Line | None = Field(
        default=None,
        description="An alarm of this account and region; while it fires, what runs is rolled back",
    )
    queue: Literal["newest", "fifo"] = Field(
        default="newest",
        description="Who waits for a stage that is busy: the newest revision alone, or all, the oldest first",
        json_schema_extra=OURS,
    )
    infrastructure: Infrastructure | None = Field(
        default=None,
        description="DevRamps' older form of a TERRAFORM:SYNTHESIZE step; write the step instead",
    )
    verify: Criteria | None = Field(
        default=None,
        description="When a service counts as good, unless its step says so itself",
        json_schema_extra=OURS,
    )
    timeout_minutes: Minutes | None = Field(
        default=None, description="For a whole run, 60 unless said", json_schema_extra=OURS
    )
