"""From a stranger's file to plain values: bounded, and never raising anything but `Unreadable`.

XML is never parsed, only searched. YAML is read through the language's own event reader, which
counts what aliases expand to.
"""

import json
import re
import tomllib
from typing import Any

from shared.language.node import Listing, Mapping, Node, Scalar
from shared.language.problem import Problems
from shared.language.source_map import read_source

KEY_PARTS_MAX = 30  # of TOML: tomllib takes quadratic time for `a.a.a.…`
MERGES_MAX = 10  # merge keys inside merge keys

_MERGE_KEY = re.compile(r"^([ \t]*(?:-[ \t]+)?)<<[ \t]*:", re.MULTILINE)
_MERGE = "=merge="
_LONG_KEY = re.compile(rf"(?:[\"']?[\w-]{{0,60}}[\"']?[ \t]{{0,9}}\.[ \t]{{0,9}}){{{KEY_PARTS_MAX}}}")
# Every alternative matches to its end or to the text's, so that nothing is looked at twice.
_LENIENT = re.compile(r'"(?:[^"\\]|\\.)*\\?(?:"|\Z)|//[^\n]*|/\*(?:.*?\*/|.*)|,(?=\s*[}\]])', re.DOTALL)


class Unreadable(Exception):  # noqa: N818
    """Why a file gives no values, in a few words."""


def read_json(text: str, *, lenient: bool = False) -> Any:
    """Return a JSON document; with comments and trailing commas if `lenient`."""
    try:
        return json.loads(_strict(text) if lenient else text)
    except (ValueError, RecursionError) as exc:
        raise Unreadable(f"it is not JSON{_line(exc)}") from exc


def read_toml(text: str) -> dict[str, Any]:
    """Return a TOML document."""
    if any(line.count(".") >= KEY_PARTS_MAX and _LONG_KEY.search(line) for line in text.splitlines()):
        raise Unreadable(f"a key has more than {KEY_PARTS_MAX} parts")
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as exc:
        raise Unreadable("it is not TOML") from exc


def read_yaml(text: str) -> Any:
    """Return a YAML document with merge keys carried out and every number as it is written."""
    problems = Problems("")
    marked = _MERGE_KEY.sub(rf"\1{_MERGE}:", text)
    root = read_source(marked.encode("utf-8", "replace"), problems)
    if root is None:
        found = problems.listed()
        raise Unreadable(found[0].message if found else "it is not YAML")
    return _plain(root)


def table(value: Any, *keys: str) -> dict[str, Any]:
    """Return the mapping under a path of keys, or an empty one."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def word(value: Any, *keys: str) -> str:
    """Return the text under a path of keys, or an empty one."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value.strip() if isinstance(value, str) else ""


def words(value: Any, *keys: str) -> list[str]:
    """Return the texts of the list under a path of keys."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []


def _strict(text: str) -> str:
    return _LENIENT.sub(lambda found: found[0] if found[0].startswith('"') else " ", text)


def _line(exc: Exception) -> str:
    return f" (line {exc.lineno})" if isinstance(exc, json.JSONDecodeError) else ""


def _plain(node: Node, merges: int = 0) -> Any:
    match node:
        case Scalar(value, text):
            return value if value is None or isinstance(value, bool) else text
        case Listing(items):
            return [_plain(item, merges) for item in items]
        case Mapping():
            return _merged(node, merges)


def _merged(node: Mapping, merges: int) -> dict[str, Any]:
    """Return a mapping's own entries over those it merges in."""
    own = {key.text: _plain(value, merges) for key, value in node.entries if key.text != _MERGE}
    merged = node.get(_MERGE)
    if merged is None or merges >= MERGES_MAX:
        return own
    sources = merged.items if isinstance(merged, Listing) else (merged,)
    found: dict[str, Any] = {}
    for source in reversed(sources):
        found |= _merged(source, merges + 1) if isinstance(source, Mapping) else {}
    return found | own
