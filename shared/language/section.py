"""Reading one mapping of a pipeline file: known keys only, typed values, every mistake reported.

Each reading answers None (or what is left of the value) after it has reported what is wrong, so that
the rest of the file is still read.
"""

import re
from collections.abc import Mapping as Fields
from collections.abc import Sequence
from dataclasses import dataclass

from shared.language.node import Listing, Mapping, Node, Scalar
from shared.language.problem import Place, Problems, quoted

SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
NAME_CHARACTERS_MAX = 100
MINUTES_MAX = 24 * 60.0

_KEY_HINT = "only these keys are known here"


@dataclass(frozen=True, slots=True)
class Section:
    """A mapping with the keys that its kind has."""

    title: str  # "stage staging": what messages call it
    place: Place
    fields: Fields[str, tuple[Scalar, Node]]
    problems: Problems

    def node(self, key: str) -> Node | None:
        """Return the value of a key; an empty one counts as absent."""
        found = self.fields.get(key)
        if found is None or (isinstance(found[1], Scalar) and found[1].value is None):
            return None
        return found[1]

    def place_of(self, key: str) -> Place:
        """Return where a key's value stands, or else the section."""
        node = self.node(key)
        return node.place if node else self.place

    def text(self, key: str, default: str = "") -> str:
        """Return a text on one line."""
        node = self.node(key)
        if node is None:
            return default
        if not isinstance(node, Scalar) or not isinstance(node.value, str):
            self._wrong(node, key, "text", 'quote it: "…"' if isinstance(node, Scalar) else "")
            return default
        if not node.value.strip() or len(node.value) > NAME_CHARACTERS_MAX or "\n" in node.value:
            self._wrong(node, key, f"one line of 1 to {NAME_CHARACTERS_MAX} characters")
            return default
        return node.value

    def word(self, key: str, allowed: Sequence[str], default: str) -> str:
        """Return one of the words allowed."""
        node = self.node(key)
        if node is None:
            return default
        text = node.text if isinstance(node, Scalar) else ""
        if text not in allowed:
            shown = f"{quoted(text)} is not" if isinstance(node, Scalar) else "this is not"
            message = f"{shown} what {key} of {self.title} can be"
            self.problems.add_unknown(node.place, message, text, allowed)
            return default
        return text

    def slug(self, key: str, default: str, pattern: re.Pattern[str], rule: str) -> str:
        """Return an identifier."""
        text = self.text(key, default)
        if text and not pattern.fullmatch(text):
            message = f"{quoted(text)} cannot be the {key} of {self.title}"
            self.problems.add(self.place_of(key), message, rule)
        return text

    def flag(self, key: str) -> bool:
        """Return a switch that is off unless it is on."""
        node = self.node(key)
        if node is None:
            return False
        if not isinstance(node, Scalar) or not isinstance(node.value, bool):
            self._wrong(node, key, "true or false")
            return False
        return node.value

    def minutes(self, key: str, default_seconds: float) -> float:
        """Return a time limit, in seconds."""
        node = self.node(key)
        if node is None:
            return default_seconds
        value = node.value if isinstance(node, Scalar) else None
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not 0 < float(value or 0) <= MINUTES_MAX:
            self._wrong(node, key, f"a number of minutes above 0, at most {MINUTES_MAX:g}")
            return default_seconds
        return float(value or 0) * 60.0

    def texts(self, key: str) -> list[Scalar]:
        """Return a list of texts, or one alone."""
        node = self.node(key)
        if node is None:
            return []
        items = node.items if isinstance(node, Listing) else (node,)
        found: list[Scalar] = []
        for item in items:
            if isinstance(item, Scalar) and item.value is not None:
                found.append(item)
            else:
                self.problems.add(item.place, f"{key} of {self.title} takes a list of texts")
        return found

    def mapping(self, key: str) -> Mapping | None:
        """Return a mapping with keys of the user's own."""
        node = self.node(key)
        if node is not None and not isinstance(node, Mapping):
            self._wrong(node, key, "a mapping of names to values")
            return None
        return node

    def listing(self, key: str) -> Listing | None:
        """Return a list."""
        node = self.node(key)
        if node is not None and not isinstance(node, Listing):
            self._wrong(node, key, "a list", "begin each entry with a dash")
            return None
        return node

    def _wrong(self, node: Node, key: str, expected: str, hint: str = "") -> None:
        self.problems.add(node.place, f"{key} of {self.title} must be {expected}", hint)


def read_section(
    node: Node | None,
    title: str,
    keys: Sequence[str],
    problems: Problems,
    required: Sequence[str] = (),
) -> Section | None:
    """Return a mapping's known keys; None if it is no mapping."""
    if node is None:
        return None
    if not isinstance(node, Mapping):
        known = ", ".join(keys)
        problems.add(node.place, f"{title} must be a mapping", f"{_KEY_HINT}: {known}")
        return None
    fields: dict[str, tuple[Scalar, Node]] = {}
    for key, value in node.entries:
        if key.text in keys:
            fields[key.text] = (key, value)
        else:
            message = f"{title} has no key {quoted(key.text)}"
            problems.add_unknown(key.place, message, key.text, keys)
    section = Section(title, node.place, fields, problems)
    for missing in [name for name in required if section.node(name) is None]:
        place = fields[missing][0].place if missing in fields else node.place
        problems.add(place, f"{title} needs {missing}")
    return section
