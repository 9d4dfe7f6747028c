"""Reading one entry of `steps`, and linking each to what it goes after."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from shared.language.definition import StepDefinition
from shared.language.manifest import AttemptsSetting, Step
from shared.language.manifest.part import MINUTES_MAX
from shared.language.node import Listing, Mapping, Node, Scalar
from shared.language.problem import Place, quoted
from shared.language.reading import Reader, is_empty, key_place, mended, plain
from shared.language.reference import References, id_from, no_id
from shared.language.step_order import find_cycle
from shared.plan import Attempts
from shared.step_types import canonical, find, known

_HOST_KEYS = ("architecture", "host_size", "dependencies")
_VALUES = "vars"  # whose values are as free as a CUSTOM step's parameters
_CUSTOM_HINT = "after CUSTOM: come letters, digits, underscores, colons and hyphens, at most 100"
_TIMEOUT = "timeout"  # in the parameters of every type: DevRamps' time limit, in whole minutes


@dataclass(frozen=True, slots=True)
class Draft:
    """A step whose `goes_after` still holds names."""

    step: StepDefinition
    after: tuple[Scalar, ...] | None  # None: the step before it in the list


def read_step(node: Mapping, reader: Reader) -> Draft | None:
    """Return a step; None if nothing can be made of it."""
    written = node.get("name")
    title = f"step {quoted(written.text)}" if isinstance(written, Scalar) else "a step"
    row = find(reader.text(node, "type"))
    part = reader.part(node, Step, title, {"name": "step", "type": "-"}, row.params if row else None)
    if part is None:
        return None
    node = mended(node, Step, row.params if row else None)
    place = written.place if written else node.place
    derived = id_from(part.name)
    if not derived and part.id is None and not reader.problems.has_error_at(place):
        no_id(title, place, reader.problems)
    type_ = _read_type(part, node, reader)
    params = node.get("params")
    reader.check_params(params, row.params if row else None)
    seconds = _timeout_seconds(part, node, type_, reader)
    step = StepDefinition(
        id=part.id or reader.text(node, "id") or derived or f"step-{node.place.line}",
        name=part.name or f"step {node.place.line}",
        place=place,
        type=type_ if params is None or is_empty(params) or isinstance(params, Mapping) else "",
        part=part.model_copy(update={"type": type_, **_own_params(params, type_)}),
        params=_without_timeout(params, type_) if isinstance(params, Mapping) else None,
        goes_after=(),
        timeout_seconds=seconds or (row.timeout_seconds if row else 0.0),
        attempts=_attempts(part),
        on_rollback=part.on_rollback or (row.on_rollback if row else "run"),
    )
    listed = isinstance(node.get("goes_after"), Listing)
    return Draft(step, tuple(reader.names(node, "goes_after")) if listed else None)


def link_steps(drafts: Sequence[Draft], references: References, reader: Reader) -> tuple[StepDefinition, ...]:
    """Return the steps with the ids they go after; a circle is reported."""
    steps: list[StepDefinition] = []
    for draft in drafts:
        if draft.after is None:
            after = tuple(step.id for step in steps[-1:])
        else:
            found = [references.find(name.text, name.place, reader.problems) for name in draft.after]
            after = tuple(dict.fromkeys(step for step in found if step))
        steps.append(replace(draft.step, goes_after=after))
    edges = {step.id: step.goes_after for step in steps}
    if len(edges) == len(steps):
        _report_cycles(edges, drafts, references, reader)
    return tuple(steps)


def _report_cycles(
    edges: dict[str, tuple[str, ...]], drafts: Sequence[Draft], references: References, reader: Reader
) -> None:
    """Report every circle that shares no step with another, where its first step names the next one."""
    by_id = {draft.step.id: draft for draft in drafts}
    while cycle := find_cycle(edges):
        first = by_id[cycle[0]]
        place = next(
            (name.place for name in first.after or () if references.ids.get(name.text) == cycle[1]),
            first.step.place,
        )
        shown = " after ".join(quoted(by_id[step].step.name) for step in cycle)
        message = f"these steps wait for each other: {shown}"
        if len(cycle) == 2:
            message = f"step {quoted(first.step.name)} waits for itself"
        reader.problems.add(place, message, "take one of them out of goes_after", "cycle")
        edges = {**edges, **dict.fromkeys(cycle, ())}


def _read_type(part: Step, node: Mapping, reader: Reader) -> str:
    """Return the canonical type, empty if there is none such."""
    written = node.get("type")
    if not isinstance(written, Scalar) or not isinstance(written.value, str):
        return ""
    type_ = canonical(part.type)
    if find(type_) is None:
        message = f"{quoted(part.type)} is not a step type"
        if type_.startswith("CUSTOM:"):
            reader.problems.add(written.place, message, _CUSTOM_HINT, "unknown-name")
        else:
            reader.problems.add_unknown(written.place, message, type_, known())
        return ""
    if not type_.startswith("CUSTOM:"):
        for key in _HOST_KEYS:
            if node.get(key) is not None:
                message = f"{quoted(key)} is only for CUSTOM steps: {type_} runs where its target is"
                reader.problems.add(key_place(node, (key,)), message, "leave it out", "unknown-key")
    return type_


def _timeout_seconds(part: Step, node: Mapping, type_: str, reader: Reader) -> float | None:
    """Return the limit that the step sets itself, in its own key or in its parameters."""
    own = part.timeout_minutes * 60.0 if part.timeout_minutes else None
    params = node.get("params")
    written = params.get(_TIMEOUT) if isinstance(params, Mapping) else None
    if written is None or type_.startswith("CUSTOM:"):
        return own
    if own is not None:
        message = "this step has two time limits: timeout_minutes, and timeout in its params"
        reader.problems.add(written.place, message, "keep one of them", "duplicate")
        return own
    value = written.value if isinstance(written, Scalar) else None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= MINUTES_MAX:
        message = f"timeout in params of step {quoted(part.name)} must be whole minutes, 1 to {MINUTES_MAX:g}"
        reader.problems.add(written.place, message)
        return None
    return value * 60.0


def _without_timeout(params: Mapping, type_: str) -> Mapping:
    row = find(type_)
    if row is None or _TIMEOUT in row.params.model_fields or type_.startswith("CUSTOM:"):
        return params
    kept = tuple(entry for entry in params.entries if entry[0].text != _TIMEOUT)
    return Mapping(kept, params.place)


def _own_params(params: Node | None, type_: str) -> dict[str, Any]:
    """Return what a step of a user's own is given: numbers as they were written."""
    is_own = isinstance(params, Mapping) and type_.startswith("CUSTOM:")
    return {"params": plain(params, _VALUES)} if is_own and params else {}


def _attempts(part: Step) -> Attempts:
    match part.attempts:
        case int():
            return Attempts(max=part.attempts)
        case AttemptsSetting():
            return Attempts(**part.attempts.model_dump())
    return Attempts()


def place_of(node: Mapping, key: str) -> Place:
    """Return where a key's value stands, or else the mapping."""
    found = node.get(key)
    return found.place if found else node.place
