"""Which changes of a pipeline's definition take away or weaken what keeps watch over it. Pure.

The list of rules is closed, and `docs/howto/definition-changes.md` has it. What a person cannot tell from
the definition is not judged: what a script does, what is in an artifact.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from shared.language.guard import DEPLOYS, GATE, KINDS, Rule
from shared.language.problem import quoted
from shared.placeholder import Placeholder, SecretOf, sources
from shared.plan import Plan, StagePlan, StepPlan

Path = tuple[str, ...]  # ("stages", "production", "steps", "migrate", "params", "commands")

# What each rule says of a change that breaks it.
RULES: Mapping[Rule, str] = {
    "approval-bypassed": "a step does not wait any more for an approval that it waited for",
    "approval-removed": "an approval step is taken out of a stage",
    "approval-weakened": "an approval is easier to get",
    "alarm-removed": "the alarm that rolls a stage back is taken away or is another",
    "definition-approval-lowered": "fewer changes of the pipeline file need approval",
    "place-changed": "a step works on another place than before",
    "rollback-weakened": "a rollback leaves a step out",
    "safeguard-weakened": "a step is less careful with what is there",
    "secret-reached": "a secret is used that was not used there before",
    "stage-bypass": "a new stage deploys to a place where another stage asks for approval, and does not ask",
    "stage-moved": "a stage deploys to another target, account or region",
    "stage-removed": "a stage is taken away",
    "stages-reordered": "stages follow each other in another order",
    "step-removed": "a step is taken out of a stage",
    "tracks-widened": "pushes deploy that did not before",
    "verification-weakened": "less is asked of a release before it takes traffic",
    "window-removed": "a deployment window is taken away",
    "window-widened": "a stage may begin runs when it might not before",
}


class Loss(NamedTuple):
    """Something that no value of its own stands for: what it is about, in words, and the rule it breaks."""

    path: Path
    thing: str
    old: str
    new: str
    rule: Rule


@dataclass(frozen=True, slots=True)
class Watch:
    """Who waits for which approvals in a stage; steps that are left out there do not count."""

    steps: Mapping[str, StepPlan]
    behind: Mapping[str, frozenset[str]]  # step -> approval steps that come before it, at any distance
    guarding: frozenset[str]  # approval steps that something that deploys waits for

    def deploying(self) -> Iterator[str]:
        """Yield the steps that deploy."""
        return (id_ for id_, step in self.steps.items() if kind(step.type) == DEPLOYS)

    def asked_of(self, step: str) -> frozenset[str]:
        """Return the approvals that a step must wait for: its own, or as a new one those of all others."""
        return self.behind.get(step, self.guarding)


def kind(type_: str) -> str:
    """Return what a step of a type is for."""
    return KINDS.get(type_, DEPLOYS)


def removed(step: StepPlan) -> Rule:
    """Return the rule that is broken where a step that ran does not run any more."""
    return "approval-removed" if kind(step.type) == GATE else "step-removed"


def watch(stage: StagePlan) -> Watch:
    """Return who waits for what; whoever waits stands later in a plan than what it waits for."""
    steps = {str(step.id): step for step in stage.steps if not step.skip}
    gates = {id_ for id_, step in steps.items() if kind(step.type) == GATE}
    behind: dict[str, frozenset[str]] = {}
    for id_, step in steps.items():
        earlier = (behind.get(each, frozenset()) for each in step.goes_after)
        behind[id_] = frozenset(gates & set(step.goes_after)).union(*earlier)
    deploying = (behind[id_] for id_, step in steps.items() if kind(step.type) == DEPLOYS)
    return Watch(steps, behind, frozenset().union(*deploying))


def bypasses(new: StagePlan, old: Sequence[StagePlan], watches: Mapping[str, Watch]) -> bool:
    """Tell whether a new stage deploys what waits for approvals in an old one of the same place."""
    own = watch(new)
    there = [watches[each.name] for each in old if _place(each) == _place(new)]
    return any(not other.asked_of(step) <= own.behind[step] for other in there for step in own.deploying())


def bypassed(stage: StagePlan, before: Watch) -> Iterator[Loss]:
    """Yield what an approval of the stage does not hold up any more, and what is new and it should."""
    after = watch(stage)
    for id_, step in after.steps.items():
        if kind(step.type) == GATE or (id_ not in before.behind and kind(step.type) != DEPLOYS):
            continue
        for gate in sorted(before.asked_of(id_) - after.behind[id_]):
            if gate in after.steps and kind(after.steps[gate].type) == GATE:  # else it is told of itself
                path = ("stages", stage.name, "steps", id_, "waits for", gate)
                waits = f"waits for {quoted(after.steps[gate].name)}"
                thing = f"stage {quoted(stage.name)} · step {quoted(step.name)} · {waits}"
                was = "yes" if id_ in before.behind else ""
                yield Loss(path, thing, was, "no", "approval-bypassed")


def reached(old: Plan, new: Plan) -> Iterator[Loss]:
    """Yield the secrets that were not used before: the organization's anywhere, a stage's in that stage."""
    before = {secret for secret, _ in _secrets(old)}
    stages = {stage.name for stage in old.stages}
    told: set[tuple[str, str]] = set()
    for secret, stage in _secrets(new):
        owner, name = secret
        if secret in before or secret in told or (owner and stage not in stages):
            continue
        told.add(secret)
        whose = f"stage {quoted(owner)}" if owner else "organization"
        path = ("secrets", owner, name)
        yield Loss(path, f"{whose} · secret {quoted(name)}", "not used", "used", "secret-reached")


def _secrets(plan: Plan) -> Iterator[tuple[tuple[str, str], str]]:
    """Yield whose secret, empty for the organization's, and its name; and the stage it is used in."""
    used = [(artifact.stage, artifact.late) for artifact in plan.artifacts]
    used += [(stage.name, step.late) for stage in plan.stages for step in stage.steps]
    for stage, late in used:
        for secret in _secrets_in(late):
            yield (stage if secret.owner == "stage" else "", secret.name), stage


def _secrets_in(late: tuple[Placeholder, ...]) -> Iterator[SecretOf]:
    for placeholder in late:
        for source in sources(placeholder.value):
            if isinstance(source, SecretOf):
                yield source


def _place(stage: StagePlan) -> tuple[str, str, str]:
    return stage.target, stage.account_id, stage.region
