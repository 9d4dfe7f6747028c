"""What the user wrote: the keys of a pipeline file, each with its type and meaning.

The models are the language's grammar: files are checked against them, the JSON Schemas for editors are
made from them. What refers to something elsewhere in the file is judged by `definition_reading`, what
depends on facts of the revision by `synthesis`.
"""

from shared.language.manifest.artifact import Artifact
from shared.language.manifest.part import ManifestPart
from shared.language.manifest.pipeline import (
    EphemeralEnvironment,
    Notifications,
    Pipeline,
    PipelineFile,
    StageDefaults,
)
from shared.language.manifest.stage import Infrastructure, Stage
from shared.language.manifest.step import AttemptsSetting, Step

__all__ = [
    "Artifact",
    "AttemptsSetting",
    "EphemeralEnvironment",
    "Infrastructure",
    "ManifestPart",
    "Notifications",
    "Pipeline",
    "PipelineFile",
    "Stage",
    "StageDefaults",
    "Step",
]
