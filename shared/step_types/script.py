"""SCRIPT:EXECUTE."""

from typing import Annotated

from pydantic import AfterValidator, Field

from shared.step_types.params import NOT_EMPTY, Env, Params, Script, Text, not_empty
from shared.step_types.step_type import ANYWHERE, StepType


class ScriptExecute(Params):
    """Shell lines of the repository's own, in an unpacked artifact or an empty folder.

    A line `NAME=value` that the script writes to the file in `$WINDLASS_OUTPUT` becomes an output, and so do
    the lines between `NAME<<MARK` and `MARK`: at most 100, each of at most 32 KiB, 128 KiB in all. What is
    written there in another form fails the step. Later steps take outputs through their `env`.

    With `attempts` it is tried again only if a tool in it says that the network failed, as `curl: (7) ...`
    does; docs/pipeline.md lists such lines. Any other end than with 0 fails the step at once.
    """

    commands: Annotated[Script, AfterValidator(not_empty)] = Field(
        description="Run by `sh -eu`, one script",
        examples=[["./migrate.sh"]],
        json_schema_extra=NOT_EMPTY,
    )
    artifact: Text = Field(default="", description="Unpacked afresh as the working directory")
    env: Env = Field(default_factory=dict, description="Environment variables")


TYPES = (
    StepType(
        name="SCRIPT:EXECUTE",
        artifact_kind="bundle",
        params=ScriptExecute,
        outputs=None,
        timeout_seconds=1800.0,
        targets=ANYWHERE,
        carried_out=True,
        summary="Runs shell lines of the repository's own.",
        example="""\
name: Smoke test
type: SCRIPT:EXECUTE
params:
  artifact: shop
  commands: sh ./smoke.sh
  env: {TIER: "${{ vars.tier }}"}
""",
    ),
)
