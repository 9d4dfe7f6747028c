"""Saying what a pydantic model refuses in the words of a pipeline file."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from shared.language.aws_region import REGIONS
from shared.language.expression import has_expression
from shared.language.manifest.part import (
    ACCOUNT_PATTERN,
    ID_PATTERN,
    NO_EXPRESSION,
    OURS,
    REGION_PATTERN,
    SLUG_PATTERN,
)
from shared.language.manifest.part import RULES as PATTERNS
from shared.language.node import Listing, Node, Scalar, plain_value
from shared.language.problem import Rule, did_you_mean, nearest, quoted

Location = Sequence[str | int]

_EXPECTED: Mapping[str, str] = {
    "bool_type": "must be true or false",
    "dict_type": "must be a mapping of names to values",
    "float_type": "must be a number",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "list_type": "must be a list",
    "model_type": "must be a mapping",
    "model_attributes_type": "must be a mapping",
    "string_type": "must be text",
    "tuple_type": "must be a list",
    "too_short": "must not be empty",
    "string_too_short": "must not be empty",
    "string_too_long": "must have at most {max_length} characters",
    "too_long": "must have at most {max_length} entries",
    "greater_than": "must be above {gt:g}",
    "greater_than_equal": "must be at least {ge:g}",
    "less_than_equal": "must be at most {le:g}",
    "less_than": "must be below {lt:g}",
    "finite_number": "must be a finite number",
}
WORDS_MAX = 20  # unknown keys of a mapping that are looked at for what they may mean
_LISTS = frozenset({"tuple_type", "list_type"})
_UNQUOTED = frozenset({"int_type", "float_type", "bool_type"})
# What other tools call our keys; none of these is a key here.
_ELSEWHERE: Mapping[str, str] = {
    "after": "goes_after",
    "depends_on": "goes_after",
    "environment": "env",
    "environments": "stages",
    "jobs": "steps",
    "needs": "goes_after",
    "retries": "attempts",
    "retry": "attempts",
    "run": "commands",
    "script": "commands",
    "uses": "type",
    "variables": "vars",
}


@dataclass(frozen=True, slots=True)
class Said:
    """A mistake in words."""

    message: str
    hint: str
    rule: Rule


@dataclass(frozen=True, slots=True)
class About:
    """What a model was asked about."""

    title: str  # "stage live"
    model: type[BaseModel]
    theirs: bool = False  # DevRamps' keys alone may be written
    resolved: bool = False  # expressions were resolved before
    params: frozenset[str] = frozenset()  # keys that belong into its params

    def keys(self, location: Location) -> list[str]:
        """Return the keys that may be written at a location inside it."""
        model = self.model
        for part in location:
            if isinstance(part, int):
                continue
            field = next((f for name, f in model.model_fields.items() if part in {name, f.alias}), None)
            inner = next(models_in(field.annotation), None) if field else None
            if inner is not None:
                model = inner
        fields = model.model_fields.items()
        return [f.alias or name for name, f in fields if not (self.theirs and f.json_schema_extra == OURS)]


def describe(error: ErrorDetails, about: About, node: Node | None) -> Said:
    """Return what to say of an error that a model found at a node."""
    location, kind, title = error["loc"], error["type"], about.title
    if kind == "extra_forbidden":
        word = str(location[-1])
        around = f"{shown(location[:-1])} in {title}" if location[:-1] else title
        hint = _meant_by(word, about.keys(location[:-1]))
        if word in about.params and len(location) == 1:
            hint = "it belongs below params:"
        return Said(f"{quoted(word)} is not a key of {around}", hint, "unknown-key")
    if kind == "missing":
        return Said(f"{shown(location)} is missing in {title}", "", "missing-key")
    subject = f"{shown(location)} in {title}" if location else title
    rule: Rule = error.get("ctx", {}).get("rule") or "wrong-value"
    if kind.endswith("_type"):
        return Said(f"{subject} {_predicate(error)}", _hint(error, node), "wrong-type")
    if not isinstance(node, Scalar) or not node.text:
        return Said(f"{subject} {_predicate(error)}", _hint(error, node), rule)
    if has_expression(node.text) and not about.resolved:
        hint = "expressions are resolved in params and in envs"
        return Said(f"{subject} is {quoted(node.text)} and {NO_EXPRESSION}", hint, "expression")
    return Said(f"{subject} is {quoted(node.text)} and {_predicate(error)}", _hint(error, node), rule)


def causes(errors: Sequence[ErrorDetails], about: About) -> Iterator[ErrorDetails]:
    """Yield the errors that do not follow from others of them.

    A key that is misspelt is not missing too, and a list is not empty because its entries were refused.
    """
    unknown: dict[Location, list[str]] = {}
    for error in errors:
        if error["type"] == "extra_forbidden":
            unknown.setdefault(error["loc"][:-1], []).append(str(error["loc"][-1]))
    refused = {error["loc"][:-1] for error in errors}
    for error in errors:
        location, kind = error["loc"], error["type"]
        inside = location[:-1]
        if kind == "missing" and str(location[-1]) in misspelt(unknown.get(inside, ()), about.keys(inside)):
            continue
        if kind != "too_short" or location not in refused:
            yield error


def misspelt(unknown: Sequence[str], known: Sequence[str]) -> Iterator[str]:
    """Yield the keys that unknown ones probably stand for."""
    for word in unknown[:WORDS_MAX]:
        yield _ELSEWHERE.get(word) or nearest(word, known)


def shown(location: Location) -> str:
    """Return a location as people write it: `verify.paths[0].status`."""
    words = ""
    for part in location:
        words += f"[{part}]" if isinstance(part, int) else f".{part}" if words else part
    return words


def _meant_by(word: str, known: Sequence[str]) -> str:
    meant = _ELSEWHERE.get(word.casefold(), "")
    return f"did you mean {quoted(meant)}?" if meant in known else did_you_mean(word, known)


def _predicate(error: ErrorDetails) -> str:
    context = error.get("ctx", {})
    match error["type"]:
        case "string_pattern_mismatch":
            return f"must {PATTERNS.get(context['pattern'], 'match ' + context['pattern'])}"
        case "literal_error" | "enum":
            return f"must be {context['expected'].replace(chr(39), '')}"
        case "value_error":
            return str(context.get("error", error["msg"]))
    expected = _EXPECTED.get(error["type"])
    return expected.format(**context) if expected else error["msg"]


def _hint(error: ErrorDetails, node: Node | None) -> str:
    context = error.get("ctx", {})
    kind = error["type"]
    if "hint" in context:
        return str(context["hint"])
    if not isinstance(node, Scalar):
        is_listing = isinstance(node, Listing)
        return "begin each entry with a dash" if kind in _LISTS and node and not is_listing else ""
    if has_expression(node.text):
        return ""
    if kind.endswith("_type"):
        return _as_type(kind, node)
    if kind == "literal_error":
        known = [word.strip("' ") for word in context["expected"].replace(" or ", ",").split(",")]
        near = nearest(node.text, known)
        return f"did you mean {quoted(near)}?" if near else ""
    return _as_pattern(context.get("pattern", ""), node.text)


def _as_type(kind: str, node: Scalar) -> str:
    """Return how a value would be written to be of a type."""
    if node.value is None:
        return "write a value, or take it out"
    if kind in _LISTS:
        return f"write a list, be it of one: [{node.text}]" if "\n" not in node.text else ""
    if kind == "string_type":
        return f"quote it: {quoted(node.text)}"
    is_quoted = isinstance(node.value, str) and not isinstance(plain_value(node.text), str)
    return "write it without quotes" if kind in _UNQUOTED and is_quoted else ""


def _as_pattern(pattern: str, text: str) -> str:
    """Return what may be meant by a text that is not of a form."""
    match pattern:
        case _ if pattern == ACCOUNT_PATTERN:
            near: Iterable[str] = (re.sub(r"[\s-]", "", text),)
        case _ if pattern == REGION_PATTERN:
            near = (nearest(text, REGIONS),)
        case _ if pattern in {SLUG_PATTERN, ID_PATTERN}:
            near = (re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:63],)
        case _:
            near = ()
    found = next((word for word in near if re.fullmatch(pattern, word, re.ASCII)), "")
    return f"did you mean {quoted(found)}?" if found else ""


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """Yield the models that a field's type is made of."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from models_in(argument)
