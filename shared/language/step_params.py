"""A step's parameters in one stage: resolved, checked against the step type's model, made plain.

The model's complaints are put where the value stands. Its models say what types a value has; how
much of it makes sense is said here, before a deployer acts on it.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from shared.language.artifact_section import read_script, read_variables
from shared.language.command_line import split
from shared.language.definition import StepDefinition
from shared.language.expression import Mistake
from shared.language.model_error import describe
from shared.language.node import Listing, Node, Scalar
from shared.language.node import Mapping as MappingNode
from shared.language.problem import Place, Problems, quoted
from shared.language.reference import References
from shared.language.scope import Resolver
from shared.step_types import STEP_TYPES

Location = Sequence[str | int]

_PATH = re.compile(r"/[\x21-\x7e]{0,1999}")

# fmt: off
_BOUNDS: dict[tuple[str, ...], tuple[float, float]] = {  # both allowed
    ("grace_seconds",):                 (0.0, 600.0),
    ("verify", "successes"):            (1, 100),
    ("verify", "interval_seconds"):     (0.05, 60.0),
    ("verify", "latency_seconds_max"):  (0.01, 120.0),
    ("verify", "deadline_seconds"):     (0.1, 3600.0),
}
# fmt: on
PATHS_MAX = 50
ERRORS_MAX = 100  # reported of one step


@dataclass(frozen=True, slots=True)
class StepParams:
    """Reads the parameters of steps in one stage."""

    artifacts: References
    resolver: Resolver
    problems: Problems

    def read(self, step: StepDefinition) -> dict[str, Any]:
        """Return the parameters as plain JSON with every default filled in."""
        node = step.params or MappingNode((), step.place)
        values = {key.text: self._value(key.text, value) for key, value in node.entries}
        model = STEP_TYPES[step.type].params
        try:
            checked = model.model_validate_json(json.dumps(values), strict=True)
        except ValidationError as exc:
            errors = exc.errors(include_url=False, include_input=False, include_context=True)
            for error in errors[:ERRORS_MAX]:
                self._report(step, node, error)
            return {}
        params: dict[str, Any] = checked.model_dump(mode="json")
        self._check_bounds(params, node)
        self._check_paths(params, node)
        return params

    def _value(self, key: str, node: Node) -> Any:
        read = _READINGS.get(key)
        return self.resolver.plain(node) if read is None else read(self, node)

    def commands(self, node: Node) -> Any:
        """Return a script's lines, unresolved."""
        lines = read_script(node, "commands", self.problems)
        if not lines:
            self.resolver.failed.add(node.place)
        return lines

    def command(self, node: Node) -> Any:
        """Return the words of one command; a list's entries are words already."""
        if isinstance(node, Listing):
            return [
                self.resolver.text(item)
                if isinstance(item, Scalar) and item.value is not None
                else self.resolver.plain(item)
                for item in node.items
            ]
        if not isinstance(node, Scalar) or node.value is None:
            return self.resolver.plain(node)
        words = split(node.text)
        if isinstance(words, Mistake):
            self.resolver.word(words, node.place)
            return []
        return [self.resolver.word(word, node.place) for word in words]

    def env(self, node: Node) -> Any:
        """Return environment variables."""
        if not isinstance(node, MappingNode):
            return self.resolver.plain(node)
        variables = read_variables(node, "env", self.problems)
        return {name: self.resolver.text(value) for name, value in variables}

    def artifact(self, node: Node) -> Any:
        """Return the id of the artifact that is meant."""
        value = self.resolver.plain(node)
        if not isinstance(value, str) or node.place in self.resolver.failed:
            return value
        return self.artifacts.find(value, node.place, self.problems) or ""

    def _report(self, step: StepDefinition, node: MappingNode, error: ErrorDetails) -> None:
        location = error["loc"]
        found, place = _at(node, location)
        if place in self.resolver.failed:
            return
        title = f"params of step {quoted(step.name)}"
        model = STEP_TYPES[step.type].params
        message, hint = describe(error, title, model, found)
        if error["type"] == "extra_forbidden":
            place = _key_place(node, location)
        self.problems.add(place, message, hint)

    def _check_bounds(self, params: Mapping[str, Any], node: MappingNode) -> None:
        for location, (least, most) in _BOUNDS.items():
            value = _inside(params, location)
            if value is not None and not least <= value <= most:
                message = f"{'.'.join(location)} must be between {least:g} and {most:g}"
                self.problems.add(_at(node, location)[1], message)

    def _check_paths(self, params: Mapping[str, Any], node: MappingNode) -> None:
        paths = _inside(params, ("verify", "paths"))
        if paths is None:
            return
        if not 1 <= len(paths) <= PATHS_MAX:
            place = _at(node, ("verify", "paths"))[1]
            self.problems.add(place, f"verify.paths must have 1 to {PATHS_MAX} entries")
        for number, check in enumerate(paths):
            place = _at(node, ("verify", "paths", number, "path"))[1]
            if not _PATH.fullmatch(check["path"]):
                message = f"{quoted(check['path'])} is not a path to ask a service for"
                self.problems.add(place, message, 'start it with a slash: "/health"')
            status = check["status"]
            if status is not None and not 100 <= status <= 599:
                place = _at(node, ("verify", "paths", number, "status"))[1]
                self.problems.add(place, f"{status} is not an HTTP status")


_READINGS: dict[str, Callable[[StepParams, Node], Any]] = {
    "commands": StepParams.commands,
    "command": StepParams.command,
    "env": StepParams.env,
    "artifact": StepParams.artifact,
}


def place_in(params: Node | None, key: str, otherwise: Place) -> Place:
    """Return where one parameter stands."""
    return _at(params, (key,))[1] if params else otherwise


def _inside(params: Any, location: Sequence[str]) -> Any:
    for name in location:
        params = params.get(name) if isinstance(params, Mapping) else None
    return params


def _at(node: Node, location: Location) -> tuple[Node | None, Place]:
    """Return the node at a location, and its place or that of the nearest one around it."""
    found: Node | None = node
    place = node.place
    for part in location:
        if isinstance(found, MappingNode):
            found = found.get(str(part))
        elif isinstance(found, Listing) and isinstance(part, int) and part < len(found.items):
            found = found.items[part]
        else:
            found = None
        if found is None:
            return None, place
        place = found.place
    return found, place


def _key_place(node: Node, location: Location) -> Place:
    around, place = _at(node, location[:-1])
    if isinstance(around, MappingNode):
        return next((key.place for key, _ in around.entries if key.text == location[-1]), place)
    return place
