"""What expressions can name where, and resolving the values of a pipeline file in it.

Known when a plan is made: `vars`, `trigger`, a stage's and the pipeline's own names. Late: secrets, what
steps give, what is known of an artifact once it is built, and of the organization what `Facts` does not
tell. Whatever can never have a value is a mistake here, before anything runs.
"""

from collections.abc import Mapping as Mapped
from dataclasses import dataclass
from datetime import date
from typing import Any

from shared.ids import Commit, Pipeline, Repository
from shared.language.expression import Budget, Expression, Mistake, Template, has_expression, parse, roots
from shared.language.named import (
    NamedArtifact,
    NamedStep,
    Secrets,
    Steps,
    artifact_names,
    organization_names,
    secret_names,
)
from shared.language.node import Listing, Mapping, Node, Scalar
from shared.language.problem import Place, Problems, quoted
from shared.language.resolution import Scope, resolve
from shared.language.value import as_text
from shared.placeholder import Joined, Late, gives_text
from shared.tree import Entry

__all__ = [
    "Facts",
    "NamedArtifact",
    "NamedStep",
    "Resolver",
    "Scope",
    "Secrets",
    "StageScope",
    "revision_scope",
]


@dataclass(frozen=True, slots=True)
class Facts:
    """What synthesis is told of the revision; all that it is told."""

    pipeline: Pipeline
    repository: Repository
    remote: str
    branch: str
    commit: Commit
    revision: int
    entries: Mapped[str, Entry | None]  # what stands at each of the definition's sources
    pipeline_name: str = ""  # empty: the slug
    tag: str = ""  # empty: what is deployed is no tag
    organization: Mapped[str, str] | None = None  # "name", "slug", "cicd_account_id", …; None: not known
    secrets: Secrets | None = None  # None: nobody was asked which there are
    today: date | None = None  # None: windows are not held against the calendar
    for_deployment: bool = True  # what this release cannot carry out is then refused, and else told
    of_commit: bool = True  # `entries` are those of a push: what is not there is then refused, and else told


def revision_scope(facts: Facts) -> Scope:
    """Return what can be named where an artifact is built once, for all stages."""
    message = "the artifact is built once for all stages, and this belongs to one stage"
    of_a_stage = Mistake(message, "with per_stage: true an artifact is built for each stage")
    return {"vars": of_a_stage, "stage": of_a_stage, "steps": _NO_STEPS, **_shared(facts, _NO_ARTIFACTS)}


@dataclass(frozen=True)
class StageScope:
    """One stage, and what is in it."""

    facts: Facts
    name: str
    vars: Mapped[str, Any]
    account_id: str = ""
    region: str = ""
    artifacts: tuple[NamedArtifact, ...] = ()
    steps: tuple[NamedStep, ...] = ()  # all of the pipeline's
    skipped: frozenset[str] = frozenset()  # ids of the steps that this stage leaves out

    def of_build(self) -> Scope:
        """Return what can be named where an artifact is built for this stage."""
        return {"steps": _NO_STEPS, **self._around(_NO_ARTIFACTS, _NO_ARTIFACTS)}

    def of_step(self, step: str) -> Scope:
        """Return what can be named in the parameters of one of the steps, by its id."""
        copied = artifact_names(self.artifacts, copied=True)
        built = artifact_names(self.artifacts, copied=False)
        steps = Steps(self.steps, self.skipped, self.name, step)
        return {"steps": steps.names(), **self._around(copied, built)}

    def _around(self, artifacts: Any, pre_mirror_artifacts: Any) -> dict[str, Any]:
        asked = self.facts.secrets
        known = asked.stages.get(self.name, frozenset()) if asked else None
        stage = {
            "name": self.name,
            "account_id": self.account_id or _unset(self.name, "account_id"),
            "region": self.region or _unset(self.name, "region"),
            "artifacts": artifacts,
            "secrets": secret_names("stage", known, f"in stage {self.name}"),
        }
        return {"vars": dict(self.vars), "stage": stage, **_shared(self.facts, pre_mirror_artifacts)}


def _shared(facts: Facts, pre_mirror_artifacts: Any) -> dict[str, Any]:
    """Return what is the same in every stage."""
    known = facts.secrets.organization if facts.secrets else None
    return {
        "pipeline": {
            "name": facts.pipeline_name or facts.pipeline,
            "slug": facts.pipeline,
            "pre_mirror_artifacts": pre_mirror_artifacts,
        },
        "organization": {
            **organization_names(facts.organization),
            "secrets": secret_names("organization", known, "of the organization"),
        },
        "trigger": {
            "sha": facts.commit,
            "branch": facts.branch,
            "tag": facts.tag,
            "revision": facts.revision,
        },
    }


def _unset(stage: str, key: str) -> Mistake:
    return Mistake(f"stage {stage} has no {key}", f"give the stage its {key}", absent=True)


_NO_STEPS = Mistake("no step has run when an artifact is built", "steps take artifacts, not the other way")
_NO_ARTIFACTS = Mistake("while artifacts are built, none can name another")


@dataclass(slots=True)
class Resolver:
    """Resolves one step's values; remembers where it could not, so that nothing else is said there.

    What is not known yet comes as a `Late`, in the place of the value.
    """

    scope: Scope
    where: str  # "stage staging"
    budget: Budget
    problems: Problems
    failed: set[Place]

    def plain(self, node: Node) -> Any:
        """Return a node as JSON has it, its expressions resolved."""
        match node:
            case Scalar():
                return self.value(node)
            case Listing():
                return [self.plain(item) for item in node.items]
            case Mapping():
                return {key.text: self.plain(value) for key, value in node.entries}

    def value(self, scalar: Scalar) -> Any:
        """Return a value, of any type if it is one expression and nothing else."""
        if not isinstance(scalar.value, str) or not has_expression(scalar.value):
            return scalar.value
        return self._template(parse(scalar.value), scalar.place)

    def text(self, scalar: Scalar) -> str | Late:
        """Return a value as text; numbers without expressions stay as they were written."""
        if not has_expression(scalar.text):
            return scalar.text
        return self.word(parse(scalar.text), scalar.place)

    def word(self, template: Template | Mistake, place: Place) -> str | Late:
        """Return what a parsed text gives, as text; empty once a problem was reported."""
        value = self._template(template, place)
        if isinstance(value, Late):
            return value if gives_text(value.value) else Late(Joined(parts=(value.value,)))
        text = as_text(value)
        if text is None and not isinstance(template, Mistake):
            shown = quoted("".join(part if isinstance(part, str) else part.text for part in template))
            hint = "name one of its members, or make a text of it: join(list, between), json(value)"
            message = f"{shown} gives a list, a mapping or nothing, not a text"
            self._fail(place, Mistake(message, hint), f", in {self.where}")
            return ""
        return text or ""

    def _template(self, template: Template | Mistake, place: Place) -> Any:
        if self.problems.is_full or self.budget.is_told:
            self.failed.add(place)
            return ""
        if isinstance(template, Mistake):
            self._fail(place, template, "")
            return ""
        value = resolve(template, self.scope, self.budget)
        if not isinstance(value, Mistake):
            return value
        if self.budget.is_spent:
            self.budget.is_told = True
            self._fail(place, value, "")
        for part in template if not self.budget.is_spent else ():
            if isinstance(part, Expression):
                known = value if len(template) == 1 else resolve((part,), self.scope, self.budget)
                self._judge(part, known, place)
        if place not in self.failed:  # nothing of it is wrong by itself
            self._fail(place, value, self._where(template))
        return ""

    def _judge(self, part: Expression, value: Any, place: Place) -> None:
        """Report what is wrong with one expression of a text, at its own place where that is known."""
        if isinstance(value, Mistake):
            self._fail(place, value, self._where((part,)), part.text)

    def _where(self, template: Template) -> str:
        """Return where a text is wrong, if it might be right elsewhere."""
        varies = "vars" in roots(template) and not isinstance(self.scope.get("vars"), Mistake)
        return f", in {self.where}" if varies else ""

    def _fail(self, place: Place, mistake: Mistake, where: str, text: str = "") -> None:
        self.failed.add(place)
        at = self.problems.within(place, text)
        self.problems.add(at, mistake.message + where, mistake.hint, mistake.rule)
