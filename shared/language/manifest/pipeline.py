"""A pipeline and the file it stands in, as the user writes them."""

from typing import Annotated, Literal, Self

from annotated_types import Gt, MinLen
from pydantic import Field, Strict, model_validator

from shared.language.manifest.artifact import Artifact
from shared.language.manifest.part import (
    OURS,
    AccountId,
    Anything,
    Line,
    ManifestPart,
    Minutes,
    Region,
    Slug,
    wrong,
)
from shared.language.manifest.stage import Infrastructure, Stage, WindowSetting
from shared.language.manifest.step import Step
from shared.language.manifest.window import WindowManifest, WindowName
from shared.language.tracks import MAIN, Tracks
from shared.plan import Criteria, DefinitionApproval

# The stage events that Slack can be told of; the last three are DevRamps' words for later.
SlackEvent = Literal[
    "stage_failed",
    "approval_required",
    "ephemeral_claimed",
    "ephemeral_released",
    "ephemeral_deployment_succeeded",
    "ephemeral_deployment_failed",
    "stage_auto_rolled_back",
    "stage_rolled_back",
    "stage_rolled_forward",
]


class StageDefaults(ManifestPart):
    """What holds for every stage that does not say otherwise."""

    deployment_time_window: WindowSetting | None = Field(default=None, description="When runs may begin")
    infrastructure: Infrastructure | None = Field(
        default=None, description="DevRamps' older form of a TERRAFORM:SYNTHESIZE step"
    )
    vars: dict[str, Anything] = Field(
        default_factory=dict, description="Values that stages may overrule", json_schema_extra=OURS
    )
    verify: Criteria | None = Field(
        default=None, description="When a service counts as good", json_schema_extra=OURS
    )
    timeout_minutes: Minutes | None = Field(
        default=None, description="For a whole run of a stage", json_schema_extra=OURS
    )


class Slack(ManifestPart):
    """Messages to a channel."""

    channel: Line = Field(description="Where they go", examples=["#deployments"])
    events: Annotated[tuple[SlackEvent, ...], MinLen(1)] = Field(description="What is told")


class Notifications(ManifestPart):
    """Who is told of what."""

    slack: Slack | None = Field(default=None, description="A Slack channel")


class EphemeralTrigger(ManifestPart):
    """What claims an ephemeral environment."""

    on: Literal["pull_request", "api"] = Field(description="What claims it")
    target_branches: tuple[str, ...] = Field(
        default=(), description="pull_request: globs of the branches it goes to", examples=[["feat-*"]]
    )
    source_branches: tuple[str, ...] = Field(
        default=(), description="pull_request: globs of the branches it comes from", json_schema_extra=OURS
    )

    @model_validator(mode="after")
    def _has_branches(self) -> Self:
        if self.on == "pull_request" and not (self.target_branches or self.source_branches):
            raise wrong("needs target_branches", 'say which: target_branches: ["feat-*"]', "missing-key")
        return self


class EphemeralRelease(ManifestPart):
    """What gives an ephemeral environment back."""

    on: Literal["pr_closed", "api", "timeout"] = Field(description="What gives it back")
    after_idle_hours: Annotated[float, Strict(), Gt(0)] | None = Field(
        default=None, description="timeout: how long nothing was deployed"
    )

    @model_validator(mode="after")
    def _has_hours(self) -> Self:
        if self.on == "timeout" and self.after_idle_hours is None:
            raise wrong("needs after_idle_hours", "say how long: after_idle_hours: 12", "missing-key")
        return self


class EphemeralEnvironment(ManifestPart):
    """A stage outside of the promotion order that one branch at a time may claim."""

    triggers: Annotated[tuple[EphemeralTrigger, ...], MinLen(1)] = Field(description="What claims it")
    release: Annotated[tuple[EphemeralRelease, ...], MinLen(1)] = Field(description="What gives it back")
    on_release: Literal["deploy_main"] = Field(
        default="deploy_main", description="What is deployed when it was given back"
    )
    account_id: AccountId = Field(description="AWS account, 12 digits, in quotes")
    region: Region = Field(description="AWS region")
    vars: dict[str, Anything] = Field(default_factory=dict, description="Values, as in stages")
    skip: tuple[str, ...] = Field(default=(), description="Names or ids of steps that are left out")


class Pipeline(ManifestPart):
    """What a push to the tracked branch goes through."""

    name: Line | None = Field(
        default=None, description="Shown to people; the folder's name unless said", json_schema_extra=OURS
    )
    cloud_provider: Literal["AWS"] | None = Field(
        default=None, description="The only one there is; may be left out"
    )
    infrastructure_provider: Line | None = Field(
        default=None, description="DevRamps' own; has no effect here"
    )
    pipeline_updates_require_approval: DefinitionApproval = Field(
        default="NEVER",
        description="Which changes of this file a person must approve before they take effect",
    )
    tracks: Tracks = Field(default=MAIN, description="Which pushes deploy: a branch unless more is said")
    timeout_minutes: Minutes | None = Field(
        default=None, description="For a revision's whole way through the stages", json_schema_extra=OURS
    )
    windows: dict[WindowName, WindowManifest] = Field(
        default_factory=dict, description="Deployment windows, by name", json_schema_extra=OURS
    )
    stage_defaults: StageDefaults | None = Field(default=None, description="What holds for every stage")
    stages: tuple[Stage, ...] = Field(default=(), description="In the order of promotion, at least one")
    artifacts: dict[str, Artifact] = Field(default_factory=dict, description="By display name")
    steps: tuple[Step, ...] = Field(default=(), description="What is done in each stage")
    notifications: Notifications | None = Field(default=None, description="Who is told of what")
    ephemeral_environments: dict[Slug, EphemeralEnvironment] = Field(
        default_factory=dict, description="Environments that a pull request or a call claims for a while"
    )


class PipelineFile(ManifestPart):
    """`.windlass/<pipeline>/pipeline.yaml`."""

    version: Literal["1"] = Field(description="Of the language")
    pipeline: Pipeline = Field(description="The pipeline")
