"""Limits of a verification beyond which nothing could pass it, or nothing would be proved by it.

They are held against what is written, whatever else is wrong with it: a value of the wrong type is the
model's to refuse.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeGuard

from shared.language.node import Mapping as MappingNode
from shared.language.problem import Place, Problems, quoted
from shared.language.reading import at

PATHS_MAX = 50
TCP_MAX = 20
COMMANDS_MAX = 10
PORT_MAX = 65_535
MARKER_CHARACTERS_MAX = 200

_URL_PATH = re.compile(r"/[\x21-\x7e]{0,1999}")
_HEADER = re.compile(r"[A-Za-z0-9-]{1,100}")

# fmt: off
_BOUNDS: dict[tuple[str, ...], tuple[float, float]] = {  # both allowed
    ("grace_seconds",):                 (0.0, 600.0),
    ("verify", "successes"):            (1, 100),
    ("verify", "interval_seconds"):     (0.05, 60.0),
    ("verify", "latency_seconds_max"):  (0.01, 120.0),
    ("verify", "deadline_seconds"):     (0.1, 3600.0),
    ("verify", "soak_seconds"):         (0.0, 3600.0),
    ("verify", "health_interval_seconds"): (5.0, 3600.0),
}
# fmt: on


def check_criteria(values: Mapping[str, Any], node: MappingNode, title: str, problems: Problems) -> None:
    """Report limits and paths of a verification that nothing could pass."""
    for location, (least, most) in _BOUNDS.items():
        value = _inside(values, location)
        if _is_number(value) and not least <= value <= most:
            message = (
                f"{'.'.join(location)} in {title} is {value:g} and must be between {least:g} and {most:g}"
            )
            _add(at(node, location)[1], message, "", problems)
    for name, (most, check) in _LISTS.items():
        for number, entry in enumerate(_entries(values, name, most, node, title, problems)):
            check(entry, node, number, problems)
    _check_marker(_inside(values, ("verify", "release")), node, problems)


def _entries(
    values: Mapping[str, Any], name: str, most: int, node: MappingNode, title: str, problems: Problems
) -> Sequence[Any]:
    """Return the entries of a list that is written, and report one that has too few or too many."""
    entries = _inside(values, ("verify", name))
    if not isinstance(entries, list | tuple):
        return ()
    if not 1 <= len(entries) <= most:
        message = f"verify.{name} in {title} must have 1 to {most} entries"
        _add(at(node, ("verify", name))[1], message, "", problems)
    return entries[:most]


def _check_port(port: Any, node: MappingNode, number: int, problems: Problems) -> None:
    if _is_number(port) and not 1 <= port <= PORT_MAX:
        hint = f"it is a number from 1 to {PORT_MAX}"
        _add(at(node, ("verify", "tcp", number))[1], f"{port} is not a TCP port", hint, problems)


def _check_command(check: Any, node: MappingNode, number: int, problems: Problems) -> None:
    location = ("verify", "commands", number)
    command, seconds = _inside(check, ("command",)), _inside(check, ("timeout_seconds",))
    if isinstance(command, list | tuple) and not (command and command[0]):
        message = "a command that is asked needs a program to run"
        _add(at(node, (*location, "command"))[1], message, "write [program, argument, ...]", problems)
    if _is_number(seconds) and not 0.1 <= seconds <= 120:
        message = f"timeout_seconds of a command is {seconds:g} and must be between 0.1 and 120"
        _add(at(node, (*location, "timeout_seconds"))[1], message, "", problems)


def _check_marker(marker: Any, node: MappingNode, problems: Problems) -> None:
    header, path, value = (_inside(marker, (name,)) for name in ("header", "path", "value"))
    if isinstance(header, str) and header and not _HEADER.fullmatch(header):
        message = f"{quoted(header)} is not the name of a header"
        hint = "it has letters, digits and hyphens: X-Release"
        _add(at(node, ("verify", "release", "header"))[1], message, hint, problems)
    if isinstance(path, str) and path:
        _check_url_path(path, at(node, ("verify", "release", "path"))[1], problems)
    if isinstance(value, str) and len(value) > MARKER_CHARACTERS_MAX:
        message = f"the value of a release marker must have at most {MARKER_CHARACTERS_MAX} characters"
        _add(at(node, ("verify", "release", "value"))[1], message, "", problems)


def _check_url_path(path: str, place: Place, problems: Problems) -> None:
    if _URL_PATH.fullmatch(path):
        return
    hint = f"start it with a slash: {quoted('/' + path)}"
    if path.startswith("/"):
        hint = "it has no blanks and only ASCII characters: write others as %20"
    _add(place, f"{quoted(path)} is not a path to ask a service for", hint, problems)


def _check_path(check: Any, node: MappingNode, number: int, problems: Problems) -> None:
    location = ("verify", "paths", number)
    path, status = _inside(check, ("path",)), _inside(check, ("status",))
    if isinstance(path, str):
        _check_url_path(path, at(node, (*location, "path"))[1], problems)
    if _is_number(status) and not 100 <= status <= 599:
        message = f"{status} is not an HTTP status"
        _add(at(node, (*location, "status"))[1], message, "it is a number from 100 to 599", problems)


def _add(place: Place, message: str, hint: str, problems: Problems) -> None:
    if not problems.has_error_at(place):
        problems.add(place, message, hint)


def _is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _inside(values: Any, location: tuple[str, ...]) -> Any:
    for name in location:
        values = values.get(name) if isinstance(values, Mapping) else None
    return values


_LISTS: Mapping[str, tuple[int, Callable[[Any, MappingNode, int, Problems], None]]] = {  # most entries, check
    "paths": (PATHS_MAX, _check_path),
    "tcp": (TCP_MAX, _check_port),
    "commands": (COMMANDS_MAX, _check_command),
}
