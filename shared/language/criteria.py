"""Limits of a verification beyond which nothing could pass it, or nothing would be proved by it.

They are held against what is written, whatever else is wrong with it: a value of the wrong type is the
model's to refuse.
"""

import re
from collections.abc import Mapping
from typing import Any, TypeGuard

from shared.language.node import Mapping as MappingNode
from shared.language.problem import Place, Problems, quoted
from shared.language.reading import at

PATHS_MAX = 50

_URL_PATH = re.compile(r"/[\x21-\x7e]{0,1999}")

# fmt: off
_BOUNDS: dict[tuple[str, ...], tuple[float, float]] = {  # both allowed
    ("grace_seconds",):                 (0.0, 600.0),
    ("verify", "successes"):            (1, 100),
    ("verify", "interval_seconds"):     (0.05, 60.0),
    ("verify", "latency_seconds_max"):  (0.01, 120.0),
    ("verify", "deadline_seconds"):     (0.1, 3600.0),
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
    paths = _inside(values, ("verify", "paths"))
    if not isinstance(paths, list | tuple):
        return
    if not 1 <= len(paths) <= PATHS_MAX:
        message = f"verify.paths in {title} must have 1 to {PATHS_MAX} entries"
        _add(at(node, ("verify", "paths"))[1], message, "", problems)
    for number, check in enumerate(paths[:PATHS_MAX]):
        if isinstance(check, Mapping):
            _check_path(check, node, number, problems)


def _check_path(check: Mapping[str, Any], node: MappingNode, number: int, problems: Problems) -> None:
    location = ("verify", "paths", number)
    path, status = check.get("path"), check.get("status")
    if isinstance(path, str) and not _URL_PATH.fullmatch(path):
        hint = f"start it with a slash: {quoted('/' + path)}"
        if path.startswith("/"):
            hint = "it has no blanks and only ASCII characters: write others as %20"
        message = f"{quoted(path)} is not a path to ask a service for"
        _add(at(node, (*location, "path"))[1], message, hint, problems)
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
