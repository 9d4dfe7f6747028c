"""From a defined artifact to a planned one: its settings resolved and its identity fixed.

The identity is what goes in: the sources' git ids, the commands, the path, the environment. It also
names the repository: a build reads more than the sources it lists, so equal listed sources of two
repositories do not make equal artifacts, and one repository must not be able to give another its own.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from shared.artifact_types import ARTIFACT_TYPES
from shared.ids import BuildKey
from shared.language.definition import WHOLE_TREE, ArtifactDefinition
from shared.language.manifest.part import inside
from shared.language.node import Mapping as MappingNode
from shared.language.params_reading import ParamsReader, read_variables
from shared.language.problem import Place, Problems, quoted
from shared.language.reading import key_place
from shared.placeholder import Late, Placeholder, SecretOf, sources, taken_out
from shared.plan import ArtifactPlan, BuildHost, DockerBuild, Import
from shared.tree import Entry

IDENTITY_FORMAT = 1  # raised when what a build does with equal inputs changes
ABSENT = "absent"  # in place of an id, where the commit has nothing
BUILD_SECONDS = 1800.0  # unless the artifact says otherwise


@dataclass(frozen=True, slots=True)
class ArtifactPlanner:
    """Plans artifacts of one commit: those of all stages, or those of one."""

    repository: str
    entries: Mapping[str, Entry | None]
    reader: ParamsReader
    problems: Problems
    stage: str = ""  # the one it is for; empty: for all of them
    of_commit: bool = True  # then sources that are not there are refused, and else told

    def plan(self, artifact: ArtifactDefinition) -> ArtifactPlan | None:
        """Return how the artifact comes about, and under which key; None if its type is unknown."""
        row = ARTIFACT_TYPES.get(artifact.type)
        if row is None:
            return None
        node = artifact.node.get("params")
        if node is not None and self.problems.has_error_at(node.place):
            return None
        params = node if isinstance(node, MappingNode) else MappingNode((), artifact.place)
        read = self.reader.read(params, row.params, f"params of artifact {quoted(artifact.name)}")
        env, late = self._environment(artifact, params, read.values.get("env", {}), read.late)
        seconds = artifact.part.timeout_minutes
        minutes = read.values.get("timeout_minutes")
        plan = ArtifactPlan(
            id=artifact.id,
            name=artifact.name,
            kind=row.kind,
            stage=self.stage,
            build_key=BuildKey(""),
            **_made_of(read.values),
            host=_host(artifact),
            env=env,
            late=late,
            timeout_seconds=(seconds or minutes or BUILD_SECONDS / 60.0) * 60.0,
            sources={} if row.imported else self._sources(artifact),
        )
        return plan.model_copy(update={"build_key": build_key(plan, self.repository)})

    def _environment(
        self,
        artifact: ArtifactDefinition,
        params: MappingNode,
        inner: Mapping[str, Any],
        inner_late: tuple[Placeholder, ...],
    ) -> tuple[dict[str, str], tuple[Placeholder, ...]]:
        """Return the variables of `envs` and of the parameters, which are one environment."""
        outer_node = artifact.node.get("envs")
        found: dict[str, str | Late] = {}
        if isinstance(outer_node, MappingNode):
            for name, scalar in read_variables(outer_node, self.problems):
                found[name] = self.reader.resolver.text(scalar)
        inner_node = params.get("env")
        for name in inner:
            if name in found and inner_node is not None:
                message = f"the variable {quoted(name)} is in envs and in env of params"
                self.problems.add(key_place(inner_node, (name,)), message, "keep one of them", "duplicate")
        _, late = taken_out(found)
        moved = tuple(each.model_copy(update={"at": each.at[1:]}) for each in inner_late)
        known = {name: value for name, value in {**found, **inner}.items() if isinstance(value, str)}
        return known, tuple(sorted((*late, *moved), key=lambda each: each.at))

    def _sources(self, artifact: ArtifactDefinition) -> dict[str, str]:
        if not artifact.sources:
            return {WHOLE_TREE: _id(self.entries[WHOLE_TREE])}
        for source in artifact.sources:
            entry = self.entries[source.path]
            if entry and entry.kind in {"link", "submodule"}:
                message = f'"{source.path}" is a {entry.kind}: what it stands for can change unseen'
                self.problems.add(source.place, message, "name what it leads to", "path")
        if all(self.entries[source.path] is None for source in artifact.sources):
            message = "nothing that this artifact depends on is there: it would never be rebuilt"
            tell_absent(message, artifact.sources[0].place, self.problems, of_commit=self.of_commit)
        return {source.path: _id(self.entries[source.path]) for source in artifact.sources}


def tell_absent(message: str, place: Place, problems: Problems, *, of_commit: bool) -> None:
    """Refuse what a commit lacks; of a folder that may yet change, tell what a push would be refused for."""
    hint = "paths start at the repository's root"
    if of_commit:
        problems.add(place, message, hint, "path")
    else:
        problems.warn(place, f"{message}, and a push without it is refused", hint, "path")


def build_key(plan: ArtifactPlan, repository: str) -> BuildKey:
    """Return the identity of what the build makes; its name, id and time limit are no part of it.

    Nor is the stage that it is for, unless it is given that stage's secrets: another's have other values.
    What an artifact does not have is left out, so that the keys of others stay when kinds are added.
    """
    identity: dict[str, Any] = {
        "format": IDENTITY_FORMAT,
        "repository": repository,
        "kind": plan.kind,
        "commands": plan.commands,
        "path": plan.path,
        "env": plan.env,
        "sources": plan.sources,
    }
    further = {"docker": plan.docker, "imported": plan.imported}
    identity |= {name: part.model_dump(mode="json") for name, part in further.items() if part}
    if plan.host != BuildHost():
        identity["host"] = plan.host.model_dump(mode="json")
    if plan.late:
        identity["late"] = [placeholder.model_dump(mode="json") for placeholder in plan.late]
    if any(map(_is_of_a_stage, plan.late)):
        identity["stage"] = plan.stage
    canonical = json.dumps(identity, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return BuildKey(sha256(canonical.encode()).hexdigest())


def _is_of_a_stage(late: Placeholder) -> bool:
    return any(isinstance(each, SecretOf) and each.owner == "stage" for each in sources(late.value))


def _made_of(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the parameters of each type say of the build."""
    if "file_path" in values:
        return {"commands": tuple(values["build_commands"]), "path": inside(values["file_path"])}
    if "dockerfile" in values:
        dockerfile, root = inside(values["dockerfile"]), inside(values["build_root"])
        return {"docker": DockerBuild(dockerfile=dockerfile, build_root=root, args=tuple(values["args"]))}
    if "source_image_url" in values:
        return {"imported": Import(url=values["source_image_url"])}
    if "source_s3_url" in values:
        return {
            "imported": Import(
                url=values["source_s3_url"],
                account_id=values["source_account"],
                region=values["source_region"],
            )
        }
    return {}


def _host(artifact: ArtifactDefinition) -> BuildHost:
    part = artifact.part
    return BuildHost(
        architecture=part.architecture or "",
        size=part.host_size,
        dependencies=tuple(sorted(set(part.dependencies))),
    )


def _id(entry: Entry | None) -> str:
    return entry.id if entry else ABSENT
