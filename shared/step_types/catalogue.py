"""Every step type, by name, in whichever notation it is written."""

import re
from itertools import chain

from shared.step_types import (
    approval,
    cloudfront,
    codedeploy,
    custom,
    database,
    ec2,
    ecs,
    eks,
    lambda_function,
    local,
    s3,
    script,
    terraform,
)
from shared.step_types.step_type import StepType

DEVRAMPS = "DEVRAMPS:"  # in front of a type's name in DevRamps' notation
CUSTOM = "CUSTOM:"
ANY_CUSTOM = "CUSTOM:*"  # the row of all types of users' own

_CUSTOM_NAME = re.compile(r"[A-Z0-9_:-]{1,100}")

_AREAS = (
    local, script, approval, database, terraform, ecs, eks, lambda_function, s3, cloudfront, codedeploy, ec2,
    custom,
)  # fmt: skip

STEP_TYPES: dict[str, StepType] = {
    row.name: row for row in chain.from_iterable(area.TYPES for area in _AREAS)
}


def canonical(text: str) -> str:
    """Return a type's name in our notation; what is no type's name stays one that is none."""
    name = text.removeprefix(DEVRAMPS)
    return name.upper() if name.startswith(CUSTOM) and name.isascii() else name


def find(text: str) -> StepType | None:
    """Return the row of a type, in either notation."""
    name = canonical(text)
    if name.startswith(CUSTOM):
        return STEP_TYPES[ANY_CUSTOM] if _CUSTOM_NAME.fullmatch(name.removeprefix(CUSTOM)) else None
    return STEP_TYPES.get(name)


def known() -> tuple[str, ...]:
    """Return the names that may be meant by a name that is none."""
    return tuple(name for name in STEP_TYPES if name != ANY_CUSTOM)
