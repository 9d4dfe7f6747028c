"""Reading one entry of `steps`, and linking each to what it goes after."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from shared.language.definition import StepDefinition
from shared.language.node import Mapping, Node, Scalar
from shared.language.problem import Problems, quoted
from shared.language.reference import ID, ID_RULE, References, id_from
from shared.language.section import Section, read_section
from shared.language.step_order import find_cycle
from shared.step_types import STEP_TYPES

_KEYS = (
    "name",
    "id",
    "type",
    "params",
    "goes_after",
    "timeout_minutes",
    "on_rollback",
    "on_sibling_failure",
    "repeatable",
)


@dataclass(frozen=True, slots=True)
class Draft:
    """A step whose `goes_after` still holds names."""

    step: StepDefinition
    after: tuple[Scalar, ...] | None  # None: the step before it in the list


def read_step(node: Node, problems: Problems) -> Draft | None:
    """Return a step; None if it is no mapping."""
    written = node.get("name") if isinstance(node, Mapping) else None
    title = f"step {quoted(written.text)}" if isinstance(written, Scalar) else "a step"
    section = read_section(node, title, _KEYS, problems, required=("name", "type"))
    if section is None:
        return None
    name = section.text("name")
    derived = id_from(name)
    if name and not derived and section.node("id") is None:
        message = f"{title} needs an id: none can be made of its name"
        problems.add(section.place_of("name"), message, ID_RULE)
    type_name = _read_type(section, problems)
    params = section.mapping("params")
    if params is None and section.node("params") is not None:
        type_name = ""  # what the type says of its parameters cannot be asked of these
    step = StepDefinition(
        id=section.slug("id", derived, ID, ID_RULE) or f"step-{section.place.line}",
        name=name or f"step {section.place.line}",
        place=section.place_of("name"),
        type=type_name,
        params=params,
        goes_after=(),
        timeout_seconds=section.minutes("timeout_minutes", _seconds(type_name)),
        on_sibling_failure=_on_sibling_failure(section),
        on_rollback=_on_rollback(section),
        repeatable=section.flag("repeatable"),
    )
    has_after = section.node("goes_after") is not None
    return Draft(step, tuple(section.texts("goes_after")) if has_after else None)


def link_steps(drafts: Sequence[Draft], known: References, problems: Problems) -> tuple[StepDefinition, ...]:
    """Return the steps with the ids they go after; a circle is reported."""
    steps: list[StepDefinition] = []
    for draft in drafts:
        if draft.after is None:
            after = tuple(step.id for step in steps[-1:])
        else:
            found = [known.find(name.text, name.place, problems) for name in draft.after]
            after = tuple(dict.fromkeys(step for step in found if step))
        steps.append(replace(draft.step, goes_after=after))
    edges = {step.id: step.goes_after for step in steps}
    cycle = find_cycle(edges)
    if cycle and len(edges) == len(steps):
        names = {step.id: step.name for step in steps}
        draft = next(draft for draft in drafts if draft.step.id == cycle[0])
        place = draft.after[0].place if draft.after else draft.step.place
        shown = " after ".join(quoted(names[step]) for step in cycle)
        problems.add(place, f"these steps wait for each other: {shown}")
    return tuple(steps)


def _read_type(section: Section, problems: Problems) -> str:
    node = section.node("type")
    if node is None:
        return ""
    text = node.text if isinstance(node, Scalar) else ""
    if text in STEP_TYPES:
        return text
    message = f"{quoted(text)} is not a step type"
    problems.add_unknown(node.place, message, text, [*STEP_TYPES])
    return ""


def _seconds(type_name: str) -> float:
    return STEP_TYPES[type_name].timeout_seconds if type_name else 1.0


def _on_sibling_failure(section: Section) -> Literal["cancel", "finish"]:
    word = section.word("on_sibling_failure", ("cancel", "finish"), "cancel")
    return "finish" if word == "finish" else "cancel"


def _on_rollback(section: Section) -> Literal["run", "skip"]:
    return "skip" if section.word("on_rollback", ("run", "skip"), "run") == "skip" else "run"
