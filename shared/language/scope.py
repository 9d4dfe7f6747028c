"""What expressions can name where, and resolving the values of a pipeline file in it."""

from collections.abc import Mapping as Names
from dataclasses import dataclass
from typing import Any

from shared.ids import Commit, Pipeline, Repository
from shared.language.expression import (
    Budget,
    Mistake,
    Path,
    Template,
    as_text,
    has_expression,
    parse,
    resolve,
)
from shared.language.node import Listing, Mapping, Node, Scalar
from shared.language.problem import Place, Problems
from shared.tree import Entry

Scope = Names[str, Any]

_OF_A_STAGE = frozenset({"vars", "stage"})  # what has other values elsewhere


@dataclass(frozen=True, slots=True)
class Facts:
    """What synthesis is told of the revision; all that it is told."""

    pipeline: Pipeline
    repository: Repository
    remote: str
    branch: str
    commit: Commit
    revision: int
    entries: Names[str, Entry | None]  # what stands at each of the definition's sources


def revision_scope(facts: Facts) -> dict[str, Any]:
    """Return what is the same in every stage."""
    return {
        "pipeline": {"slug": facts.pipeline},
        "trigger": {"sha": facts.commit, "branch": facts.branch, "revision": facts.revision},
    }


def stage_scope(facts: Facts, stage: str, stage_vars: Names[str, Any]) -> dict[str, Any]:
    """Return what can be named in one stage."""
    return {"vars": stage_vars, "stage": {"name": stage}, **revision_scope(facts)}


@dataclass(slots=True)
class Resolver:
    """Resolves one step's values; remembers where it could not, so that nothing else is said there."""

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

    def text(self, scalar: Scalar) -> str:
        """Return a value as text; numbers without expressions stay as they were written."""
        if not has_expression(scalar.text):
            return scalar.text
        return self.word(parse(scalar.text), scalar.place)

    def word(self, template: Template | Mistake, place: Place) -> str:
        """Return what a parsed text gives, as text; empty once a problem was reported."""
        text = as_text(self._template(template, place))
        if text is None:
            self._fail(place, Mistake("this gives a list, a mapping or nothing, not a text"), "")
            return ""
        return text

    def _template(self, template: Template | Mistake, place: Place) -> Any:
        if isinstance(template, Mistake):
            self._fail(place, template, "")
            return ""
        value = resolve(template, self.scope, self.budget)
        if isinstance(value, Mistake):
            roots = {part.names[0] for part in template if isinstance(part, Path)}
            self._fail(place, value, f", in {self.where}" if roots & _OF_A_STAGE else "")
            return ""
        return value

    def _fail(self, place: Place, mistake: Mistake, where: str) -> None:
        self.failed.add(place)
        self.problems.add(place, mistake.message + where, mistake.hint)


def resolve_text(scalar: Scalar, scope: Scope, where: str, budget: Budget, problems: Problems) -> str:
    """Return one value as text."""
    return Resolver(scope, where, budget, problems, set()).text(scalar)
