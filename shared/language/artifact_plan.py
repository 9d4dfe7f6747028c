"""From a defined artifact to a planned one: its environment resolved and its identity fixed.

The identity is what goes in: the sources' git ids, the commands, the path, the environment. It also
names the repository: a build reads more than the sources it lists, so equal listed sources of two
repositories do not make equal artifacts, and one repository must not be able to give another its own.
"""

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from shared.ids import BuildKey
from shared.language.definition import WHOLE_TREE, ArtifactDefinition
from shared.language.expression import Budget
from shared.language.problem import Problems
from shared.language.scope import resolve_text
from shared.plan import ArtifactPlan
from shared.tree import Entry

IDENTITY_FORMAT = 1  # raised when what a build does with equal inputs changes
ABSENT = "absent"  # in place of an id, where the commit has nothing


def plan_artifact(
    artifact: ArtifactDefinition,
    repository: str,
    entries: Mapping[str, Entry | None],
    scope: Mapping[str, Any],
    budget: Budget,
    problems: Problems,
) -> ArtifactPlan:
    """Return how the artifact is built, and under which key."""
    title = "the environment of an artifact, which is built once for all stages"
    env = {name: resolve_text(value, scope, title, budget, problems) for name, value in artifact.envs}
    plan = ArtifactPlan(
        id=artifact.id,
        name=artifact.name,
        build_key=BuildKey(""),
        commands=artifact.commands,
        path=artifact.path,
        env=env,
        timeout_seconds=artifact.timeout_seconds,
        sources=_sources(artifact, entries, problems),
    )
    return plan.model_copy(update={"build_key": build_key(plan, repository)})


def build_key(plan: ArtifactPlan, repository: str) -> BuildKey:
    """Return the identity of what the build makes; its name, id and time limit are no part of it."""
    identity = {
        "format": IDENTITY_FORMAT,
        "repository": repository,
        "kind": plan.kind,
        "commands": plan.commands,
        "path": plan.path,
        "env": plan.env,
        "sources": plan.sources,
    }
    canonical = json.dumps(identity, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return BuildKey(sha256(canonical.encode()).hexdigest())


def _sources(
    artifact: ArtifactDefinition, entries: Mapping[str, Entry | None], problems: Problems
) -> dict[str, str]:
    if not artifact.sources:
        return {WHOLE_TREE: _id(entries[WHOLE_TREE])}
    for source in artifact.sources:
        entry = entries[source.path]
        if entry and entry.kind in {"link", "submodule"}:
            message = f'"{source.path}" is a {entry.kind}: what it stands for can change unseen'
            problems.add(source.place, message, "name what it leads to")
    if all(entries[source.path] is None for source in artifact.sources):
        message = "nothing that this artifact depends on is in the commit: it would never be rebuilt"
        problems.add(artifact.sources[0].place, message, "paths start at the repository's root")
    return {source.path: _id(entries[source.path]) for source in artifact.sources}


def _id(entry: Entry | None) -> str:
    return entry.id if entry else ABSENT
