"""What is named by an expression and known only later: secrets, steps' outputs, artifacts' members.

Each is looked up when it is used, since there may be many, and the wrong ones need a sentence of their own.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from shared.ids import Step
from shared.language.expression import Mistake
from shared.language.problem import quoted
from shared.language.resolution import Names, meant
from shared.placeholder import ArtifactOf, FactOf, Joined, Late, OutputOf, SecretOf

SECRET_NAME = re.compile(r"[A-Z0-9_a-z.-]{1,128}")
OUTPUT_NAME_CHARACTERS_MAX = 255
ORGANIZATION = ("name", "slug", "cicd_account_id", "cicd_account_region")
ARTIFACT_MEMBERS = {
    "image": ("image_url", "image_tag", "digest"),
    "bundle": ("s3_url", "s3_bucket", "s3_key", "digest"),
    "": (),
}


@dataclass(frozen=True, slots=True)
class Secrets:
    """The names of the secrets that there are."""

    organization: frozenset[str]
    stages: Mapping[str, frozenset[str]]  # by the stage's name; a stage that is not here has none


@dataclass(frozen=True, slots=True)
class NamedArtifact:
    """An artifact as expressions see it."""

    id: str
    name: str
    kind: Literal["bundle", "image", ""]  # empty: its type is unknown, and so are its members
    per_stage: bool = False  # made for each stage: there is nothing that its copies are made of


@dataclass(frozen=True, slots=True)
class NamedStep:
    """A step as expressions in other steps see it."""

    id: str
    name: str
    outputs: tuple[str, ...] | None  # None: of any name
    goes_after: tuple[str, ...]  # ids


def organization_names(known: Mapping[str, str] | None) -> dict[str, Any]:
    """Return the organization's own names: late, where whoever makes the plan was not told."""
    if known is None:
        return {name: Late(FactOf(names=("organization", name))) for name in ORGANIZATION}
    return {name: known.get(name) or _unknown_fact(name) for name in ORGANIZATION}


def _unknown_fact(name: str) -> Mistake:
    return Mistake(f"this installation has no {quoted(name)} of its organization", absent=True)


def secret_names(owner: Literal["organization", "stage"], known: frozenset[str] | None, whose: str) -> Names:
    """Return the names of one owner's secrets; any, where it is not known which there are."""

    def find(name: str) -> Late | Mistake:
        if not SECRET_NAME.fullmatch(name):
            hint = "1 to 128 letters, digits, underscores, dots and hyphens"
            return Mistake(f"{quoted(name)} cannot be the name of a secret", hint, rule="secret")
        if known is not None and name not in known:
            message = f"there is no secret {quoted(name)} {whose}"
            return Mistake(message, meant(name, _in_order(known)), absent=True, rule="secret")
        return Late(SecretOf(owner=owner, name=name))

    return Names(find)


@lru_cache(maxsize=64)
def _in_order(names: frozenset[str]) -> tuple[str, ...]:
    return tuple(sorted(names))


def artifact_names(artifacts: Sequence[NamedArtifact], *, copied: bool) -> Names:
    """Return the artifacts by id and by name: the stage's copies, or those that were built."""

    def find(name: str) -> Names | Mistake:
        found = next((each for each in artifacts if name in {each.id, each.name}), None)
        if found is None:
            hint = meant(name, (title for each in artifacts for title in (each.id, each.name)))
            return Mistake(f"there is no artifact {quoted(name)}", hint, rule="unknown-name")
        if found.per_stage and not copied:
            message = f"artifact {quoted(found.name)} is made for each stage and is not mirrored"
            return Mistake(message, "name it in stage.artifacts")
        return _members(found, copied=copied and not found.per_stage)

    return Names(find)


def _members(artifact: NamedArtifact, *, copied: bool) -> Names:
    known = ARTIFACT_MEMBERS[artifact.kind]

    def find(name: str) -> Late | Mistake:
        if name in known or not artifact.kind:
            return Late(ArtifactOf(artifact=artifact.id, name=name, copied=copied))
        kind = "an image" if artifact.kind == "image" else "a bundle"
        message = f"artifact {quoted(artifact.name)} is {kind} and has no {quoted(name)}"
        return Mistake(message, meant(name, known))

    return Names(find)


@dataclass(frozen=True, slots=True)
class Steps:
    """The steps of a stage as one of them sees them."""

    steps: tuple[NamedStep, ...]
    skipped: frozenset[str]
    stage: str
    here: str  # the id of the step whose parameters are resolved

    def names(self) -> Names:
        """Return the steps by id and by name."""
        upstream: list[frozenset[str]] = []  # found out once, when it is needed

        def find(name: str) -> Names | Mistake:
            found = self._named(name)
            if isinstance(found, Mistake):
                return found
            if not upstream:
                upstream.append(self._upstream())
            return self._missing(found, upstream[0]) or _outputs(found)

        return Names(find)

    def _named(self, name: str) -> NamedStep | Mistake:
        found = next((step for step in self.steps if name in {step.id, step.name}), None)
        if found is None:
            hint = meant(name, (title for step in self.steps for title in (step.id, step.name)))
            return Mistake(f"there is no step {quoted(name)}", hint, rule="unknown-name")
        return found

    def _missing(self, step: NamedStep, upstream: frozenset[str]) -> Mistake | None:
        """Return why a step has given nothing when this one starts."""
        if step.id == self.here:
            return Mistake(f"step {quoted(step.name)} cannot use what it gives itself")
        if step.id not in upstream:
            message = f"step {quoted(step.name)} does not run before this one"
            return Mistake(message, f"name {quoted(step.name)} in this step's goes_after")
        if step.id in self.skipped:
            message = f"step {quoted(step.name)} is left out in stage {self.stage}"
            hint = "default(a, b) gives b where the step is left out"
            return Mistake(message, hint, absent=True)
        return None

    def _upstream(self) -> frozenset[str]:
        """Return the steps that are over before this one starts."""
        edges = {step.id: step.goes_after for step in self.steps}
        waiting = list(edges.get(self.here, ()))
        found: set[str] = set()
        while waiting:
            step = waiting.pop()
            if step not in found:
                found.add(step)
                waiting.extend(edges.get(step, ()))
        return frozenset(found)


def _outputs(step: NamedStep) -> Names:
    def find(name: str) -> Late | Mistake:
        if step.outputs is not None and name not in step.outputs:
            message = f"step {quoted(step.name)} gives no output {quoted(name)}"
            return Mistake(message, meant(name, step.outputs))
        if not 1 <= len(name) <= OUTPUT_NAME_CHARACTERS_MAX:
            return Mistake(f"{quoted(name)} cannot be the name of an output")
        output = OutputOf(step=Step(step.id), name=name)
        return Late(output if step.outputs is None else Joined(parts=(output,)))  # those of our own are texts

    return Names(find)
