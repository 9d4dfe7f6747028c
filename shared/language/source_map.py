"""YAML as positions and plain values: every node knows its line and column.

Built from parser events, never from constructed objects. Tags are refused; aliases are followed but
what they expand to is counted; size, depth and number of nodes have limits that are checked while
reading, so that no file costs more than they allow.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import yaml

from shared.language.node import Listing, Mapping, Node, Scalar, plain_value
from shared.language.problem import WHOLE_FILE, Place, Problems, quoted

SOURCE_BYTES_MAX = 256 * 1024
DEPTH_MAX = 20  # the language itself nests about ten deep
NODES_MAX = 20_000  # after aliases are followed

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml is ten times as fast
# What no name, path, variable or command may hold: it would end a string early or hide a line.
_FORBIDDEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


def read_source(source: bytes, problems: Problems) -> Node | None:
    """Return the document's root; None if there is nothing that could be read further."""
    if len(source) > SOURCE_BYTES_MAX:
        problems.add(WHOLE_FILE, f"the file is larger than {SOURCE_BYTES_MAX // 1024} KiB")
        return None
    try:
        text = source.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        place = Place(source.count(b"\n", 0, exc.start) + 1, 1)
        problems.add(place, "the file is not UTF-8 text", "save it as UTF-8")
        return None
    builder = _Builder(problems)
    try:
        return builder.build(yaml.parse(text, Loader=_LOADER))
    except yaml.MarkedYAMLError as exc:
        mark = exc.problem_mark or exc.context_mark
        place = Place(mark.line + 1, mark.column + 1) if mark else WHOLE_FILE
        problems.add(place, f"this is not YAML: {quoted(exc.problem or str(exc))[1:-1]}")
    except yaml.YAMLError as exc:
        problems.add(WHOLE_FILE, f"this is not YAML: {quoted(str(exc))[1:-1]}")
    except _TooMuch as exc:
        problems.add(exc.place, str(exc))
    return None


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
        if self._root is None:
            self.problems.add(WHOLE_FILE, "the file is empty")
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
                self._end()

    def _begin(self, event: yaml.SequenceStartEvent | yaml.MappingStartEvent) -> None:
        self._check_depth(_place(event), 1)
        is_mapping = isinstance(event, yaml.MappingStartEvent)
        self._open.append(_Open(_place(event), event.anchor, is_mapping))

    def _end(self) -> None:
        ended = self._open.pop()
        node: Node
        if ended.is_mapping:
            node = Mapping(self._entries(ended.children), ended.place)
        else:
            node = Listing(tuple(ended.children), ended.place)
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
                self.problems.add(key.place, "a key must be a word, not a list or a mapping")
            elif key.text == "<<":
                message = "merge keys are not part of the language"
                self.problems.add(key.place, message, "write the keys out, or use an alias alone")
            elif key.text in entries:
                first = entries[key.text][0].place.line
                message = f"the key {quoted(key.text)} is there already, in line {first}"
                self.problems.add(key.place, message, "keep one of them")
            else:
                entries[key.text] = (key, node)
        return tuple(entries.values())

    def _scalar(self, event: yaml.ScalarEvent) -> Scalar:
        place, text = _place(event), event.value
        if _FORBIDDEN.search(text):
            self.problems.add(place, "there is a control character or half a character in this text")
            text = _FORBIDDEN.sub("�", text)
        is_plain = event.implicit[0]
        return Scalar(plain_value(text) if is_plain else text, text, place)

    def _alias(self, event: yaml.AliasEvent) -> tuple[Node, _Size]:
        place = _place(event)
        anchor = event.anchor or ""
        found = self._anchored.get(anchor)
        if found is None:
            message = f"the alias {quoted(anchor)} stands for nothing, or for itself"
            self.problems.add(place, message, "an anchor comes before its alias")
            return Scalar(None, "", place), _ONE
        node, size = found
        self._check_depth(place, size.depth)
        return replace(node, place=place), size

    def _refuse_tag(self, event: yaml.NodeEvent, tag: str | None) -> None:
        if tag is not None:
            message = f"the tag {quoted(tag)} is not part of the language"
            self.problems.add(_place(event), message, "write the value without a tag")


def _place(event: yaml.Event) -> Place:
    mark = event.start_mark
    return Place(mark.line + 1, mark.column + 1) if mark else WHOLE_FILE
