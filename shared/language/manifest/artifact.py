"""An artifact, as the user writes it."""

from typing import Literal

from pydantic import Field

from shared.language.manifest.part import (
    OURS,
    Anything,
    EnvironmentValue,
    Flag,
    Id,
    ManifestPart,
    Minutes,
    SourcePath,
    Tool,
)


class Artifact(ManifestPart):
    """Something built once and carried through the stages; its key is its display name."""

    type: str = Field(
        description="BUNDLE:BUILD, BUNDLE:IMPORT, DOCKER:BUILD or DOCKER:IMPORT", examples=["BUNDLE:BUILD"]
    )
    id: Id | None = Field(default=None, description="For expressions and steps; made of the name if absent")
    params: dict[str, Anything] = Field(default_factory=dict, description="What its type takes")
    rebuild_when_changed: tuple[SourcePath, ...] | None = Field(
        default=None,
        description="Paths whose content decides whether it is built again; the whole repository unless said",
        examples=[["/app"]],
    )
    envs: dict[str, EnvironmentValue] = Field(
        default_factory=dict, description="Environment variables of the build"
    )
    per_stage: Flag = Field(default=False, description="Made once for each stage, whose vars it may use")
    architecture: Literal["linux/amd64", "linux/arm64"] | None = Field(
        default=None, description="What it is built on; the builder's own unless said"
    )
    host_size: Literal["small", "medium", "large"] = Field(
        default="small", description="How large that machine is"
    )
    dependencies: tuple[Tool, ...] = Field(
        default=(), description="Tools the build needs", examples=[["node.22"]]
    )
    timeout_minutes: Minutes | None = Field(
        default=None, description="30 unless said", json_schema_extra=OURS
    )
