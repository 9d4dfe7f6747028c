"""The plan: what synthesis fixed about one revision. A contract between synthesizer, builder and deployer.

Frozen, content-hashed, and complete: whoever carries it out has nothing left to choose (DESIGN 6).
Parameters of steps are models too (`shared/step_types.py`); in the plan they are plain JSON that has
passed its model.
"""

import json
from hashlib import sha256
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from shared.ids import BuildKey, Commit, Pipeline, Repository, Stage, Step

PLAN_BYTES_MAX = 512 * 1024  # a plan travels inside one event; Kafka's default limit is 1 MiB


class Part(BaseModel):
    """A frozen part of a plan; an unknown key is a bug of whoever wrote it."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Problem(BaseModel):
    """One mistake in a pipeline file, placed: why there is no plan."""

    model_config = ConfigDict(frozen=True, extra="ignore")  # told in events, which only ever grow

    file: str
    line: int  # from 1; 0 when the file as a whole is meant
    column: int  # from 1
    message: str  # what is wrong
    hint: str = ""  # what is expected, "did you mean"


class PathCheck(Part):
    """One path to ask for and what must come back."""

    path: str = "/"
    status: int | None = None  # None: any 2xx or 3xx
    contains: str = ""  # must stand in the first 64 KiB of the body


class Criteria(Part):
    """When a service counts as good."""

    paths: tuple[PathCheck, ...] = (PathCheck(),)
    successes: int = 2  # in a row, on every path
    interval_seconds: float = 0.2
    latency_seconds_max: float = 5.0  # a slower answer does not count
    deadline_seconds: float = 30.0  # from the request to the verdict


class ArtifactPlan(Part):
    """How a bundle is built, and its identity."""

    id: str
    name: str
    kind: Literal["bundle"] = "bundle"
    build_key: BuildKey  # sha256 of sources (git tree ids), settings and environment
    commands: tuple[str, ...]  # shell lines of the repository's own; empty: nothing to run
    path: str  # what becomes the bundle, relative to the repository root
    env: dict[str, str] = Field(default_factory=dict)
    timeout_seconds: float = 1800.0
    sources: dict[str, str] = Field(default_factory=dict)  # path -> git tree or blob id, or "absent"


class StepPlan(Part):
    """One step of one stage, resolved."""

    id: Step
    name: str
    type: str  # "SCRIPT:EXECUTE"
    params: dict[str, Any]
    goes_after: tuple[Step, ...]
    skip: bool = False  # left out in this stage; whoever goes after it does not wait
    timeout_seconds: float
    on_sibling_failure: Literal["cancel", "finish"] = "cancel"
    on_rollback: Literal["run", "skip"] = "run"
    repeatable: bool = False  # may run again when its host took it down


class StagePlan(Part):
    """One stage: where, and the steps."""

    name: Stage
    target: Literal["local"]
    vars: dict[str, Any] = Field(default_factory=dict)
    steps: tuple[StepPlan, ...]
    timeout_seconds: float = 3600.0


class Plan(Part):
    """All of it."""

    version: Literal["1"] = "1"
    pipeline: Pipeline
    repository: Repository
    remote: str
    branch: str
    commit: Commit
    artifacts: tuple[ArtifactPlan, ...]
    stages: tuple[StagePlan, ...]

    def canonical(self) -> bytes:
        """Return the bytes that are hashed: equal plans give equal bytes on any machine."""
        document = self.model_dump(mode="json")
        return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()

    def content_hash(self) -> str:
        """Return sha256 hex of the canonical bytes."""
        return sha256(self.canonical()).hexdigest()
