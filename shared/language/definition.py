"""What a pipeline file says, once it is read: frozen, with the places needed to complain later.

A definition may be incomplete; then it carries the problems that say so, and no plan is made of it.
"""

from collections.abc import Mapping as Vars
from dataclasses import dataclass
from typing import Any, Literal

from shared.language.node import Mapping, Scalar
from shared.language.problem import Place
from shared.plan import Problem

WHOLE_TREE = "/"


@dataclass(frozen=True, slots=True)
class SourcePath:
    """A path whose content an artifact depends on, from the repository root: `/app`."""

    path: str
    place: Place


@dataclass(frozen=True, slots=True)
class ArtifactDefinition:
    """A bundle to build, once for all stages."""

    id: str
    name: str
    place: Place
    commands: tuple[str, ...]  # shell lines of the repository's own
    path: str  # what becomes the bundle, relative to the repository root
    envs: tuple[tuple[str, Scalar], ...]
    sources: tuple[SourcePath, ...]  # empty: the whole tree
    timeout_seconds: float


@dataclass(frozen=True, slots=True)
class StepDefinition:
    """A step, the same in every stage but for its variables."""

    id: str
    name: str
    place: Place
    type: str  # empty if unknown
    params: Mapping | None
    goes_after: tuple[str, ...]  # ids
    timeout_seconds: float
    on_sibling_failure: Literal["cancel", "finish"]
    on_rollback: Literal["run", "skip"]
    repeatable: bool


@dataclass(frozen=True, slots=True)
class StageDefinition:
    """A stage."""

    name: str
    place: Place
    target: Literal["local"]
    vars: Vars[str, Any]
    skip: frozenset[str]  # ids of steps
    timeout_seconds: float


@dataclass(frozen=True, slots=True)
class Definition:
    """A pipeline file."""

    file: str
    name: str
    tracks: str
    artifacts: tuple[ArtifactDefinition, ...]
    stages: tuple[StageDefinition, ...]
    steps: tuple[StepDefinition, ...]
    problems: tuple[Problem, ...]

    @property
    def sources(self) -> tuple[str, ...]:
        """Return the repository paths that artifacts depend on: their ids are facts of synthesis."""
        paths = {source.path for artifact in self.artifacts for source in artifact.sources}
        if any(not artifact.sources for artifact in self.artifacts):
            paths.add(WHOLE_TREE)
        return tuple(sorted(paths))
