"""YAML as positions and plain values: every node knows its line and column.

Built from parser events, never from constructed objects. Tags are refused; aliases are followed but
what they expand to is counted; size, depth and number of nodes have limits that are checked while
reading, so that no file costs more than they allow.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import yaml

from shared.language.node import Listing, Mapping, Node, Scalar, plain_value
from shared.language.problem import QUOTED_CHARACTERS_MAX, WHOLE_FILE, Place, Problems, quoted

SOURCE_BYTES_MAX = 256 * 1024
DEPTH_MAX = 20  # the language itself nests about ten deep
NODES_MAX = 20_000  # after aliases are followed

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml is ten times as fast
_LINE_END = re.compile("\r\n|[\n\r\x85\u2028\u2029]")  # as YAML counts them
_OLD_TAGS = {  # and the part of the expression that the tag's value takes the place of
    "!image_url": ('${{ stage.artifacts["Name"].image_url }}', "Name"),
    "!global_secret": ('${{ secret("NAME") }}', "NAME"),
    "!stage_secret": ('${{ stage_secret("NAME") }}', "NAME"),
    "!output": ("${{ steps.step.output }}", "step.output"),
}
_SYNTAX_HINTS = {  # by what libyaml says
    "mapping values are not allowed": 'a value with ": " in it stands in quotes',
    "found unexpected end of stream": "a quote is not closed",
    "found character that cannot start any token": "a value that begins with such a mark stands in quotes",
    "did not find expected alphabetic": "a value that begins with * or & stands in quotes",
    "found undefined tag handle": "a value that begins with ! stands in quotes",
}
# What no name, path, variable or command may hold: it would end a string early or hide a line.
_FORBIDDEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


def read_source(source: bytes, problems: Problems) -> Node | None:
    """Return the document's root; None if there is nothing that could be read further."""
    if len(source) > SOURCE_BYTES_MAX:
        message = f"the file is larger than {SOURCE_BYTES_MAX // 1024} KiB"
        problems.add(WHOLE_FILE, message, "keep data and scripts in files of their own", "limit")
        return None
    try:
        text = source.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        place = Place(source.count(b"\n", 0, exc.start) + 1, 1)
        problems.add(place, "the file is not UTF-8 text", "save it as UTF-8", "yaml")
        return None
    problems.lines = _LINE_END.split(text)
    builder = _Builder(problems)
    try:
        return builder.build(yaml.parse(text, Loader=_LOADER))
    except yaml.MarkedYAMLError as exc:
        _report_syntax(exc, problems)
    except yaml.YAMLError as exc:
        problems.add(WHOLE_FILE, f"this is not YAML: {quoted(str(exc))[1:-1]}", rule="yaml")
    except _TooMuch as exc:
        problems.add(exc.place, str(exc), rule="limit")
    return None


def _report_syntax(error: yaml.MarkedYAMLError, problems: Problems) -> None:
    """Report what the parser stopped at, and what it was in the middle of."""
    mark, began = error.problem_mark or error.context_mark, error.context_mark
    if mark and mark.line >= len(problems.lines):  # the parser stopped after the last line
        mark = began
    place = Place(mark.line + 1, mark.column + 1) if mark else WHOLE_FILE
    said = error.problem or str(error)
    line = problems.lines[place.line - 1] if 1 <= place.line <= len(problems.lines) else ""
    hint = next((hint for start, hint in _SYNTAX_HINTS.items() if said.startswith(start)), "")
    if line[place.column - 1 :].startswith("\t"):
        hint = "indent with blanks: YAML takes no tabs for that"
    elif not hint and began and began.line + 1 < place.line:
        hint = f"what begins in line {began.line + 1} is not closed, or not indented alike"
    problems.add(place, f"this is not YAML: {quoted(said)[1:-1]}", hint, "yaml")


class _TooMuch(Exception):  # noqa: N818
    """A limit that reading stops at."""

    def __init__(self, place: Place, message: str) -> None:
        super().__init__(message)
        self.place = place


@dataclass(slots=True)
class _Open:
    """A list or mapping whose end has not come yet."""

    place: Place
    anchor: str | None
    is_mapping: bool
    children: list[Node] = field(default_factory=list)
    size: "_Size" = field(default_factory=lambda: _Size(1, 1))


@dataclass(frozen=True, slots=True)
class _Size:
    """What a node expands to, aliases followed."""

    nodes: int
    depth: int


_ONE = _Size(1, 0)


@dataclass(slots=True)
class _Builder:
    problems: Problems
    _open: list[_Open] = field(default_factory=list)
    _anchored: dict[str, tuple[Node, _Size]] = field(default_factory=dict)
    _root: Node | None = None
    _documents: int = 0
    _nodes: int = 0

    def build(self, events: Iterator[yaml.Event]) -> Node | None:
        for event in events:
            self._take(event)
        if self._root is None or (isinstance(self._root, Scalar) and not self._root.text):
            self._root = None
            self.problems.add(WHOLE_FILE, "the file is empty", "`windlass init` proposes one", "yaml")
        return self._root

    def _take(self, event: yaml.Event) -> None:
        match event:
            case yaml.DocumentStartEvent():
                self._documents += 1
                if self._documents > 1:
                    raise _TooMuch(_place(event), "the file holds more than one YAML document")
            case yaml.ScalarEvent():
                self._refuse_tag(event, event.tag)
                self._put(self._scalar(event), _ONE, event.anchor)
            case yaml.AliasEvent():
                node, size = self._alias(event)
                self._put(node, size)
            case yaml.SequenceStartEvent() | yaml.MappingStartEvent():
                self._refuse_tag(event, event.tag)
                self._begin(event)
            case yaml.SequenceEndEvent() | yaml.MappingEndEvent():
                self._end(event)

    def _begin(self, event: yaml.SequenceStartEvent | yaml.MappingStartEvent) -> None:
        self._check_depth(_place(event), 1)
        is_mapping = isinstance(event, yaml.MappingStartEvent)
        self._open.append(_Open(_place(event), event.anchor, is_mapping))

    def _end(self, event: yaml.Event) -> None:
        ended = self._open.pop()
        place = _up_to(ended.place, event.end_mark)
        node: Node
        if ended.is_mapping:
            node = Mapping(self._entries(ended.children), place)
        else:
            node = Listing(tuple(ended.children), place)
        self._put(node, ended.size, ended.anchor, counted=ended.size.nodes - 1)

    def _put(self, node: Node, size: _Size, anchor: str | None = None, counted: int = 0) -> None:
        """Place a finished node; `counted` of its nodes were counted when they were placed."""
        self._nodes += size.nodes - counted
        if self._nodes > NODES_MAX:
            raise _TooMuch(node.place, f"the file holds more than {NODES_MAX} values")
        if anchor is not None:
            self._anchored[anchor] = (node, size)
        if not self._open:
            self._root = node
            return
        parent = self._open[-1]
        parent.children.append(node)
        parent.size = _Size(parent.size.nodes + size.nodes, max(parent.size.depth, size.depth + 1))

    def _check_depth(self, place: Place, depth: int) -> None:
        if len(self._open) + depth > DEPTH_MAX:
            raise _TooMuch(place, f"this is nested more than {DEPTH_MAX} deep")

    def _entries(self, children: list[Node]) -> tuple[tuple[Scalar, Node], ...]:
        entries: dict[str, tuple[Scalar, Node]] = {}
        for key, node in zip(children[::2], children[1::2], strict=True):
            if not isinstance(key, Scalar):
                message = "a key must be a word, not a list or a mapping"
                self.problems.add(key.place, message, "quote it if it is one", "yaml")
            elif key.text == "<<":
                message = "merge keys are not part of the language"
                self.problems.add(key.place, message, "write the keys out, or use an alias alone", "yaml")
            elif key.text in entries:
                first = entries[key.text][0].place.line
                message = f"the key {quoted(key.text)} is there already, in line {first}"
                self.problems.add(key.place, message, "keep one of them", "duplicate")
            else:
                entries[key.text] = (key, node)
        return tuple(entries.values())

    def _scalar(self, event: yaml.ScalarEvent) -> Scalar:
        place, text = _place(event), event.value
        if _FORBIDDEN.search(text):
            message = "there is a control character or half a character in this text"
            self.problems.add(place, message, "take it out", "yaml")
            text = _FORBIDDEN.sub("�", text)
        is_plain = event.implicit[0]
        return Scalar(plain_value(text) if is_plain else text, text, place)

    def _alias(self, event: yaml.AliasEvent) -> tuple[Node, _Size]:
        place = _place(event)
        anchor = event.anchor or ""
        found = self._anchored.get(anchor)
        if found is None:
            message = f"the alias {quoted(anchor)} stands for nothing, or for itself"
            self.problems.add(place, message, "an anchor comes before its alias", "yaml")
            return Scalar(None, "", place), _ONE
        node, size = found
        self._check_depth(place, size.depth)
        return replace(node, place=place), size

    def _refuse_tag(self, event: yaml.NodeEvent, tag: str | None) -> None:
        if tag is not None:
            shown = tag.replace("tag:yaml.org,2002:", "!!", 1)
            message = f"the tag {quoted(shown)} is not part of the language"
            value = event.value if isinstance(event, yaml.ScalarEvent) else ""
            self.problems.add(_place(event), message, _instead_of(tag, value), "yaml")


def _place(event: yaml.Event) -> Place:
    mark = event.start_mark
    return _up_to(Place(mark.line + 1, mark.column + 1), event.end_mark) if mark else WHOLE_FILE


def _up_to(place: Place, end: Any) -> Place:
    """Return the place with its end, if that is on the same line."""
    same_line = end is not None and end.line + 1 == place.line and end.column + 1 > place.column
    return replace(place, end_column=end.column + 1) if end and same_line else replace(place, end_column=0)


def _instead_of(tag: str, value: str) -> str:
    """Return a hint; DevRamps' tags of old have expressions in their place."""
    expression, stands_for = _OLD_TAGS.get(tag, ("", ""))
    if stands_for and value.isprintable() and len(value) <= QUOTED_CHARACTERS_MAX:
        expression = expression.replace(stands_for, value)
    return f"write {expression} instead" if expression else "write the value without a tag"
