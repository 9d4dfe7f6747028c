"""The plan: what synthesis fixed about one revision. A contract between synthesizer, builder and deployer.

Frozen, content-hashed, and complete: whoever carries it out has nothing left to choose (DESIGN 6).
Parameters of steps are models too (`shared/step_types.py`); in the plan they are plain JSON that has
passed its model.
"""

import json
from hashlib import sha256
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, Strict

from shared.ids import BuildKey, Commit, Pipeline, Repository, Stage, Step
from shared.placeholder import Placeholder
from shared.window import Window

# A plan travels inside one event, which may have 4 Mi characters and is one message of a topic. This has
# room for 100 stages of 50 usual steps.
PLAN_BYTES_MAX = 3 * 1024 * 1024


Target = Literal["local", "docker", "aws"]
DefinitionApproval = Literal["ALWAYS", "NEVER", "DESTRUCTIVE_CHANGES_ONLY"]


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
    rule: str = ""  # which of the language's rules is broken: "unknown-key"
    severity: Literal["error", "warning"] = "error"  # a warning is told and keeps nobody from deploying
    text: str = ""  # what stands there, on its first line, as it is written


# What editors are told of the limits that `shared/language/criteria.py` holds a file to. The models refuse
# nothing for them: what an event once said stays readable when a limit moves.


class PathCheck(Part):
    """One path to ask for and what must come back."""

    path: str = Field(
        default="/",
        description="Of the service, with its slash",
        examples=["/healthz"],
        json_schema_extra={"pattern": r"^/[\x21-\x7e]{0,1999}$"},
    )
    status: Annotated[int, Strict()] | None = Field(
        default=None,
        description="The HTTP status that is wanted; any 2xx or 3xx unless said",
        examples=[200],
        json_schema_extra={"minimum": 100, "maximum": 599},
    )
    contains: str = Field(
        default="",
        description="Must stand in the first 64 KiB of the body",
        examples=["Welcome"],
    )


class ReleaseMarker(Part):
    """Where the service itself says which release it is, so that no other one can pass for it."""

    header: str = Field(
        default="",
        description="The header of every answer that carries it; without one it stands in the body",
        examples=["X-Release"],
        json_schema_extra={"pattern": r"^[A-Za-z0-9-]{0,100}$"},
    )
    path: str = Field(
        default="",
        description="The path to ask for it; without one every answer carries it",
        examples=["/version"],
        json_schema_extra={"pattern": r"^(/[\x21-\x7e]{0,1999})?$"},
    )
    value: str = Field(
        default="",
        description="What must stand there: all of the header, or anywhere in the body, in no longer word. "
        "Else: the commit",
        examples=["${{ trigger.sha }}"],
    )


class CommandCheck(Part):
    """A program that says whether the service is good: by ending with 0. It may be run many times."""

    command: tuple[str, ...] = Field(
        description="The program and its arguments, run in the unpacked artifact; URL tells it where to ask",
        examples=[["python3", "smoke.py"]],
        json_schema_extra={"minItems": 1, "maxItems": 100},
    )
    timeout_seconds: Annotated[float, Strict()] = Field(
        default=10.0,
        description="It is ended after that, and has not passed",
        json_schema_extra={"minimum": 0.1, "maximum": 120},
    )


class Criteria(Part):
    """When a service counts as good."""

    paths: tuple[PathCheck, ...] = Field(
        default=(),
        description="What is asked for over HTTP; all of them must answer as they should. Unless said, the "
        "well-known ones are, and those that the service has must answer well",
        json_schema_extra={"minItems": 1, "maxItems": 50},
    )
    tcp: tuple[Annotated[int, Strict()], ...] = Field(
        default=(),
        description="Ports that must take a connection, beside the service's own; on a local target by the "
        "release itself",
        examples=[[9090]],
        json_schema_extra={"maxItems": 20},
    )
    commands: tuple[CommandCheck, ...] = Field(
        default=(),
        description="Programs that must end with 0",
        json_schema_extra={"maxItems": 10},
    )
    release: ReleaseMarker | None = Field(
        default=None, description="Where the service says which release it is"
    )
    successes: Annotated[int, Strict()] = Field(
        default=2,
        description="How many times in a row, on every path",
        json_schema_extra={"minimum": 1, "maximum": 100},
    )
    interval_seconds: Annotated[float, Strict()] = Field(
        default=0.2,
        description="From one try to the next",
        json_schema_extra={"minimum": 0.05, "maximum": 60},
    )
    latency_seconds_max: Annotated[float, Strict()] = Field(
        default=5.0,
        description="A slower answer does not count",
        json_schema_extra={"minimum": 0.01, "maximum": 120},
    )
    deadline_seconds: Annotated[float, Strict()] = Field(
        default=30.0,
        description="From the request to the verdict",
        json_schema_extra={"minimum": 0.1, "maximum": 3600},
    )
    soak_seconds: Annotated[float, Strict()] = Field(
        default=0.0,
        description="How long the release is watched once it has its address, before the run succeeds; it is "
        "rolled back if it fails meanwhile",
        json_schema_extra={"minimum": 0, "maximum": 3600},
    )
    health_interval_seconds: Annotated[float, Strict()] = Field(
        default=30.0,
        description="From one look at its health to the next, for as long as it is live",
        json_schema_extra={"minimum": 5, "maximum": 3600},
    )


class DockerBuild(Part):
    """How an image is built from the repository."""

    dockerfile: str  # relative to the repository root
    build_root: str  # the build's context, relative to the repository root
    args: tuple[str, ...] = ()  # "NAME=value"


class Import(Part):
    """Where an artifact comes from that others build; it is waited for."""

    url: str  # of an image, or of an object in S3
    account_id: str = ""
    region: str = ""


class BuildHost(Part):
    """What the machine must be that an artifact is built on or a step of its own runs on."""

    architecture: Literal["", "linux/amd64", "linux/arm64"] = ""  # empty: the builder's own
    size: Literal["small", "medium", "large"] = "small"
    dependencies: tuple[str, ...] = ()  # "node.22"


class ArtifactPlan(Part):
    """How an artifact comes about, and its identity."""

    id: str
    name: str
    kind: Literal["bundle", "image"] = "bundle"
    stage: str = ""  # the one it is made for; empty: made once, for all
    build_key: BuildKey  # sha256 of sources (git tree ids), settings and environment
    commands: tuple[str, ...] = ()  # shell lines of the repository's own; empty: nothing to run
    path: str = ""  # what becomes the bundle, relative to the repository root
    docker: DockerBuild | None = None  # an image that is built
    imported: Import | None = None  # an artifact that is not built here
    host: BuildHost = BuildHost()
    env: dict[str, str] = Field(default_factory=dict)
    late: tuple[Placeholder, ...] = ()  # further entries of `env`
    timeout_seconds: float = 1800.0
    sources: dict[str, str] = Field(default_factory=dict)  # path -> git tree or blob id, or "absent"


class Attempts(Part):
    """How often a step is tried when it fails in a way that may pass, and how far apart."""

    max: int = 1
    backoff_seconds: float = 10.0  # before the second; doubled before each further one
    backoff_seconds_max: float = 300.0


class StepPlan(Part):
    """One step of one stage, resolved."""

    id: Step
    name: str
    type: str  # "SCRIPT:EXECUTE"
    params: dict[str, Any]
    late: tuple[Placeholder, ...] = ()  # into `params`
    goes_after: tuple[Step, ...]
    skip: bool = False  # left out in this stage; whoever goes after it does not wait
    timeout_seconds: float  # of one attempt
    attempts: Attempts = Attempts()
    host: BuildHost | None = None  # a CUSTOM step's
    on_sibling_failure: Literal["cancel", "finish"] = "cancel"
    on_rollback: Literal["run", "skip"] = "run"
    repeatable: bool = False  # may run again when its host took it down


class StagePlan(Part):
    """One stage: where, and the steps."""

    name: Stage
    target: Target
    account_id: str = ""
    region: str = ""
    vars: dict[str, Any] = Field(default_factory=dict)
    window: Window | None = None  # None: always open
    alarm: str = ""  # the auto-rollback alarm's name
    queue: Literal["newest", "fifo"] = "newest"  # who waits for its lock: the newest, or all in line
    steps: tuple[StepPlan, ...]
    timeout_seconds: float = 3600.0


class Tracked(Part):
    """Which pushes the pipeline is for: names and patterns, in no order that counts."""

    branches: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()  # only what changes one of these counts; empty: anything


class Plan(Part):
    """All of it."""

    version: Literal["1"] = "1"
    pipeline: Pipeline
    repository: Repository
    remote: str
    branch: str  # empty for a tag
    tag: str = ""
    commit: Commit
    tracks: Tracked | None = None  # None: written when that was always `branch` alone
    definition_approval: DefinitionApproval = "NEVER"  # of changes to the pipeline file itself
    timeout_seconds: float | None = None  # from the first run's start to the last one's end
    artifacts: tuple[ArtifactPlan, ...]
    stages: tuple[StagePlan, ...]

    def canonical(self) -> bytes:
        """Return the bytes that are hashed: equal plans give equal bytes on any machine."""
        document = self.model_dump(mode="json")
        return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()

    def content_hash(self) -> str:
        """Return sha256 hex of the canonical bytes."""
        return sha256(self.canonical()).hexdigest()
