"""What in a step, a stage or a pipeline keeps watch, and when a new value watches less than the old. Pure.

A table: where the value stands, what is weaker, and which rule of `destructive` that breaks. What cannot
be judged before it is known, because it is filled in late, counts as weaker whenever it changes.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, TypeAdapter, ValidationError

from shared.language.shown_value import shown
from shared.plan import PathCheck
from shared.window import Freeze, Window

Rule = Literal[
    "approval-bypassed",
    "approval-removed",
    "approval-weakened",
    "alarm-removed",
    "definition-approval-lowered",
    "place-changed",
    "rollback-weakened",
    "safeguard-weakened",
    "secret-reached",
    "stage-bypass",
    "stage-moved",
    "stage-removed",
    "stages-reordered",
    "step-removed",
    "tracks-widened",
    "verification-weakened",
    "window-removed",
    "window-widened",
]

# What each step type is for. A type that is missing here counts as one that deploys.
GATE, DEPLOYS, OTHER = "gate", "deploys", "other"
KINDS: Mapping[str, str] = {
    "APPROVAL:BAKE": GATE,
    "APPROVAL:MANUAL": GATE,
    "APPROVAL:TEST": GATE,
    "CLOUDFRONT:INVALIDATE": OTHER,
    "CODEDEPLOY:DEPLOY": DEPLOYS,
    "CUSTOM:*": DEPLOYS,  # only its own code knows
    "DATABASE:MIGRATE": DEPLOYS,
    "EC2:DEPLOY": DEPLOYS,
    "ECS:DEPLOY": DEPLOYS,
    "ECS:RUN_TASK": OTHER,
    "EKS:DEPLOY": DEPLOYS,
    "EKS:HELM": DEPLOYS,
    "LAMBDA:DEPLOY": DEPLOYS,
    "LAMBDA:INVOKE": OTHER,
    "LOCAL:SERVICE:DEPLOY": DEPLOYS,
    "LOCAL:STATIC:DEPLOY": DEPLOYS,
    "S3:UPLOAD": DEPLOYS,
    "SCRIPT:EXECUTE": OTHER,
    "TERRAFORM:SYNTHESIZE": DEPLOYS,
}

VERIFIED = "LOCAL:SERVICE:DEPLOY LOCAL:STATIC:DEPLOY"  # types whose `verify` is a plan's `Criteria`

APPROVAL_LEVELS = ("NEVER", "DESTRUCTIVE_CHANGES_ONLY", "ALWAYS")
_OVERWRITING = ("DISALLOW", "RETAIN", "OVERWRITE")  # CodeDeploy's, of files that are there already

_CHECKS = TypeAdapter(list[PathCheck])
_UNSAID = [PathCheck()]  # where no path is named, "/" is among what is asked for

Weaker = Callable[[Any, Any], bool]  # old, new; None where there is none


@dataclass(frozen=True, slots=True)
class Guard:
    """One value that keeps watch; what lies inside of it counts too."""

    types: frozenset[str]  # of steps; empty: all
    at: tuple[str, ...]  # in the step: ("params", "verify", "successes")
    weaker: Weaker
    rule: Rule


def is_known(value: Any) -> bool:
    """Tell whether nothing in a value is filled in late."""
    match value:
        case BaseModel():
            return False
        case dict():
            return all(is_known(each) for each in value.values())
        case list() | tuple():
            return all(is_known(each) for each in value)
    return True


def _changed(old: Any, new: Any) -> bool:  # noqa: ARG001 - of the form of the others
    return True


def _lower(old: Any, new: Any) -> bool:
    return not (_is_number(old) and _is_number(new)) or new < old


def _higher(old: Any, new: Any) -> bool:
    return not (_is_number(old) and _is_number(new)) or new > old


def _shorter(old: Any, new: Any) -> bool:
    """Tell whether less time is taken; nothing said is none."""
    return _is_number(old) and (not _is_number(new) or new < old)


def _is_number(value: Any) -> bool:
    """Tell what can be compared; None does not: it stands for what nobody knows here."""
    return isinstance(value, int | float)


def _off(old: Any, new: Any) -> bool:  # noqa: ARG001
    return new is not True


def _on(old: Any, new: Any) -> bool:  # noqa: ARG001
    return new is not False


def _below(levels: tuple[str, ...]) -> Weaker:
    """Return what compares by the place in the list; what is not in it is weakest."""

    def level(value: Any) -> int:
        return levels.index(value) if value in levels else -1

    return lambda old, new: level(new) < level(old)


def _taken_from(old: Any, new: Any) -> bool:
    """Tell whether something that was asked for is not any more: `old` was no void, and is not kept."""
    return bool(old) and old != new


def _approvers(old: Any, new: Any) -> bool:
    """Tell whether somebody may approve who might not before; an empty list lets everybody."""
    if not (isinstance(old, list) and isinstance(new, list)):
        return True
    return bool(old) and (not new or not set(map(shown, new)) <= set(map(shown, old)))


def _fewer_paths(old: Any, new: Any) -> bool:
    """Tell whether a path is not asked for any more, or less is asked of it."""
    try:
        wanted, kept = _CHECKS.validate_python(old), _CHECKS.validate_python(new)
    except ValidationError:  # of a release that asked otherwise
        return True
    wanted, kept = wanted or _UNSAID, kept or _UNSAID
    return not all(any(_asks_as_much(check, each) for each in kept) for check in wanted)


def _fewer_entries(old: Any, new: Any) -> bool:
    """Tell whether something that was asked is not any more."""
    if not (isinstance(old, list) and isinstance(new, list)):
        return bool(old)
    return not {shown(each) for each in old} <= {shown(each) for each in new}


def _marker_changed(old: Any, new: Any) -> bool:  # noqa: ARG001
    """Tell whether a release told itself by another marker, or a part of it; what was none has no part."""
    return old is not None


def _asks_as_much(old: PathCheck, new: PathCheck) -> bool:
    status = old.status in {None, new.status}
    return old.path == new.path and status and old.contains in new.contains


def weaker_level(old: str, new: str) -> bool:
    """Tell whether fewer changes of the pipeline file need approval."""
    return _below(APPROVAL_LEVELS)(old, new)


def _params(types: str, names: str, weaker: Weaker, rule: Rule) -> tuple[Guard, ...]:
    kinds = frozenset(types.split())
    return tuple(Guard(kinds, ("params", *name.split(".")), weaker, rule) for name in names.split())


# fmt: off
GUARDS: tuple[Guard, ...] = (
    *_params("APPROVAL:MANUAL", "approvers", _approvers, "approval-weakened"),
    *_params("APPROVAL:MANUAL", "approvals", _lower, "approval-weakened"),
    *_params("APPROVAL:MANUAL", "self_approval", _on, "approval-weakened"),
    *_params("APPROVAL:BAKE", "duration_minutes", _lower, "approval-weakened"),
    *_params("APPROVAL:TEST", "testCommand workingDirectory environmentVariables testType", _changed,
             "approval-weakened"),
    *_params("TERRAFORM:SYNTHESIZE", "requires_approval", _below(APPROVAL_LEVELS), "approval-weakened"),

    *_params(VERIFIED, "verify.paths", _fewer_paths, "verification-weakened"),
    *_params(VERIFIED, "verify.tcp verify.commands", _fewer_entries, "verification-weakened"),
    *_params(VERIFIED, "verify.release", _marker_changed, "verification-weakened"),
    *_params(VERIFIED, "verify.successes verify.interval_seconds", _lower, "verification-weakened"),
    *_params(VERIFIED, "verify.soak_seconds", _shorter, "verification-weakened"),
    *_params(VERIFIED, "verify.latency_seconds_max", _higher, "verification-weakened"),

    *_params("LOCAL:SERVICE:DEPLOY LOCAL:STATIC:DEPLOY", "port", _changed, "place-changed"),
    *_params("TERRAFORM:SYNTHESIZE", "source backend_config workspace", _changed, "place-changed"),
    *_params("ECS:DEPLOY", "cluster_name service_name container_name", _changed, "place-changed"),
    *_params("EKS:DEPLOY", "cluster_name namespace workload container_name", _changed, "place-changed"),
    *_params("EKS:HELM", "cluster_name namespace release_name", _changed, "place-changed"),
    *_params("LAMBDA:DEPLOY", "function_name alias", _changed, "place-changed"),
    *_params("S3:UPLOAD", "bucket prefix", _changed, "place-changed"),
    *_params("CODEDEPLOY:DEPLOY", "application_name deployment_group_name", _changed, "place-changed"),
    *_params("EC2:DEPLOY", "instance_ids tags auto_scaling_group directory", _changed, "place-changed"),
    *_params("DATABASE:MIGRATE", "database_url", _changed, "place-changed"),

    *_params("ECS:DEPLOY", "circuit_breaker", _off, "safeguard-weakened"),
    *_params("ECS:DEPLOY", "minimum_healthy_percent desired_count", _lower, "safeguard-weakened"),
    *_params("EKS:HELM", "atomic", _off, "safeguard-weakened"),
    *_params("S3:UPLOAD", "delete_removed", _on, "safeguard-weakened"),
    *_params("S3:UPLOAD", "kms_key_id", _taken_from, "safeguard-weakened"),
    *_params("CODEDEPLOY:DEPLOY", "file_exists_behavior",
             lambda old, new: _below(_OVERWRITING)(new, old), "safeguard-weakened"),
    *_params("CODEDEPLOY:DEPLOY", "ignore_application_stop_failures", _on, "safeguard-weakened"),
    *_params("EC2:DEPLOY", "errors_max", _higher, "safeguard-weakened"),

    Guard(frozenset(), ("on_rollback",), lambda _, new: new == "skip", "rollback-weakened"),
)
# fmt: on


def broken(type_: str, at: tuple[str, ...], old: Any, new: Any) -> Rule | None:
    """Return the rule that a changed value of a step breaks; `at` is from the step on."""
    for guard in GUARDS:
        if guard.types and type_ not in guard.types:
            continue
        if at[: len(guard.at)] == guard.at:
            weaker = not (is_known(old) and is_known(new)) or guard.weaker(old, new)
            return guard.rule if weaker else None
    return None


def window_broken(old: Window | None, new: Window | None) -> Rule | None:
    """Return the rule that another deployment window breaks: a run may begin when none might before.

    Days that are over count like all others: nothing here knows what day it is.
    """
    if old is None:
        return None
    if new is None:
        return "window-removed"
    wider = old.zone != new.zone or not (
        all(any(_inside(each, kept) for kept in old.openings) for each in new.openings)
        and all(_is_holiday(day, new) for day in old.holidays)
        and all(_is_frozen(freeze, new) for freeze in old.freezes)
    )
    return "window-widened" if wider else None


def _inside(opening: Any, other: Any) -> bool:
    same_day = opening.day == other.day
    return bool(same_day and other.opens <= opening.opens and opening.closes <= other.closes)


def _is_holiday(day: str, window: Window) -> bool:
    return day in window.holidays or day[-5:] in window.holidays


def _is_frozen(freeze: Freeze, window: Window) -> bool:
    """Tell whether a window's freezes together cover one."""
    endless = "~"  # sorts after every time
    covered = freeze.begins
    for each in sorted(window.freezes, key=lambda each: each.begins):
        if each.begins <= covered:
            covered = max(covered, each.ends or endless)
    return covered >= (freeze.ends or endless)
