"""Trailing remarks of the source: what the code says about its fields and enum members, for readers.

The remark beside a field is its documentation (see CONTRIBUTING); reading it here keeps it the only
copy.
"""

import ast
import inspect
import tokenize
from dataclasses import dataclass
from functools import cache
from io import StringIO
from types import ModuleType


@dataclass(frozen=True, slots=True)
class Member:
    """One line of a class body: a field or an enum member."""

    name: str
    annotation: str  # as written; empty for an enum member
    default: str  # as written; empty when there is none
    remark: str


def members(owner: type) -> tuple[Member, ...]:
    """Return the fields or members that `owner` itself writes down, in order."""
    module = inspect.getmodule(owner)
    assert module is not None, f"{owner!r} has no source"
    return _by_class(module)[owner.__qualname__]


@cache
def _by_class(module: ModuleType) -> dict[str, tuple[Member, ...]]:
    source = inspect.getsource(module)
    remarks = _remarks(source)
    classes = [node for node in ast.parse(source).body if isinstance(node, ast.ClassDef)]
    return {node.name: _members(node, remarks) for node in classes}


def _remarks(source: str) -> dict[int, str]:
    tokens = tokenize.generate_tokens(StringIO(source).readline)
    return {
        token.start[0]: token.string.lstrip("# ")
        for token in tokens
        if token.type == tokenize.COMMENT and not token.string.startswith("# noqa")
    }


def _members(node: ast.ClassDef, remarks: dict[int, str]) -> tuple[Member, ...]:
    found = []
    for line in node.body:
        match line:
            case ast.AnnAssign(target=ast.Name(name), annotation=annotation, value=value):
                default = ast.unparse(value) if value else ""
                remark = remarks.get(line.end_lineno or line.lineno, "")
                found.append(Member(name, ast.unparse(annotation), default, remark))
            case ast.Assign(targets=[ast.Name(name)], value=value):
                found.append(Member(name, "", ast.unparse(value), remarks.get(line.lineno, "")))
    return tuple(found)
