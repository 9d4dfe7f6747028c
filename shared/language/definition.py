"""What a pipeline file says, once it is read: frozen, with the places needed to complain later.

A definition may be incomplete; then it carries the problems that say so, and no plan is made of it.
"""

from collections.abc import Iterator
from collections.abc import Mapping as Vars
from dataclasses import dataclass, field
from typing import Any, Literal

from shared.artifact_types import ARTIFACT_TYPES, ArtifactType
from shared.language.discovery import Dialect
from shared.language.expression import has_expression
from shared.language.manifest import Artifact, Pipeline, Stage, Step
from shared.language.manifest.part import inside
from shared.language.node import Mapping, Node, Scalar
from shared.language.problem import Place
from shared.language.tracks import Tracks
from shared.plan import Attempts, Criteria, Problem, Target
from shared.step_types import StepType, find
from shared.window import Window

WHOLE_TREE = "/"


@dataclass(frozen=True, slots=True)
class SourcePath:
    """A path whose content an artifact depends on, from the repository root: `/app`."""

    path: str
    place: Place


@dataclass(frozen=True, slots=True)
class ArtifactDefinition:
    """Something that is built or imported."""

    id: str
    name: str
    place: Place
    type: str  # canonical; empty if unknown
    part: Artifact
    node: Mapping
    sources: tuple[SourcePath, ...]  # empty: the whole tree


@dataclass(frozen=True, slots=True)
class StepDefinition:
    """A step, the same in every stage but for its variables."""

    id: str
    name: str
    place: Place
    type: str  # canonical; empty if unknown
    part: Step
    params: Mapping | None  # without the time limit that DevRamps puts there
    goes_after: tuple[str, ...]  # ids
    timeout_seconds: float  # of one attempt
    attempts: Attempts
    on_rollback: Literal["run", "skip"]


@dataclass(frozen=True, slots=True)
class StageDefinition:
    """A stage, with what the defaults of all stages say of it."""

    name: str
    place: Place
    part: Stage
    target: Target
    vars: Vars[str, Any]
    skip: frozenset[str]  # ids of steps
    window: Window | None
    window_place: Place
    verify: Criteria | None
    timeout_seconds: float
    params: Vars[str, Mapping]  # of steps whose parameters stand in the stage: its infrastructure
    target_is_known: bool = True  # it is what is written, or what stands for nothing written
    vars_are_known: bool = True


@dataclass(frozen=True, slots=True)
class Definition:
    """A pipeline file."""

    file: str
    dialect: Dialect
    pipeline: Pipeline  # what could be read of it
    artifacts: tuple[ArtifactDefinition, ...]
    stages: tuple[StageDefinition, ...]
    steps: tuple[StepDefinition, ...]
    problems: tuple[Problem, ...]
    lines: tuple[str, ...] = ()  # the file's own, to quote from
    keys: Vars[str, Place] = field(default_factory=dict)  # where the pipeline's own keys stand

    @property
    def name(self) -> str:
        """Return what people call the pipeline; empty if the file does not say."""
        return self.pipeline.name or ""

    @property
    def tracks(self) -> Tracks:
        """Return which pushes it deploys."""
        return self.pipeline.tracks

    @property
    def mentioned(self) -> tuple[SourcePath, ...]:
        """Return the paths that parameters name and that must be there, as far as they are written out."""
        return (
            *(path for step in self.steps for path in _paths(step.params, find(step.type))),
            *(
                path
                for artifact in self.artifacts
                for path in _paths(artifact.node.get("params"), ARTIFACT_TYPES.get(artifact.type))
            ),
        )

    @property
    def sources(self) -> tuple[str, ...]:
        """Return the repository paths that the plan depends on: their ids are facts of synthesis."""
        paths = {source.path for artifact in self.artifacts for source in artifact.sources}
        paths.update(mentioned.path for mentioned in self.mentioned)
        if any(not artifact.sources for artifact in self.artifacts):
            paths.add(WHOLE_TREE)
        return tuple(sorted(paths))


def _paths(params: Node | None, row: StepType | ArtifactType | None) -> Iterator[SourcePath]:
    if row is None or not isinstance(params, Mapping):
        return
    for found in (params.get(name) for name in row.paths):
        if not isinstance(found, Scalar) or not isinstance(found.value, str) or has_expression(found.text):
            continue
        path = inside(found.text)
        if found.text.startswith("/") and ".." not in path.split("/"):
            yield SourcePath("/" if path == "." else f"/{path}", found.place)
