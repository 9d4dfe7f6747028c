"""Checking a part of a pipeline file against its model: every mistake placed, what is right kept.

What a mistake leaves of a part is read on, so that the rest of it, and whatever refers to it, is judged in
the same run: a wrong value is left out and the default stands in its place.
"""

from collections.abc import Mapping as Values
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from shared.language.discovery import Dialect
from shared.language.expression import has_expression
from shared.language.manifest import Pipeline
from shared.language.manifest.part import FORM, OURS
from shared.language.model_error import About, Location, causes, describe, misspelt, models_in
from shared.language.node import Listing, Mapping, Node, Scalar
from shared.language.problem import Place, Problems, quoted

M = TypeVar("M", bound=BaseModel)

ERRORS_MAX = 100  # reported of one part
STRUCTURAL = frozenset({"extra_forbidden", "missing"})  # errors of a mapping's keys, not of a value
_ROUNDS_MAX = 20  # of leaving out what is wrong
# Keys whose values are the user's own: a number that would not be written back as it was stays a text.
FREE = frozenset(
    {
        "build_commands",
        "command",
        "commands",
        "env",
        "environmentVariables",
        "envs",
        "payload",
        "testCommand",
        "variables",
        "vars",
    }
)


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads the parts of one file."""

    dialect: Dialect
    problems: Problems

    def part(
        self,
        node: Mapping,
        model: type[M],
        title: str,
        stand_ins: Values[str, Any] | None = None,
        params: type[BaseModel] | None = None,
    ) -> M | None:
        """Return what a mapping says; None if nothing can be made of it.

        `stand_ins` take the place of required values that are missing or wrong; what was written instead
        is put back afterwards, as text. `params` is the model of what belongs into its `params`.
        """
        inner = frozenset(params.model_fields) if params else frozenset()
        about = About(title, model, theirs=self.dialect == "devramps", params=inner)
        if self.dialect == "devramps":
            self._check_dialect(node, model)
        values = {key.text: plain(value, key.text) for key, value in node.entries if not is_empty(value)}
        for round_ in range(_ROUNDS_MAX):
            try:
                part = model.model_validate(values)
            except ValidationError as exc:
                errors = exc.errors(include_url=False, include_input=False)
                for error in islice(causes(errors, about), 0 if round_ else ERRORS_MAX):
                    report(located(error, node), node, about, self.problems)
                for error in errors:
                    _leave_out(values, error, stand_ins or {})
            else:
                return _put_back(part, node, stand_ins or {})
        return None

    def is_missing(self, node: Mapping, key: str, model: type[BaseModel]) -> bool:
        """Tell whether a key is not there, nor one that is misspelt for it."""
        found = node.get(key)
        if found is not None and not is_empty(found):
            return False
        known = About("", model, theirs=self.dialect == "devramps").keys(())
        return key not in misspelt([name.text for name, _ in node.entries if name.text not in known], known)

    def mapping(self, node: Mapping, key: str, title: str) -> Mapping | None:
        """Return a mapping with keys of the user's own."""
        found = node.get(key)
        if found is None or is_empty(found) or isinstance(found, Mapping):
            return found if isinstance(found, Mapping) else None
        message = f"{key} in {title} must be a mapping of names to values"
        hint = "write names in place of the dashes" if isinstance(found, Listing) else ""
        self.problems.add(found.place, message, hint, "wrong-type")
        return None

    def entries(self, node: Mapping, key: str, items_max: int) -> Sequence[Mapping]:
        """Return the mappings of a list that must be there and must not be empty."""
        found = node.get(key)
        if found is None or is_empty(found):
            if self.is_missing(node, key, Pipeline):
                self.problems.add(node.place, f"{key} is missing in the pipeline", rule="missing-key")
            return ()
        if not isinstance(found, Listing):
            message = f"{key} in the pipeline must be a list"
            self.problems.add(found.place, message, "begin each entry with a dash", "wrong-type")
            return ()
        if not found.items:
            self.problems.add(found.place, f"{key} in the pipeline must not be empty")
        if len(found.items) > items_max:
            message = f"there are more than {items_max} {key}"
            self.problems.add(found.items[items_max].place, message, rule="limit")
        for item in found.items:
            if not isinstance(item, Mapping):
                message = f"a {key.removesuffix('s')} must be a mapping"
                self.problems.add(item.place, message, "write its keys: name: …", "wrong-type")
        return [item for item in found.items[:items_max] if isinstance(item, Mapping)]

    def names(self, node: Mapping, key: str) -> Sequence[Scalar]:
        """Return the texts of a list of names, whatever else is wrong with it."""
        found = node.get(key)
        items = found.items if isinstance(found, Listing) else ()
        return [item for item in items if isinstance(item, Scalar) and isinstance(item.value, str)]

    def text(self, node: Mapping, key: str) -> str:
        """Return a value as it is written, right or wrong; empty if it is not one."""
        found = node.get(key)
        return found.text if isinstance(found, Scalar) and found.value is not None else ""

    def refuse_ours(self, key: Scalar) -> None:
        """Report a key that a DevRamps file cannot have."""
        message = f"{quoted(key.text)} is Windlass's own, and not a key of a DevRamps file"
        hint = "move the file to .windlass/<pipeline>/ to use it"
        self.problems.add(key.place, message, hint, "unknown-key")

    def check_params(self, node: Node | None, params: type[BaseModel] | None) -> None:
        """Report every parameter in a DevRamps file that is ours."""
        if self.dialect == "devramps" and node and params:
            self._check_dialect(node, params)

    def _check_dialect(self, node: Node, model: type[BaseModel]) -> None:
        """Report every key of a DevRamps file that is ours, however deep it stands."""
        if isinstance(node, Listing):
            for item in node.items:
                self._check_dialect(item, model)
        for key, value in node.entries if isinstance(node, Mapping) else ():
            field = model.model_fields.get(key.text)
            if field and field.json_schema_extra == OURS:
                self.refuse_ours(key)
            elif inner := next(models_in(field.annotation), None) if field else None:
                self._check_dialect(value, inner)


def mended(node: Mapping, model: type[BaseModel], params: type[BaseModel] | None) -> Mapping:
    """Return a mapping with what stands beside its `params`, and belongs there, put into them."""
    written = node.get("params")
    inner = written.entries if isinstance(written, Mapping) else ()
    there = {key.text for key, _ in inner}
    fields = params.model_fields.keys() - model.model_fields.keys() - there if params else ()
    misplaced = tuple(entry for entry in node.entries if entry[0].text in fields)
    if not misplaced or not (written is None or is_empty(written) or isinstance(written, Mapping)):
        return node
    place = written.place if isinstance(written, Mapping) else node.place
    others = tuple(entry for entry in node.entries if entry[0].text != "params")
    return Mapping(
        (*others, (Scalar("params", "params", place), Mapping((*inner, *misplaced), place))), node.place
    )


def report(error: ErrorDetails, node: Node, about: About, problems: Problems) -> None:
    """Keep what a model said of a node as a problem, at its place."""
    found, place = at(node, error["loc"])
    if error["type"] == "extra_forbidden":
        place = key_place(node, error["loc"])
    elif error["type"] not in STRUCTURAL and problems.has_error_at(place):
        return
    said = describe(error, about, found)
    problems.add(place, said.message, said.hint, said.rule)


def plain(node: Node, key: str = "") -> Any:
    """Return a node as JSON has it."""
    match node:
        case Scalar():
            return node.exact if key in FREE else node.value
        case Listing():
            return [plain(item, key) for item in node.items]
        case Mapping():
            return {
                name.text: plain(value, key if key in FREE else name.text) for name, value in node.entries
            }


def is_empty(node: Node) -> bool:
    """Tell whether a key has nothing behind it, which counts as if it were not there."""
    return isinstance(node, Scalar) and node.value is None


def at(node: Node, location: Location) -> tuple[Node | None, Place]:
    """Return the node at a location, and its place or that of the nearest one around it."""
    found: Node | None = node
    place = node.place
    for part in location:
        found = _child(found, part)
        if found is None:
            return None, place
        place = found.place
    return found, place


def key_place(node: Node, location: Location) -> Place:
    """Return where the key at the end of a location stands."""
    around, place = at(node, location[:-1])
    if isinstance(around, Mapping):
        return next((key.place for key, _ in around.entries if key.text == location[-1]), place)
    return place


def located(error: ErrorDetails, node: Node) -> ErrorDetails:
    """Return an error with its location as the file has it.

    The names of a value's possible forms go, and positions in a list where one value stands for it.
    """
    found: Node | None = node
    location: list[str | int] = []
    for part in error["loc"]:
        alone = isinstance(found, Mapping) or (isinstance(found, Scalar) and not has_expression(found.text))
        if (isinstance(part, str) and part.startswith(FORM)) or (isinstance(part, int) and alone):
            continue
        location.append(part)
        found = _child(found, part)
    return {**error, "loc": tuple(location)}


def _child(node: Node | None, part: str | int) -> Node | None:
    if isinstance(node, Mapping):
        return node.get(str(part))
    if isinstance(node, Listing) and isinstance(part, int) and part < len(node.items):
        return node.items[part]
    return None


def _leave_out(values: dict[str, Any], error: ErrorDetails, stand_ins: Values[str, Any]) -> None:
    """Remove what an error is about; of a list, all of it, so that no other entry changes its place."""
    location = list(error["loc"])
    if error["type"] == "missing":
        location.pop()
    container: Any = values
    owner, key = values, str(error["loc"][0]) if error["loc"] else ""
    for part in location:
        if isinstance(container, dict) and part in container:
            owner, key = container, str(part)
            container = container[part]
        elif isinstance(container, list):
            break
    owner.pop(key, None)
    if owner is values and key in stand_ins:
        values[key] = stand_ins[key]


def _put_back(part: M, node: Mapping, stand_ins: Values[str, Any]) -> M:
    written: dict[str, Any] = {}
    for key, stand_in in stand_ins.items():
        if getattr(part, key) == stand_in:
            found = node.get(key)
            written[key] = found.text if isinstance(found, Scalar) and found.value is not None else ""
    return part.model_copy(update=written) if written else part
