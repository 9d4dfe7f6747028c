"""Turning what pydantic says of a model into the schema of what a person may write for it.

Each function takes a schema and returns another; what the schemas are about is not known here.
"""

from collections.abc import Callable, Iterator
from typing import Any

Json = dict[str, Any]
Turn = Callable[[Json], Json]

REF = "#/definitions/"
EXPRESSION = "Expression"  # the definition of a text that holds one

_LEFT_OUT = frozenset({"title", "discriminator"})  # no more than the name; of OpenAPI
_NULL = {"type": "null"}
_ABOUT = ("description", "examples", "default")
_NARROWING = frozenset({"enum", "const", "pattern", "anyOf", "allOf", "oneOf", "$ref"})


def draft_07(schema: Json) -> Json:
    """Return a schema of a later draft in the words of this one."""
    assert "prefixItems" not in schema, "there are no tuples of several types"
    turned = _inside(schema, draft_07)
    kept = {key: value for key, value in turned.items() if key not in _LEFT_OUT}
    if kept.get("default", "") is None:
        del kept["default"]
    if "patternProperties" in kept:
        kept.setdefault("additionalProperties", False)
    if "$ref" in kept and len(kept) > 1:  # beside a reference nothing counts
        return {"allOf": [{"$ref": kept.pop("$ref")}], **kept}
    return kept


def without(marker: str, schema: Json) -> Json:
    """Return a schema without the properties that carry a marker."""
    turned = _inside(schema, lambda part: without(marker, part))
    if "properties" in turned:
        kept = {name: part for name, part in turned["properties"].items() if marker not in part}
        return {**turned, "properties": kept}
    return turned


def unmarked(marker: str, schema: Json) -> Json:
    """Return a schema without a marker, which is no word of a schema's."""
    turned = _inside(schema, lambda part: unmarked(marker, part))
    return {key: value for key, value in turned.items() if key != marker}


def empty_allowed(schema: Json) -> Json:
    """Return a schema of a mapping in which a key with nothing behind it counts as absent."""
    required = set(schema.get("required", ()))
    properties = schema.get("properties")
    if not properties:
        return schema
    turned = {name: part if name in required else _or_null(part) for name, part in properties.items()}
    return {**schema, "properties": turned}


def expressions_allowed(schema: Json) -> Json:
    """Return a schema in which, for every value inside, an expression may stand instead."""
    return _inside(schema, _or_expression)


def references(schema: Any) -> Iterator[str]:
    """Yield the names of definitions that a schema refers to."""
    if isinstance(schema, dict):
        if isinstance(schema.get("$ref"), str):
            yield schema["$ref"].removeprefix(REF)
        for part in schema.values():
            yield from references(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from references(part)


def reachable(schema: Json, definitions: Json) -> set[str]:
    """Return the names of the definitions that a schema needs."""
    found: set[str] = set()
    left = [*references(schema)]
    while left:
        name = left.pop()
        if name not in found:
            found.add(name)
            left.extend(references(definitions[name]))
    return found


def _inside(schema: Json, turn: Turn) -> Json:
    """Return a schema with the schemas right inside of it turned; what only looks like one is not."""
    turned: Json = {}
    for key, value in schema.items():
        if key in {"properties", "patternProperties", "$defs", "definitions"}:
            name = "definitions" if key == "$defs" else key
            turned[name] = {each: turn(part) for each, part in value.items()}
        elif key in {"items", "additionalProperties", "not", "if", "then", "else"} and isinstance(
            value, dict
        ):
            turned[key] = turn(value)
        elif key in {"anyOf", "oneOf", "allOf"}:
            turned[key] = [turn(part) for part in value]
        else:
            turned[key] = value
    return turned


def _or_null(schema: Json) -> Json:
    about = {key: schema[key] for key in _ABOUT if key in schema}
    rest = {key: value for key, value in schema.items() if key not in _ABOUT}
    if [*rest] == ["anyOf"] and _NULL in rest["anyOf"] and len(rest["anyOf"]) == 2:
        [rest] = [part for part in rest["anyOf"] if part != _NULL]
    if "anyOf" in rest and _NULL in rest["anyOf"]:
        return schema
    if "enum" in rest:
        return {**about, **rest, "type": [rest["type"], "null"], "enum": [*rest["enum"], None]}
    if "type" in rest and "const" not in rest:
        types = rest["type"] if isinstance(rest["type"], list) else [rest["type"]]
        return {**about, **rest, "type": [*types, "null"]}
    return {**about, "anyOf": [rest, _NULL]} if rest else schema


def _or_expression(schema: Json) -> Json:
    turned = _inside(schema, _or_expression if "anyOf" not in schema else expressions_allowed)
    about = {key: turned[key] for key in _ABOUT if key in turned}
    rest = {key: value for key, value in turned.items() if key not in _ABOUT}
    if not rest or any(_takes_any_text(form) for form in rest.get("anyOf", [rest])):
        return turned
    forms = rest["anyOf"] if [*rest] == ["anyOf"] else [rest]
    return {**about, "anyOf": [*forms, {"$ref": REF + EXPRESSION}]}


def _takes_any_text(schema: Json) -> bool:
    types = schema.get("type", ())
    return (types == "string" or "string" in types) and not _NARROWING & schema.keys()
