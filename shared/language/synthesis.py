"""Definition + facts → plan, or every problem at once. Pure: the same input gives the same bytes.

Only a plan that uses `trigger.revision` depends on the revision's number.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from shared.ids import Stage, Step
from shared.language.artifact_plan import plan_artifact
from shared.language.definition import Definition, StageDefinition, StepDefinition
from shared.language.expression import Budget
from shared.language.problem import WHOLE_FILE, Place, Problems
from shared.language.reference import References, references
from shared.language.scope import Facts, Resolver, revision_scope, stage_scope
from shared.language.step_order import find_cycle, in_order, without_skipped
from shared.language.step_params import StepParams, place_in
from shared.plan import PLAN_BYTES_MAX, ArtifactPlan, Plan, Problem, StagePlan, StepPlan


@dataclass(frozen=True, slots=True)
class Rejection:
    """The file has problems: there is no plan."""

    problems: tuple[Problem, ...]


def synthesize(definition: Definition, facts: Facts) -> Plan | Rejection:
    """Fix everything about the revision, or say everything that stands in the way."""
    problems = Problems(definition.file)
    problems.extend(definition.problems)
    work = _Synthesis(definition, facts, problems)
    artifacts, stages = work.artifacts(), work.stages()
    work.check_unplanned()
    if found := problems.reported():
        return Rejection(found)
    plan = Plan(
        pipeline=facts.pipeline,
        repository=facts.repository,
        remote=facts.remote,
        branch=facts.branch,
        commit=facts.commit,
        artifacts=artifacts,
        stages=stages,
    )
    if len(plan.canonical()) > PLAN_BYTES_MAX:
        message = f"the plan of this file is larger than {PLAN_BYTES_MAX // 1024} KiB"
        problems.add(WHOLE_FILE, message, "every stage repeats every step: keep values short")
        return Rejection(problems.reported())
    return plan


@dataclass(slots=True)
class _Synthesis:
    definition: Definition
    facts: Facts
    problems: Problems
    budget: Budget = field(default_factory=Budget)
    _ports: dict[int, str] = field(default_factory=dict)  # port -> who has it
    _planned: set[str] = field(default_factory=set)  # ids of steps that some stage runs

    def artifacts(self) -> tuple[ArtifactPlan, ...]:
        scope = revision_scope(self.facts)
        entries = {source: self.facts.entries[source] for source in self.definition.sources}
        return tuple(
            plan_artifact(artifact, self.facts.repository, entries, scope, self.budget, self.problems)
            for artifact in self.definition.artifacts
        )

    def stages(self) -> tuple[StagePlan, ...]:
        stages = (stage for stage in self.definition.stages if not self.problems.is_full)
        return tuple(self._stage(stage) for stage in stages)

    def check_unplanned(self) -> None:
        """Judge the steps that every stage leaves out, as far as their values can be known."""
        nowhere = Resolver({}, "no stage", self.budget, Problems(""), set())
        for step in self.definition.steps:
            if step.type and step.id not in self._planned:
                StepParams(self._known_artifacts(), nowhere, self.problems).read(step)

    def _stage(self, stage: StageDefinition) -> StagePlan:
        scope = stage_scope(self.facts, stage.name, stage.vars)
        resolver = Resolver(scope, f"stage {stage.name}", self.budget, self.problems, set())
        reader = StepParams(self._known_artifacts(), resolver, self.problems)
        steps = {step.id: step for step in self.definition.steps}
        edges = {step.id: step.goes_after for step in steps.values()}
        bridged = without_skipped(edges, stage.skip) if not find_cycle(edges) else edges
        return StagePlan(
            name=Stage(stage.name),
            target=stage.target,
            vars=dict(stage.vars),
            timeout_seconds=stage.timeout_seconds,
            steps=tuple(self._step(steps[step], stage, bridged[step], reader) for step in in_order(edges)),
        )

    def _step(
        self,
        step: StepDefinition,
        stage: StageDefinition,
        after: Sequence[str],
        reader: StepParams,
    ) -> StepPlan:
        skip = step.id in stage.skip
        params: dict[str, Any] = {}
        if step.type and not skip:
            self._planned.add(step.id)
            params = reader.read(step)
            self._claim_port(params.get("port"), step, stage)
        return StepPlan(
            id=Step(step.id),
            name=step.name,
            type=step.type,
            params=params,
            goes_after=tuple(Step(earlier) for earlier in after),
            skip=skip,
            timeout_seconds=step.timeout_seconds,
            on_sibling_failure=step.on_sibling_failure,
            on_rollback=step.on_rollback,
            repeatable=step.repeatable,
        )

    def _claim_port(self, port: int | None, step: StepDefinition, stage: StageDefinition) -> None:
        """Report a stable port that two services of this pipeline would both want."""
        if port is None:
            return
        owner = self._ports.setdefault(port, f"step {step.name} in stage {stage.name}")
        if owner != f"step {step.name} in stage {stage.name}":
            place: Place = place_in(step.params, "port", step.place)
            message = f"port {port} is taken by {owner}, and stage {stage.name} wants it too"
            self.problems.add(place, message, "give each stage its own: port: ${{ vars.port }}")

    def _known_artifacts(self) -> References:
        return references("artifact", self.definition.artifacts, Problems(""))
