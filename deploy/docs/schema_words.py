"""What a schema of draft-07 asks for, in words."""

import json
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

Json = dict[str, Any]
Told = Mapping[str, str]  # what is said of a model, by its name: else "mapping"

NOTHING_TOLD: Told = MappingProxyType({})
TURNED = frozenset({"boolean", "integer", "number"})  # into a text, where one may stand
BOUNDS = frozenset({"minimum", "maximum", "exclusiveMinimum"})


def in_words(schema: Json, told: Told = NOTHING_TOLD) -> str:
    """Return a schema's type in words."""
    if {"anyOf", "oneOf"} & schema.keys():
        return _any_of([form for form in forms_of(schema) if form.get("type") != "null"], told)
    if "enum" in schema:
        return " · ".join(f"`{value}`" if value else "empty" for value in schema["enum"])
    if "const" in schema:
        return f"`{schema['const']}`"
    for part in (schema, *schema.get("allOf", ())):
        if "$ref" in part:
            return told.get(part["$ref"], "mapping")
    kind = schema.get("type", "")
    if isinstance(kind, list):
        return _any_of([{"type": each} for each in kind], told)
    return _WORDS[kind](schema, told)


def default_in_words(schema: Json) -> str:
    """Return the default where it says more than that there is none."""
    value = schema.get("default")
    empty = value in ("", None) or value == [] or isinstance(value, dict)
    return "" if empty or any(True for _ in models_in(schema)) else f"`{json.dumps(value)}`"


def models_in(schema: Json) -> Iterator[tuple[str, str]]:
    """Yield the models that a value may be one or more of, and how their keys are written after its own."""
    for form in [*schema.get("allOf", ()), *forms_of(schema)]:
        if "$ref" in form:
            yield form["$ref"], ""
        if "$ref" in form.get("items", {}):
            yield form["items"]["$ref"], "[]"
        for named in _values(form):
            if "$ref" in named:
                yield named["$ref"], ".<name>"


def forms_of(schema: Json) -> Iterator[Json]:
    """Yield the forms that a value may have, each with what holds for all: itself, if there is but one."""
    inner = [*schema.get("anyOf", ()), *schema.get("oneOf", ())]
    if not inner:
        yield schema
    bounds = {word: schema[word] for word in BOUNDS & schema.keys()}
    for form in inner:
        yield from forms_of({**bounds, **form})


def _any_of(forms: list[Json], told: Told) -> str:
    """Return the forms in words; where a text may stand, what is turned into one is not told."""
    if any(form.get("type") == "string" for form in forms):
        forms = [form for form in forms if not _is_turned(form)]
    return " or ".join(dict.fromkeys(in_words(form, told) for form in forms))


def _is_turned(form: Json) -> bool:
    kind = form.get("type", "")
    return {kind} <= TURNED if isinstance(kind, str) else {*kind} <= TURNED


def _values(schema: Json) -> list[Json]:
    """Return what the values of a mapping with names of the user's own are."""
    forms = [schema.get("additionalProperties"), *schema.get("patternProperties", {}).values()]
    return [form for form in forms if isinstance(form, dict)]


def _mapping(schema: Json, told: Told) -> str:
    values = _values(schema)
    return f"names to {in_words(values[0], told)}" if values else "mapping"


def _bounded(words: str, schema: Json) -> str:
    least, most, above = (schema.get(word) for word in ("minimum", "maximum", "exclusiveMinimum"))
    if least is not None and most is not None:
        return f"{words}, {least:g} to {most:g}"
    if above is None:
        return words
    return f"{words} above {above:g}" + ("" if most is None else f", at most {most:g}")


_WORDS: dict[str, Callable[[Json, Told], str]] = {
    "": lambda _schema, _told: "anything",
    "array": lambda schema, told: f"list of {in_words(schema['items'], told)}",
    "boolean": lambda _schema, _told: "true or false",
    "integer": lambda schema, _told: _bounded("whole number", schema),
    "number": lambda schema, _told: _bounded("number", schema),
    "object": _mapping,
    "string": lambda _schema, _told: "text",
}
