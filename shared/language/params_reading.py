"""Parameters of a step or an artifact: resolved, checked against the type's model, made plain.

The model's complaints are put where the value stands. What a value means beyond its type (an artifact's
name, the words of a command, the lines of a script) is said here, by the key it stands under.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from shared.language.command_line import split
from shared.language.criteria import check_criteria
from shared.language.expression import Expression, Mistake, has_expression, parse, paths
from shared.language.manifest.part import VARIABLE
from shared.language.model_error import About, causes, describe, shown
from shared.language.node import Listing, Node, Scalar
from shared.language.node import Mapping as MappingNode
from shared.language.problem import Place, Problems, quoted
from shared.language.reading import STRUCTURAL, at, located, report
from shared.language.reference import References
from shared.language.scope import Resolver
from shared.language.value import as_text
from shared.placeholder import Late, Placeholder, taken_out
from shared.step_types.params import written

ERRORS_MAX = 100  # reported of one step

# What a shell takes for nothing but itself, wherever it stands in a script.
_HARMLESS = re.compile(r"[A-Za-z0-9_./:@%+=,-]*")

# Never in a script, harmless today or not: or the same file would pass for one branch and not for another.
_NAMED_BY_THE_PUSH = frozenset({("trigger", "branch"), ("trigger", "tag")})


@dataclass(frozen=True, slots=True)
class Read:
    """Parameters as a plan has them."""

    values: dict[str, Any]  # JSON, every default filled in
    late: tuple[Placeholder, ...] = ()


@dataclass(frozen=True, slots=True)
class ParamsReader:
    """Reads parameters in one stage, or those of what is built for all of them."""

    artifacts: References
    resolver: Resolver
    problems: Problems

    def read(
        self, node: MappingNode, model: type[BaseModel], title: str, defaults: Mapping[str, Any] | None = None
    ) -> Read:
        """Return the parameters; empty after a problem was reported."""
        free = model.model_config.get("extra") == "allow"
        values: dict[str, Any] = dict(defaults or {})
        for key, value in node.entries:
            values[key.text] = self.exact(value) if free else self._value(key.text, value)
        about = About(title, model, resolved=True)
        try:
            params = written(model.model_validate(values))
        except ValidationError as exc:
            params = None
            for error in islice(causes(exc.errors(include_url=False), about), ERRORS_MAX):
                self._report(located(error, node), node, about)
        own = {key.text: values[key.text] for key, _ in node.entries}
        check_criteria(own, node, title, self.problems)
        return Read({}) if params is None else Read(*taken_out(params))

    def _report(self, error: ErrorDetails, node: MappingNode, about: About) -> None:
        """Report what a model said, of the value that an expression gave if one did."""
        found, place = at(node, error["loc"])
        given = error.get("input")
        if not error["loc"] and self.resolver.failed:  # what does not fit together may follow from that
            return
        if error["type"] == "extra_forbidden":  # whatever else is wrong with its value
            report(error, node, about, self.problems)
        elif (place in self.resolver.failed and error["loc"]) or error["type"] in STRUCTURAL:
            if place not in self.resolver.failed:
                report(error, node, about, self.problems)
        elif isinstance(given, Late) and error["type"] != "language":
            message = f"{shown(error['loc'])} in {about.title} must be known when the plan is made"
            hint = "write the value, or take it from vars"
            self.problems.add(place, message, hint, "expression")
        elif isinstance(found, Scalar) and has_expression(found.text):
            text = as_text(given)
            value = None if text is None else Scalar(given, text, place)
            said = describe(error, about, value)
            hint = said.hint if said.hint.startswith("did you mean") else ""
            self.problems.add(place, f"{said.message}, in {self.resolver.where}", hint, said.rule)
        else:
            report(error, node, about, self.problems)

    def _value(self, key: str, node: Node) -> Any:
        read = _READINGS.get(key)
        return self.resolver.plain(node) if read is None else read(self, node)

    def exact(self, node: Node) -> Any:
        """Return values of the user's own, numbers as they were written."""
        match node:
            case Scalar():
                return self.resolver.value(node) if has_expression(node.text) else node.exact
            case Listing():
                return [self.exact(item) for item in node.items]
            case MappingNode():
                return {key.text: self.exact(value) for key, value in node.entries}

    def script(self, node: Node) -> Any:
        """Return a script's lines; of what expressions give, only what no shell could misread is put in."""
        items = node.items if isinstance(node, Listing) else (node,)
        return [self._line(item) if isinstance(item, Scalar) else self.resolver.plain(item) for item in items]

    def shell_line(self, node: Node) -> Any:
        """Return one line of a shell's, under the same rule."""
        return (
            self._line(node)
            if isinstance(node, Scalar) and node.value is not None
            else self.resolver.plain(node)
        )

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
        variables = read_variables(node, self.problems)
        return {name: self.resolver.text(value) for name, value in variables}

    def artifact(self, node: Node) -> Any:
        """Return the id of the artifact that is meant."""
        value = self.resolver.plain(node)
        if isinstance(value, Late):
            message = "which artifact it is must be known when the plan is made"
            self.problems.add(node.place, message, "name it", "expression")
            return ""
        if not isinstance(value, str) or node.place in self.resolver.failed or value == "":
            return value
        return self.artifacts.find(value, node.place, self.problems) or ""

    def _line(self, item: Scalar) -> str:
        if item.value is None or not has_expression(item.text):
            return "" if item.value is None else item.text
        template = parse(item.text)
        if isinstance(template, Mistake):
            self.resolver.word(template, item.place)
            return ""
        pieces = [part if isinstance(part, str) else self._harmless(part, item.place) for part in template]
        return "".join(piece or "" for piece in pieces)

    def _harmless(self, part: Expression, place: Place) -> str | None:
        """Return what an expression gives if it may stand in a script; None after a problem was reported."""
        value = self.resolver.word((part,), place)
        if any(names[:2] in _NAMED_BY_THE_PUSH for names in paths((part,))):
            why = "whoever pushes chooses that name"
        elif isinstance(value, Late) or not _HARMLESS.fullmatch(value):
            why = "a shell might not take it as it is"
        else:
            return value
        message = f"{quoted(part.text)} cannot be put into a script: {why}"
        at = self.problems.within(place, part.text)
        self.problems.add(at, message, 'give the value in env, and write "$NAME" here', "expression")
        return None


_READINGS: dict[str, Callable[[ParamsReader, Node], Any]] = {
    "commands": ParamsReader.script,
    "build_commands": ParamsReader.script,
    "testCommand": ParamsReader.shell_line,
    "command": ParamsReader.command,
    "payload": ParamsReader.exact,
    "variables": ParamsReader.exact,
    "env": ParamsReader.env,
    "environmentVariables": ParamsReader.env,
    "artifact": ParamsReader.artifact,
}


def read_variables(node: MappingNode | None, problems: Problems) -> tuple[tuple[str, Scalar], ...]:
    """Return environment variables, still with their expressions."""
    found: list[tuple[str, Scalar]] = []
    for key, value in node.entries if node else ():
        if not VARIABLE.fullmatch(key.text):
            message = f"{quoted(key.text)} cannot be the name of an environment variable"
            problems.add(key.place, message, "letters, digits and underscores, no digit first")
        elif not isinstance(value, Scalar) or value.value is None:
            message = f"the variable {quoted(key.text)} must be one value"
            problems.add(value.place, message, 'write "" for an empty one', "wrong-type")
        else:
            found.append((key.text, value))
    return tuple(found)


def place_in(params: Node | None, key: str, otherwise: Place) -> Place:
    """Return where one parameter stands."""
    return at(params, (key,))[1] if params else otherwise
