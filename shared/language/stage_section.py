"""Reading one entry of `stages`."""

from collections.abc import Mapping as Vars
from typing import Any

from shared.language.definition import StageDefinition
from shared.language.expression import has_expression
from shared.language.node import Listing, Mapping, Node, Scalar
from shared.language.problem import Problems, quoted
from shared.language.reference import References
from shared.language.section import SLUG, read_section

STAGE_SECONDS = 3600.0  # for a whole run, unless the stage says otherwise

_KEYS = ("name", "target", "vars", "skip", "timeout_minutes")
_NAME_RULE = "lower-case letters, digits and hyphens, at most 63"


def read_stage(node: Node, steps: References, problems: Problems) -> StageDefinition | None:
    """Return a stage; None if it is no mapping."""
    name = node.get("name") if isinstance(node, Mapping) else None
    title = f"stage {quoted(name.text)}" if isinstance(name, Scalar) else "a stage"
    section = read_section(node, title, _KEYS, problems, required=("name",))
    if section is None:
        return None
    skipped = [steps.find(scalar.text, scalar.place, problems) for scalar in section.texts("skip")]
    section.word("target", ("local",), "local")
    return StageDefinition(
        name=section.slug("name", "", SLUG, _NAME_RULE),
        place=section.place_of("name"),
        target="local",
        vars=_read_vars(section.mapping("vars"), problems),
        skip=frozenset(step for step in skipped if step),
        timeout_seconds=section.minutes("timeout_minutes", STAGE_SECONDS),
    )


def _read_vars(node: Mapping | None, problems: Problems) -> Vars[str, Any]:
    return {} if node is None else {key.text: _plain(value, problems) for key, value in node.entries}


def _plain(node: Node, problems: Problems) -> Any:
    """Return a node as JSON has it."""
    match node:
        case Scalar():
            if isinstance(node.value, str) and has_expression(node.value):
                problems.add(node.place, "expressions are not resolved inside vars")
            return node.exact
        case Listing():
            return [_plain(item, problems) for item in node.items]
        case Mapping():
            return {key.text: _plain(value, problems) for key, value in node.entries}
