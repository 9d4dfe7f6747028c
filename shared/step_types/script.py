"""SCRIPT:EXECUTE."""

from pydantic import Field

from shared.step_types.params import Params, Text


class ScriptExecute(Params):
    """Shell lines of the repository's own, in an unpacked artifact or an empty folder."""

    commands: tuple[str, ...] = Field(
        min_length=1, description="Run by `sh -eu`, one script", examples=[["./migrate.sh"]]
    )
    artifact: Text = Field(default="", description="Unpacked afresh as the working directory")
    env: dict[str, Text] = Field(default_factory=dict, description="Environment variables")
