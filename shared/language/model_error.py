"""Saying what a pydantic model refuses in the words of a pipeline file."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, get_args

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from shared.language.node import Node, Scalar
from shared.language.problem import did_you_mean, quoted

_EXPECTED: Mapping[str, str] = {
    "bool_type": "must be true or false",
    "dict_type": "must be a mapping",
    "float_type": "must be a number",
    "int_type": "must be a whole number",
    "list_type": "must be a list",
    "model_type": "must be a mapping",
    "string_type": "must be text",
    "too_short": "must not be empty",
    "tuple_type": "must be a list",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "missing": "is missing",
}


def describe(error: ErrorDetails, title: str, model: type[BaseModel], node: Node | None) -> tuple[str, str]:
    """Return a message and a hint."""
    location = error["loc"]
    shown = _shown(location)
    if error["type"] == "extra_forbidden":
        known = _keys(model, location[:-1])
        inside = f", in {_shown(location[:-1])}" if location[:-1] else ""
        return f"{title} have no key {quoted(str(location[-1]))}{inside}", did_you_mean(
            str(location[-1]), known
        )
    if error["type"] == "missing":
        return f"{title} need {shown}", ""
    expected = _EXPECTED.get(error["type"])
    said = expected.format(**error.get("ctx", {})) if expected else error["msg"]
    return f"{shown} in {title} {said}", _hint(error["type"], node)


def _hint(kind: str, node: Node | None) -> str:
    if not isinstance(node, Scalar):
        return ""
    if kind == "string_type":
        return f"quote it: {quoted(node.text)}"
    if kind in {"int_type", "float_type", "bool_type"} and isinstance(node.value, str):
        return "write it without quotes"
    return ""


def _shown(location: Sequence[str | int]) -> str:
    words = ""
    for part in location:
        words += f"[{part}]" if isinstance(part, int) else f".{part}" if words else part
    return words


def _keys(model: type[BaseModel], location: Sequence[str | int]) -> list[str]:
    """Return the keys that a model has at a location inside it."""
    for part in location:
        if isinstance(part, int):
            continue
        field = model.model_fields.get(part)
        inner = next(_models(field.annotation), None) if field else None
        if inner is None:
            return []
        model = inner
    return list(model.model_fields)


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models(argument)
