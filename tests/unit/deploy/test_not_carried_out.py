"""docs/pipeline.md lists exactly what `shared/language/carried_out.py` refuses."""

import ast
import inspect
import re
from pathlib import Path

from shared.artifact_types import ARTIFACT_TYPES
from shared.language import carried_out
from shared.step_types import STEP_TYPES

DOCS = Path(__file__).parents[3] / "docs"
SECTION = re.compile(r"^## Not carried out yet\n(.*?)(?=^## )", re.MULTILINE | re.DOTALL)


def section() -> str:
    found = SECTION.search((DOCS / "pipeline.md").read_text(encoding="utf-8"))
    assert found is not None
    return found[1]


def told(node: ast.AST) -> str:
    """Return a text of the program with … for what it fills in; nothing for anything else."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr():
            return "".join(told(part) or "…" for part in node.values)
    return ""


def refusals() -> set[str]:
    tree = ast.parse(inspect.getsource(carried_out))
    nodes = list(ast.walk(tree))
    parts = {part for node in nodes if isinstance(node, ast.JoinedStr) for part in node.values}
    return {text for node in nodes if node not in parts and (text := told(node)).endswith(" yet")}


def test_every_refusal_is_listed_and_no_other() -> None:
    found = refusals()
    listed = set(re.findall(r"\| ([^|\n]+ yet) \|$", section(), re.MULTILINE))
    assert len(found) > 10
    assert listed == found


def test_the_types_that_are_carried_out_are_named() -> None:
    steps = {name for name, row in STEP_TYPES.items() if row.carried_out}
    assert set(re.findall(r"`([A-Z]+(?::[A-Z]+)+)`", section())) == steps | {"BUNDLE:BUILD"}
    assert "BUNDLE:BUILD" in ARTIFACT_TYPES


def test_what_is_refused_says_so_where_it_is_taught() -> None:
    page = (DOCS / "pipeline-keys.md").read_text(encoding="utf-8")
    assert "pipeline.md#not-carried-out-yet" in page
