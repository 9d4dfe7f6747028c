"""Steps on Amazon CloudFront."""

from typing import Annotated

from pydantic import AfterValidator, Field

from shared.placeholder import MAY_BE_LATE
from shared.step_types.params import NOT_EMPTY, Filled, Flag, Params, Text, is_late, not_empty, refusal
from shared.step_types.step_type import StepType

PATHS_MAX = 3000  # that CloudFront works on at a time


def _with_slashes(paths: tuple[Text, ...]) -> tuple[Text, ...]:
    if not all(is_late(path) or path.startswith("/") for path in paths):
        raise refusal('must hold paths, each with a slash in front: "/*"')
    return paths


Paths = Annotated[
    tuple[Text, ...],
    Field(max_length=PATHS_MAX, json_schema_extra=NOT_EMPTY),
    AfterValidator(not_empty),
    AfterValidator(_with_slashes),
    MAY_BE_LATE,
]


class CloudfrontInvalidate(Params):
    """CLOUDFRONT:INVALIDATE: creates an invalidation and waits until it is complete."""

    distribution_id: Filled = Field(description="Id of the distribution", examples=["E2QWRUHAPOMQZL"])
    paths: Paths = Field(
        default=("/*",), description="What is dropped from the caches", examples=[["/index.html", "/api/*"]]
    )
    wait: Flag = Field(default=True, description="Whether the step waits until it is complete")


TYPES = (
    StepType(
        name="CLOUDFRONT:INVALIDATE",
        params=CloudfrontInvalidate,
        outputs=("invalidation_id",),
        timeout_seconds=1800.0,
        summary="Drops paths from a CloudFront distribution's caches.",
        example="""\
name: Fresh pages
type: CLOUDFRONT:INVALIDATE
params:
  distribution_id: ${{ steps.infra.distribution_id }}
  paths: [/index.html, "/pages/*"]
""",
    ),
)
