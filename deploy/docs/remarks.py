"""Trailing remarks of the source: what the code says about its fields and enum members, for readers.

The remark beside a field is its documentation (see CONTRIBUTING), or its description where editors are told
of it too; reading it here keeps it the only copy.
"""

import ast
import inspect
import tokenize
from dataclasses import dataclass
from functools import cache
from io import StringIO
from types import ModuleType
from typing import Any

EMPTY = {"dict": "{}", "list": "[]"}  # what is made by a call of its type, as people write it


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
                default, description = _said(value)
                remark = remarks.get(line.end_lineno or line.lineno, "") or description
                found.append(Member(name, ast.unparse(_Bare().visit(annotation)), default, remark))
            case ast.Assign(targets=[ast.Name(name)], value=value):
                found.append(Member(name, "", ast.unparse(value), remarks.get(line.lineno, "")))
    return tuple(found)


def _said(value: ast.expr | None) -> tuple[str, str]:
    """Return a field's default and its description, also where a call of `Field` says them."""
    match value:
        case None:
            return "", ""
        case ast.Call(func=ast.Name("Field"), keywords=keywords):
            said = {each.arg: each.value for each in keywords}
            described = said.get("description")
            description = described.value if isinstance(described, ast.Constant) else ""
            if "default_factory" in said:
                made = ast.unparse(said["default_factory"])
                return EMPTY.get(made, f"{made}()"), str(description)
            return ast.unparse(said["default"]) if "default" in said else "", str(description)
    return ast.unparse(value), ""


class _Bare(ast.NodeTransformer):
    """Takes away what is annotated to a type."""

    def visit_Subscript(self, node: ast.Subscript) -> Any:
        match node:
            case ast.Subscript(value=ast.Name("Annotated"), slice=ast.Tuple(elts=[type_, *_])):
                return self.visit(type_)
        return self.generic_visit(node)
