"""A change of a pipeline's definition in the words of its file, and as one sentence. Pure."""

from shared.language.destructive import RULES
from shared.language.difference import Change
from shared.language.shown_value import CUT

VALUE_CHARACTERS_MAX = 80  # of one value in a sentence
THING_CHARACTERS_MAX = 160  # of what it is about
_WRITTEN = {  # what a plan calls otherwise than the file does
    "alarm": "auto_rollback_alarm_name",
    "definition_approval": "pipeline_updates_require_approval",
    "kind": "type",
    "timeout_seconds": "timeout_minutes",
    "window": "deployment_time_window",
}


def as_written(change: Change) -> Change:
    """Return a change in the words of the pipeline file, where the plan has others."""
    *place, name = change.path
    match place:
        case [] | ["stages", _] | ["stages", _, "steps", _] | ["artifacts", _] if name in _WRITTEN:
            pass
        case _:
            return change
    told = f"{change.thing.removesuffix(name)}{_WRITTEN[name]}"
    if name != "timeout_seconds":
        return change.model_copy(update={"thing": told})
    return change.model_copy(update={"thing": told, "old": _minutes(change.old), "new": _minutes(change.new)})


def briefly(change: Change) -> str:
    """Return what became of what, without the values."""
    kind = "removed" if change.kind == "changed" and not change.new else change.kind
    return f"{_cut(as_written(change).thing, THING_CHARACTERS_MAX)} {kind}"


def sentence(change: Change) -> str:
    """Return a change with its values, and what is lost by it."""
    change = as_written(change)
    old, new = (_cut(value, VALUE_CHARACTERS_MAX) for value in (change.old, change.new))
    lost = f" ({RULES[change.rule]})" if change.rule else ""
    return f"{_cut(change.thing, THING_CHARACTERS_MAX)}: {_what(change.kind, old, new)}{lost}"


def _what(kind: str, old: str, new: str) -> str:
    match kind:
        case "added":
            return f"added, {new}" if new else "added"
        case "removed":
            return f"removed, was {old}" if old else "removed"
    return f"{old or 'none'} -> {new or 'none'}"


def _cut(text: str, characters: int) -> str:
    return text if len(text) <= characters else f"{text[:characters]}{CUT}"


def _minutes(seconds: str) -> str:
    try:
        return f"{float(seconds) / 60:.6g}"
    except ValueError:  # there is none
        return seconds
