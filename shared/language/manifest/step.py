"""A step, as the user writes it."""

from typing import Annotated, Any, Literal

from annotated_types import Ge, Le
from pydantic import Discriminator, Field, Strict, Tag

from shared.language.manifest.part import FORM, OURS, Anything, Flag, Id, Line, ManifestPart, Minutes, Tool

ATTEMPTS_MAX = 10
BACKOFF_SECONDS_MAX = 3600.0


class AttemptsSetting(ManifestPart):
    """How often a step is tried, and how far apart."""

    max: Annotated[int, Strict(), Ge(1), Le(ATTEMPTS_MAX)] = Field(description="The first one included")
    backoff_seconds: Annotated[float, Strict(), Ge(0), Le(BACKOFF_SECONDS_MAX)] = Field(
        default=10.0, description="Before the second; doubled before each further one"
    )
    backoff_seconds_max: Annotated[float, Strict(), Ge(0), Le(BACKOFF_SECONDS_MAX)] = Field(
        default=300.0, description="The longest that is waited"
    )


def _attempts_form(value: Any) -> str:
    return FORM + ("settings" if isinstance(value, dict | AttemptsSetting) else "number")


Attempts = Annotated[
    Annotated[int, Strict(), Ge(1), Le(ATTEMPTS_MAX), Tag(FORM + "number")]
    | Annotated[AttemptsSetting, Tag(FORM + "settings")],
    Discriminator(_attempts_form),
]


class Step(ManifestPart):
    """One action of a deployment, the same in every stage but for the stage's values."""

    name: Line = Field(description="Unique in the pipeline", examples=["Migrate"])
    type: str = Field(description="What it does, from the catalogue of steps", examples=["SCRIPT:EXECUTE"])
    id: Id | None = Field(
        default=None, description="For expressions: ${{ steps.id.output }}; made of the name if absent"
    )
    params: dict[str, Anything] = Field(default_factory=dict, description="What its type takes")
    goes_after: tuple[str, ...] | None = Field(
        default=None, description="Names or ids of the steps it waits for; the one above it unless said"
    )
    architecture: Literal["linux/amd64", "linux/arm64"] | None = Field(
        default=None, description="CUSTOM steps: the machine it runs on"
    )
    host_size: Literal["small", "medium", "large"] | None = Field(
        default=None, description="CUSTOM steps: how large that machine is"
    )
    dependencies: tuple[Tool, ...] = Field(default=(), description="CUSTOM steps: tools it needs there")
    timeout_minutes: Minutes | None = Field(
        default=None, description="For one attempt; each type has its own default", json_schema_extra=OURS
    )
    attempts: Attempts | None = Field(
        default=None,
        description="Tries when the network fails, as curl, git, npm and other tools say it: a number, or "
        "with backoff; a script that just exits with 1 is not tried again",
        examples=[3, {"max": 3, "backoff_seconds": 10}],
        json_schema_extra=OURS,
    )
    repeatable: Flag = Field(
        default=False,
        description="May run again when its host went down in the middle of it",
        json_schema_extra=OURS,
    )
    on_sibling_failure: Literal["cancel", "finish"] = Field(
        default="cancel", description="What happens to it when a step beside it fails", json_schema_extra=OURS
    )
    on_rollback: Literal["run", "skip"] | None = Field(
        default=None,
        description="Whether rollbacks run it; each type has its own default",
        json_schema_extra=OURS,
    )
