"""What differs between two plans of a pipeline, as people speak of it, and whether that needs approval. Pure.

Compared is what the definition says. What belongs to a push (the commit, the branch, the sources' ids, and
with them the build keys) is no change of it. A value may be made of such facts all the same: the commit's
id inside a text is recognized, a revision's number or a branch's name is not. So plans of two definitions
are best made with the same facts; otherwise a change too many is told, never one too few.

To approve, the old plan must be the newest one that was let through, not one that itself waits for approval.
Not in a plan, and so not compared here: a pipeline's name, its notifications.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

from shared.language import destructive
from shared.language.destructive import Path, Watch
from shared.language.guard import Rule, broken, weaker_level, window_broken
from shared.language.problem import quoted
from shared.language.shown_value import bounded, filled, shown
from shared.language.tracks import is_wider
from shared.plan import ArtifactPlan, DefinitionApproval, Plan, StagePlan, StepPlan, Tracked
from shared.window import Window

CHANGES_TOLD_MAX = 100  # of those that make an approval necessary: they travel in events

Kind = Literal["added", "removed", "changed", "reordered"]

_OF_A_STEP = ("type", "name", "skip", "goes_after", "timeout_seconds", "attempts", "host",
              "on_sibling_failure", "on_rollback", "repeatable")  # fmt: skip
_OF_A_STAGE = ("target", "account_id", "region", "window", "alarm", "queue", "vars", "timeout_seconds")
_OF_AN_ARTIFACT = ("name", "kind", "commands", "path", "docker", "imported", "host", "timeout_seconds")


class Change(BaseModel):
    """One thing that is not as it was. Holds no secret: a plan has placeholders for those."""

    model_config = ConfigDict(frozen=True, extra="ignore")  # told in events, which only ever grow

    kind: Kind
    thing: str  # in words: stage "production" · step "Migrate" · params.commands
    path: Path  # ("stages", "production", "steps", "migrate", "params", "commands")
    old: str = ""  # as it is shown, bounded; empty: there was none
    new: str = ""
    rule: Rule | None = None  # of `destructive.RULES`, that it breaks; None: nothing is lost by it

    @property
    def is_destructive(self) -> bool:
        """Tell whether it takes away or weakens what keeps watch."""
        return self.rule is not None


class ApprovalNeeded(BaseModel):
    """Why a new definition must not be carried out before a person has said so."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    mode: DefinitionApproval  # the old plan's
    changes: tuple[Change, ...]  # that make it necessary, at most `CHANGES_TOLD_MAX`
    further: int = 0  # of those, that are not listed


def differences(old: Plan, new: Plan) -> tuple[Change, ...]:
    """Return every change, in the order of the new plan; stages and steps are matched by their ids."""
    return tuple(_Comparison(old, new).changes())


def approval_needed(old: Plan | None, new: Plan) -> ApprovalNeeded | None:
    """Return why somebody must approve, by the old plan's mode; None: nobody must, as of the first plan."""
    if old is None or old.definition_approval == "NEVER":
        return None
    found = differences(old, new)
    if old.definition_approval == "DESTRUCTIVE_CHANGES_ONLY":
        found = tuple(change for change in found if change.is_destructive)
    if not found:
        return None
    told = found[:CHANGES_TOLD_MAX]
    return ApprovalNeeded(mode=old.definition_approval, changes=told, further=len(found) - len(told))


class _Where(NamedTuple):
    path: Path
    thing: str
    inside: bool = False  # of a value: then a dot leads on

    def __truediv__(self, name: str) -> "_Where":
        word = quoted(name)[1:-1]
        thing = f"{self.thing}{'.' if self.inside else ' · '}{word}" if self.thing else word
        return _Where((*self.path, name), thing, inside=True)


class _Value(NamedTuple):
    """A value that differs."""

    where: _Where
    old: Any
    new: Any
    kind: Kind = "changed"


@dataclass(frozen=True, slots=True)
class _Comparison:
    old: Plan
    new: Plan

    def changes(self) -> Iterator[Change]:
        yield from self._of_pipeline()
        yield from self._of_artifacts()
        before = {stage.name: stage for stage in self.old.stages}
        after = {stage.name for stage in self.new.stages}
        watches = {str(stage.name): destructive.watch(stage) for stage in self.old.stages}
        yield from self._order([*before], [stage.name for stage in self.new.stages])
        for stage in self.new.stages:
            where = _Where(("stages", stage.name), f"stage {quoted(stage.name)}")
            if (was := before.get(stage.name)) is not None:
                yield from self._of_stage(where, was, stage, watches[stage.name])
            else:
                bypass = destructive.bypasses(stage, self.old.stages, watches)
                yield _change("added", where, None, _stage_words(stage), "stage-bypass" if bypass else None)
        for stage in self.old.stages:
            if stage.name not in after:
                where = _Where(("stages", stage.name), f"stage {quoted(stage.name)}")
                yield _change("removed", where, _stage_words(stage), None, "stage-removed")
        yield from map(_lost, destructive.reached(self.old, self.new))

    def _of_pipeline(self) -> Iterator[Change]:
        old, new = self.old, self.new
        for value in self._fields(_Where((), ""), old, new, ("definition_approval", "timeout_seconds")):
            lowered = value.where.path == ("definition_approval",) and weaker_level(value.old, value.new)
            yield _changed(value, "definition-approval-lowered" if lowered else None)
        tracked = (_plain(_tracked(plan)) for plan in (old, new))
        for value in self._values(_Where((), "") / "tracks", *tracked):
            wider = is_wider(value.where.path[1], value.old, value.new)
            yield _changed(value, "tracks-widened" if wider else None)

    def _order(self, old: Sequence[str], new: Sequence[str]) -> Iterator[Change]:
        both = set(old) & set(new)
        was, is_ = ([name for name in names if name in both] for names in (old, new))
        if was != is_:
            yield _change("reordered", _Where(("stages",), "stages"), was, is_, "stages-reordered")

    def _of_artifacts(self) -> Iterator[Change]:
        before = {(each.id, each.stage): each for each in self.old.artifacts}
        after = {(each.id, each.stage): each for each in self.new.artifacts}
        for key, artifact in after.items():
            if (was := before.get(key)) is None:
                yield _change("added", _artifact_at(artifact), None, artifact.name)
                continue
            where = _artifact_at(artifact)
            for value in self._fields(where, was, artifact, _OF_AN_ARTIFACT):
                yield _changed(value)
            for value in self._values(where / "env", _environment(was), _environment(artifact)):
                yield _changed(value)
            for value in self._values(where / "sources", sorted(was.sources), sorted(artifact.sources)):
                yield _changed(value)
        for key, artifact in before.items():
            if key not in after:
                yield _change("removed", _artifact_at(artifact), artifact.name, None)

    def _of_stage(self, where: _Where, old: StagePlan, new: StagePlan, watch: Watch) -> Iterator[Change]:
        if self._is_same_text(old, new):
            return
        for value in self._fields(where, old, new, _OF_A_STAGE):
            yield _changed(value, _stage_rule(value))
        before = {step.id: step for step in old.steps}
        after = {step.id for step in new.steps}
        for step in new.steps:
            inside = _step_at(where, step)
            if (was := before.get(step.id)) is None:
                yield _change("added", inside, None, step.type)
            elif not self._is_same_text(was, step):
                yield from self._of_step(inside, was, step)
        for step in old.steps:
            if step.id not in after:
                rule = None if step.skip else destructive.removed(step)
                yield _change("removed", _step_at(where, step), step.type, None, rule)
        yield from map(_lost, destructive.bypassed(new, watch))

    def _of_step(self, where: _Where, old: StepPlan, new: StepPlan) -> Iterator[Change]:
        gone = destructive.removed(old) if not old.skip and (new.skip or new.type != old.type) else None
        for value in self._fields(where, old, new, _OF_A_STEP):
            name = value.where.path[len(where.path)]
            if name in {"skip", "type"}:
                yield _changed(value, gone)
            elif not (old.skip or new.skip):
                at = value.where.path[len(where.path) :]
                yield _changed(value, broken(old.type, at, value.old, value.new))
            else:
                yield _changed(value)
        if old.skip or new.skip:
            return  # a step that is left out has no parameters
        params = filled(old.params, old.late), filled(new.params, new.late)
        for value in self._values(where / "params", *params):
            at = value.where.path[len(where.path) :]
            rule = None if gone else broken(old.type, at, value.old, value.new)
            yield _changed(value, rule)

    def _fields(
        self, where: _Where, old: BaseModel, new: BaseModel, names: Sequence[str]
    ) -> Iterator[_Value]:
        for name in names:
            values = getattr(old, name), getattr(new, name)
            if name == "window" and values[0] != values[1]:
                yield _Value(where / name, *values)
            elif name != "window":
                yield from self._values(where / name, *map(_plain, values))

    def _values(self, where: _Where, old: Any, new: Any) -> Iterator[_Value]:
        """Yield what differs, as deep inside of mappings as it does."""
        if isinstance(old, dict) and isinstance(new, dict):
            for key in dict.fromkeys((*new, *old)):
                if key in old and key in new:
                    yield from self._values(where / key, old[key], new[key])
                else:
                    yield _Value(
                        where / key, old.get(key), new.get(key), "added" if key in new else "removed"
                    )
        elif not self._is_same(old, new):
            yield _Value(where, old, new)

    def _is_same_text(self, old: BaseModel, new: BaseModel) -> bool:
        """Tell quickly that there is nothing to look for."""
        return old.model_dump_json().split(self.old.commit) == new.model_dump_json().split(self.new.commit)

    def _is_same(self, old: Any, new: Any) -> bool:
        if isinstance(old, BaseModel) and isinstance(new, BaseModel):
            return self._is_same(old.model_dump(), new.model_dump())
        if isinstance(old, dict) and isinstance(new, dict):
            return old.keys() == new.keys() and all(self._is_same(old[key], new[key]) for key in old)
        if isinstance(old, list | tuple) and isinstance(new, list | tuple):
            return len(old) == len(new) and all(map(self._is_same, old, new))
        if isinstance(old, str) and isinstance(new, str):
            return old.split(self.old.commit) == new.split(self.new.commit)
        return type(old) is type(new) and bool(old == new)


def _plain(value: Any) -> Any:
    return value.model_dump(mode="json") if isinstance(value, BaseModel) else value


def _tracked(plan: Plan) -> Tracked:
    return plan.tracks or Tracked(branches=(plan.branch,))


def _stage_rule(value: _Value) -> Rule | None:
    match value.where.path[2]:
        case "target" | "account_id" | "region":
            return "stage-moved"
        case "window":
            return window_broken(value.old, value.new)
        case "alarm":
            return "alarm-removed" if value.old else None
    return None


def _environment(artifact: ArtifactPlan) -> Mapping[str, Any]:
    late = {str(placeholder.at[0]): placeholder.value for placeholder in artifact.late}
    return {**artifact.env, **late}


def _artifact_at(artifact: ArtifactPlan) -> _Where:
    of = f" for stage {quoted(artifact.stage)}" if artifact.stage else ""
    path = ("artifacts", artifact.id, artifact.stage) if artifact.stage else ("artifacts", artifact.id)
    return _Where(path, f"artifact {quoted(artifact.name)}{of}")


def _step_at(stage: _Where, step: StepPlan) -> _Where:
    return _Where((*stage.path, "steps", step.id), f"{stage.thing} · step {quoted(step.name)}")


def _stage_words(stage: StagePlan) -> str:
    return " ".join(word for word in (stage.target, stage.account_id, stage.region) if word)


def _changed(value: _Value, rule: Rule | None = None) -> Change:
    old, new = (_plain(each) if isinstance(each, Window) else each for each in (value.old, value.new))
    return _change(value.kind, value.where, old, new, rule)


def _change(kind: Kind, where: _Where, old: Any, new: Any, rule: Rule | None = None) -> Change:
    was, is_ = ("" if value is None else shown(value) for value in (old, new))
    return Change(
        kind=kind,
        thing=where.thing,
        path=where.path,
        old=bounded(was, is_),
        new=bounded(is_, was),
        rule=rule,
    )


def _lost(loss: destructive.Loss) -> Change:
    kind: Kind = "added" if loss.rule == "secret-reached" else "changed"
    return Change(kind=kind, thing=loss.thing, path=loss.path, old=loss.old, new=loss.new, rule=loss.rule)
