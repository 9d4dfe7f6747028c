"""Definition + facts → plan, or every problem at once. Pure: the same input gives the same bytes.

Only a plan that uses `trigger.revision` depends on the revision's number.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from shared.artifact_types import ARTIFACT_TYPES
from shared.ids import Stage, Step
from shared.language.artifact_plan import ArtifactPlanner, tell_absent
from shared.language.carried_out import tell_unsupported
from shared.language.definition import ArtifactDefinition, Definition, StageDefinition, StepDefinition
from shared.language.expression import Budget, has_expression
from shared.language.node import Mapping, scalars
from shared.language.params_reading import ParamsReader, Read, place_in
from shared.language.problem import WHOLE_FILE, Problems, is_refused, quoted
from shared.language.reference import References, references
from shared.language.scope import (
    Facts,
    NamedArtifact,
    NamedStep,
    Resolver,
    Scope,
    StageScope,
    revision_scope,
)
from shared.language.step_order import find_cycle, in_order, without_skipped
from shared.plan import PLAN_BYTES_MAX, ArtifactPlan, BuildHost, Criteria, Plan, Problem, StagePlan, StepPlan
from shared.step_types import StepType, find
from shared.window import never_opens


@dataclass(frozen=True, slots=True)
class Synthesis:
    """What a definition comes to at one revision."""

    plan: Plan | None  # None: the file has problems
    problems: tuple[Problem, ...]  # warnings too


def synthesize(definition: Definition, facts: Facts) -> Synthesis:
    """Fix everything about the revision, or say everything that stands in the way."""
    problems = Problems(definition.file, definition.lines)
    problems.extend(definition.problems)
    work = _Work(definition, facts, problems)
    plan = work.plan()
    tell_unsupported(definition, plan, problems, refuse=facts.for_deployment)
    if not is_refused(problems.listed()) and len(plan.canonical()) > PLAN_BYTES_MAX:
        message = f"the plan of this file is larger than {PLAN_BYTES_MAX // 1024} KiB"
        problems.add(WHOLE_FILE, message, "every stage repeats every step: keep values short", "limit")
    refused = is_refused(problems.listed())
    return Synthesis(None if refused else plan, problems.reported())


@dataclass(slots=True)
class _Work:
    definition: Definition
    facts: Facts
    problems: Problems
    budget: Budget = field(default_factory=Budget)
    _ports: dict[int, str] = field(default_factory=dict)  # port -> who has it
    _same: dict[tuple[str, Criteria | None], Read] = field(default_factory=dict)  # by step
    _closed: set[str] = field(default_factory=set)  # why windows never open
    _planned: set[str] = field(default_factory=set)  # ids of steps that some stage runs

    def plan(self) -> Plan:
        definition, facts = self.definition, self.facts
        minutes = definition.pipeline.timeout_minutes
        stages = tuple(self._stages())
        self._check_unplanned()
        self._check_mentioned()
        return Plan(
            pipeline=facts.pipeline,
            repository=facts.repository,
            remote=facts.remote,
            branch=facts.branch,
            tag=facts.tag,
            commit=facts.commit,
            tracks=definition.tracks.planned(),
            definition_approval=definition.pipeline.pipeline_updates_require_approval,
            timeout_seconds=minutes * 60.0 if minutes else None,
            artifacts=self._artifacts(),
            stages=stages,
        )

    def _stages(self) -> Iterator[StagePlan]:
        """Yield the stages, no more than a plan could hold."""
        size = 0
        for stage in self.definition.stages:
            if self.problems.is_full or self.budget.is_told or size > PLAN_BYTES_MAX:
                return
            plan = self._stage(stage)
            size += len(plan.model_dump_json())
            yield plan

    def _artifacts(self) -> tuple[ArtifactPlan, ...]:
        """Return what is made once, then what is made for each stage."""
        once = "the environment of an artifact, which is built once for all stages"
        shared = [artifact for artifact in self.definition.artifacts if not artifact.part.per_stage]
        planned = self._planned_artifacts(shared, self._reader(revision_scope(self.facts), once))
        own = [artifact for artifact in self.definition.artifacts if artifact.part.per_stage]
        for stage in self.definition.stages if own else ():
            reader = self._reader_of(stage, self._scope(stage).of_build())
            planned += self._planned_artifacts(own, reader, stage.name)
        return tuple(planned)

    def _planned_artifacts(
        self, artifacts: Sequence[ArtifactDefinition], reader: ParamsReader, stage: str = ""
    ) -> list[ArtifactPlan]:
        facts = self.facts
        planner = ArtifactPlanner(
            facts.repository, facts.entries, reader, self.problems, stage, facts.of_commit
        )
        return [plan for artifact in artifacts if (plan := planner.plan(artifact))]

    def _check_unplanned(self) -> None:
        """Judge the steps that every stage leaves out, as far as their values can be known."""
        reader = self._reader_of_nothing()
        for step in self.definition.steps:
            row = find(step.type)
            if row and step.id not in self._planned:
                node = step.params or Mapping((), step.place)
                reader.read(node, row.params, f"params of step {quoted(step.name)}")

    def _stage(self, stage: StageDefinition) -> StagePlan:
        scope = self._scope(stage)
        steps = {step.id: step for step in self.definition.steps}
        edges = {step.id: step.goes_after for step in steps.values()}
        bridged = without_skipped(edges, stage.skip) if not find_cycle(edges) else edges
        self._check_window(stage)
        return StagePlan(
            name=Stage(stage.name),
            target=stage.target,
            account_id=stage.part.account_id or "",
            region=stage.part.region or "",
            vars=dict(stage.vars),
            window=stage.window,
            alarm=stage.part.auto_rollback_alarm_name or "",
            queue=stage.part.queue,
            timeout_seconds=stage.timeout_seconds,
            steps=tuple(self._step(steps[step], stage, bridged[step], scope) for step in in_order(edges)),
        )

    def _step(
        self, step: StepDefinition, stage: StageDefinition, after: Sequence[str], scope: StageScope
    ) -> StepPlan:
        row = find(step.type)
        skip = step.id in stage.skip
        read = Read({})
        if row and not skip:
            self._planned.add(step.id)
            self._check_target(step, row, stage)
            read = self._params(step, row, stage, scope)
            self._claim_port(read.values.get("port"), step, stage)
            self._check_artifact(read.values.get("artifact"), step, row)
        return StepPlan(
            id=Step(step.id),
            name=step.name,
            type=step.type,
            params=read.values,
            late=read.late,
            goes_after=tuple(Step(earlier) for earlier in after),
            skip=skip,
            timeout_seconds=_seconds(step, read),
            attempts=step.attempts,
            host=_host(step),
            on_sibling_failure=step.part.on_sibling_failure,
            on_rollback=step.on_rollback,
            repeatable=step.part.repeatable,
        )

    def _params(self, step: StepDefinition, row: StepType, stage: StageDefinition, scope: StageScope) -> Read:
        """Return a step's parameters; those that are the same in all stages are read once."""
        own = stage.params.get(step.id)
        node = own or step.params or Mapping((), step.place)
        takes_criteria = "verify" in row.params.model_fields and node.get("verify") is None
        key = (step.id, stage.verify if takes_criteria else None)
        if own is None and key in self._same:
            return self._same[key]
        defaults = {"verify": stage.verify.model_dump()} if takes_criteria and stage.verify else {}
        reader = self._reader_of(stage, scope.of_step(step.id))
        read = reader.read(node, row.params, f"params of step {quoted(step.name)}", defaults)
        if own is None and not any(has_expression(scalar.text) for scalar in scalars(node)):
            self._same[key] = read
        return read

    def _check_target(self, step: StepDefinition, row: StepType, stage: StageDefinition) -> None:
        if stage.target_is_known and stage.target not in row.targets:
            shown = " or ".join(row.targets)
            message = f"{step.type} is for a target {shown}, and stage {stage.name} has {stage.target}"
            hint = f"skip the step there: skip: [{step.name}]"
            self.problems.add(step.place, message, hint)

    def _check_window(self, stage: StageDefinition) -> None:
        if stage.window is None or self.facts.today is None:
            return
        why = never_opens(stage.window, self.facts.today)
        if why and why not in self._closed:
            self._closed.add(why)
            message = f"stage {stage.name} could never begin a run: {why}"
            self.problems.add(stage.window_place, message, "give it hours", "window")

    def _claim_port(self, port: int | None, step: StepDefinition, stage: StageDefinition) -> None:
        """Report a stable port that two services of this pipeline would both want."""
        if port is None:
            return
        wanting = f"step {step.name} in stage {stage.name}"
        owner = self._ports.setdefault(port, wanting)
        if owner != wanting:
            place = place_in(step.params, "port", step.place)
            message = f"port {port} is taken by {owner}, and {wanting} wants it too"
            hint = "give each its own, from vars where stages share a step"
            self.problems.add(place, message, hint, "port")

    def _check_artifact(self, id_: str | None, step: StepDefinition, row: StepType) -> None:
        """Report an artifact of another kind than the step takes."""
        artifact = next((each for each in self.definition.artifacts if each.id == id_), None)
        made = ARTIFACT_TYPES.get(artifact.type) if artifact else None
        if artifact and made and row.artifact_kind and made.kind != row.artifact_kind:
            kinds = {"bundle": "a bundle", "image": "an image"}
            message = (
                f"{step.type} takes {kinds[row.artifact_kind]}, and artifact {quoted(artifact.name)} "
                f"is {kinds[made.kind]}"
            )
            others = [
                each.name for each in self.definition.artifacts if self._kind(each) == row.artifact_kind
            ]
            hint = f"name one of these: {', '.join(others)}" if others else ""
            self.problems.add(place_in(step.params, "artifact", step.place), message, hint)

    def _kind(self, artifact: ArtifactDefinition) -> str:
        made = ARTIFACT_TYPES.get(artifact.type)
        return made.kind if made else ""

    def _check_mentioned(self) -> None:
        """Report what parameters name in the repository and what is not there."""
        for path in self.definition.mentioned:
            if self.facts.entries[path.path] is None and not self.problems.has_error_at(path.place):
                message = f"there is no {quoted(path.path)} in the repository"
                tell_absent(message, path.place, self.problems, of_commit=self.facts.of_commit)

    def _scope(self, stage: StageDefinition) -> StageScope:
        return StageScope(
            self.facts,
            stage.name,
            stage.vars,
            stage.part.account_id or "",
            stage.part.region or "",
            artifacts=tuple(_named(artifact) for artifact in self.definition.artifacts),
            steps=tuple(_named_step(step) for step in self.definition.steps),
            skipped=stage.skip,
        )

    def _reader_of(self, stage: StageDefinition, scope: Scope) -> ParamsReader:
        known = stage.vars_are_known
        return self._reader(scope, f"stage {stage.name}") if known else self._reader_of_nothing()

    def _reader_of_nothing(self) -> ParamsReader:
        """Return a reader to which expressions have no value, and that is no mistake."""
        nowhere = Resolver({}, "no stage", self.budget, Problems(""), set())
        return ParamsReader(self._known_artifacts(), nowhere, self.problems)

    def _reader(self, scope: Scope, where: str) -> ParamsReader:
        resolver = Resolver(scope, where, self.budget, self.problems, set())
        return ParamsReader(self._known_artifacts(), resolver, self.problems)

    def _known_artifacts(self) -> References:
        return references("artifact", self.definition.artifacts, Problems(""))


def _named(artifact: ArtifactDefinition) -> NamedArtifact:
    row = ARTIFACT_TYPES.get(artifact.type)
    kind = row.kind if row else ""
    return NamedArtifact(artifact.id, artifact.name, kind, per_stage=artifact.part.per_stage)


def _named_step(step: StepDefinition) -> NamedStep:
    row = find(step.type)
    return NamedStep(step.id, step.name, row.outputs if row else None, step.goes_after)


def _seconds(step: StepDefinition, read: Read) -> float:
    """Return the time limit of an attempt; that of some types stands in their parameters."""
    row = find(step.type)
    minutes = read.values.get(row.limit_param) if row and row.limit_param else None
    own = step.part.timeout_minutes is None and isinstance(minutes, int)
    return float(minutes or 0) * 60.0 if own else step.timeout_seconds


def _host(step: StepDefinition) -> BuildHost | None:
    part = step.part
    if not step.type.startswith("CUSTOM:"):
        return None
    return BuildHost(
        architecture=part.architecture or "",
        size=part.host_size or "small",
        dependencies=tuple(sorted(set(part.dependencies))),
    )
