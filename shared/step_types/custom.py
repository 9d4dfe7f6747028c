"""Steps whose code is a user's own, and whose parameters only that code knows."""

from pydantic import ConfigDict

from shared.step_types.params import Params
from shared.step_types.step_type import ANYWHERE, StepType


class CustomParams(Params):
    """CUSTOM:*: whatever the step's own code asks for."""

    model_config = ConfigDict(extra="allow")


TYPES = (
    StepType(
        name="CUSTOM:*",
        params=CustomParams,
        outputs=None,
        timeout_seconds=1800.0,
        targets=ANYWHERE,
        summary="Runs a step of your own; its code checks its parameters before it starts.",
        example="""\
name: Purge the cache
type: CUSTOM:CACHE-PURGE
params:
  zone: ${{ vars.zone }}
  tags: [shop, images]
""",
    ),
)
