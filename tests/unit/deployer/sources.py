"""What the deployer's source says, read as a tree: for promises about what is absent."""

import ast
from collections.abc import Iterator
from pathlib import Path

from services import deployer

FOLDER = Path(deployer.__file__).parent


def reasons_said() -> set[str]:
    """Return the reasons of all waits that the deployer makes."""
    return {reason for file in sorted(FOLDER.rglob("*.py")) for reason in _reasons(file)}


def _reasons(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Wait":
            (value,) = (each.value for each in node.keywords if each.arg == "reason")
            if isinstance(value, ast.Attribute) and value.attr == "reason":
                continue  # another wait's
            assert isinstance(value, ast.Constant), "a reason is written where its wait is made"
            yield str(value.value)
