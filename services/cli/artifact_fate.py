"""Which artifacts of a plan would be built, and why; pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from services.cli.words import short
from shared.ids import Commit, Pipeline, Repository
from shared.language.artifact_plan import ABSENT
from shared.language.difference import differences
from shared.plan import ArtifactPlan, Plan

Fate = Literal["built", "reused", "imported"]


@dataclass(frozen=True, slots=True)
class ArtifactFate:
    """What becomes of one artifact."""

    artifact: ArtifactPlan
    fate: Fate
    reasons: tuple[str, ...]  # "/app: 1a2b3c4d -> 5e6f7a8b"


def fates(plan: Plan, before: Plan | None) -> tuple[ArtifactFate, ...]:
    """Return what becomes of each; reused is what the plan before had too, under whichever name."""
    old = {(each.id, each.stage): each for each in before.artifacts} if before else {}
    keys = {each.build_key: each for each in old.values()}
    return tuple(
        _fate(each, keys.get(each.build_key), old.get((each.id, each.stage))) for each in plan.artifacts
    )


def _fate(artifact: ArtifactPlan, same: ArtifactPlan | None, old: ArtifactPlan | None) -> ArtifactFate:
    if same is not None:
        named = "" if same.id == artifact.id else f", as {same.name}"
        return ArtifactFate(artifact, "reused", (f"same sources, settings and environment{named}",))
    fate: Fate = "imported" if artifact.imported else "built"
    if old is None:
        return ArtifactFate(artifact, fate, ("nothing to reuse",))
    return ArtifactFate(artifact, fate, (*_sources(old.sources, artifact.sources), *_settings(old, artifact)))


def _sources(old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[str]:
    for path in dict.fromkeys((*new, *old)):
        was, is_ = old.get(path), new.get(path)
        if was != is_:
            shown = f"{_id(was)} -> {_id(is_)}"
            yield f"{'any file' if path == '/' else path} changed: {shown}"


def _id(id_: str | None) -> str:
    if id_ is None:
        return "not listed"
    return id_ if id_ == ABSENT else short(id_)


def _settings(old: ArtifactPlan, new: ArtifactPlan) -> Iterator[str]:
    """Yield which settings made another artifact of it; the name and the time limit do not."""
    changes = differences(_alone(old), _alone(new))
    for what, change in ((change.thing.partition(" · ")[2], change) for change in changes):
        yield f"{what} changed: {change.old or 'none'} -> {change.new or 'none'}"


def _alone(artifact: ArtifactPlan) -> Plan:
    """Return a plan of what an artifact is made of. No text has its commit, so that those of others count."""
    same: dict[str, Any] = {"id": "", "stage": "", "name": "", "timeout_seconds": 1.0, "sources": {}}
    return Plan(
        pipeline=Pipeline(""),
        repository=Repository(""),
        remote="",
        branch="",
        commit=Commit("\0"),
        artifacts=(artifact.model_copy(update=same),),
        stages=(),
    )
