"""What the language can say and this release cannot carry out yet.

A push of it is refused: half of a pipeline must not pass for the whole. Whoever validates a file is told.
Each line goes when what it names is built.
"""

from collections.abc import Iterator

from shared.language.definition import ArtifactDefinition, Definition, StageDefinition, StepDefinition
from shared.language.manifest import Pipeline
from shared.language.problem import Place, Problems
from shared.placeholder import ArtifactOf, FactOf, LateValue, SecretOf, sources
from shared.plan import Plan
from shared.step_types import find

_HINT = "this release can plan it and cannot carry it out; leave it out to deploy"


def tell_unsupported(definition: Definition, plan: Plan, problems: Problems, *, refuse: bool) -> None:
    """Report what a push of this definition would be refused for; as warnings unless `refuse`."""
    told: set[str] = set()
    for place, what in _unsupported(definition, plan):
        if what in told:
            continue
        told.add(what)
        if refuse:
            problems.add(place, what, _HINT, "unsupported")
        else:
            problems.warn(place, what, _HINT, "unsupported")


def _unsupported(definition: Definition, plan: Plan) -> Iterator[tuple[Place, str]]:
    yield from _of_pipeline(definition.pipeline, definition)
    for artifact in definition.artifacts:
        yield from _of_artifact(artifact)
    for stage in definition.stages:
        yield from _of_stage(stage)
    for step in definition.steps:
        yield from _of_step(step)
    yield from _of_late_values(definition, plan)


def _of_pipeline(pipeline: Pipeline, definition: Definition) -> Iterator[tuple[Place, str]]:
    keys = definition.keys
    if pipeline.ephemeral_environments:
        yield keys["ephemeral_environments"], "ephemeral environments are not made yet"
    if pipeline.notifications is not None:
        yield keys["notifications"], "notifications are not sent yet"


def _of_artifact(artifact: ArtifactDefinition) -> Iterator[tuple[Place, str]]:
    if artifact.type and artifact.type != "BUNDLE:BUILD":
        yield artifact.place, f"{artifact.type} artifacts are not made yet"
    if artifact.part.per_stage:
        yield artifact.place, "artifacts for each stage are not made yet"
    if artifact.part.architecture or artifact.part.dependencies:
        yield artifact.place, "a build's machine cannot be chosen yet"


def _of_stage(stage: StageDefinition) -> Iterator[tuple[Place, str]]:
    if stage.target != "local":
        yield stage.place, f"stages cannot deploy to {stage.target} yet"


def _of_step(step: StepDefinition) -> Iterator[tuple[Place, str]]:
    row = find(step.type)
    if row and not row.carried_out:
        yield step.place, f"{step.type} steps are not carried out yet"


def _of_late_values(definition: Definition, plan: Plan) -> Iterator[tuple[Place, str]]:
    """Tell of values that nobody here can fill in when the time comes."""
    artifacts = {artifact.id: artifact.place for artifact in definition.artifacts}
    for artifact in plan.artifacts:
        if artifact.late:
            yield artifacts[artifact.id], "a build is given no values that are only known later yet"
    steps = {step.id: step.place for step in definition.steps}
    for step in (step for stage in plan.stages for step in stage.steps):
        for source in (source for placeholder in step.late for source in sources(placeholder.value)):
            if what := _unknown(source):
                yield steps[step.id], what


def _unknown(source: LateValue) -> str:
    match source:
        case SecretOf():
            return "secrets cannot be stored yet"
        case FactOf():
            return f"{'.'.join(source.names)} has no value yet"
        case ArtifactOf(name=name) if name != "digest":
            return f"an artifact's {name} has no value yet"
    return ""
