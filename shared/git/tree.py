"""Git's own formats for commits, tags and trees, parsed; and what we keep of them. Pure."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from shared.faults import Refused
from shared.tree import Entry, Kind

TITLE_CHARACTERS_MAX = 200
AUTHOR_CHARACTERS_MAX = 200
_ENCODINGS = frozenset(  # Python knows more, some of them slow or noisy on hostile bytes
    {"utf-8", "latin-1", "latin1", "iso-8859-1", "iso-8859-15", "windows-1252", "cp1252", "koi8-r"}
    | {"windows-1251", "euc-jp", "shift_jis", "iso-2022-jp", "gbk", "gb18030", "big5", "euc-kr"}
)
_ID = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_KINDS: dict[str, Kind] = {
    "100644": "file",
    "100664": "file",  # written by git before 1.5, still in old histories
    "100755": "program",
    "120000": "link",
    "40000": "folder",
    "160000": "submodule",
}


@dataclass(frozen=True, slots=True)
class CommitInfo:
    """What people see of a commit. Anybody can write it: display text only."""

    title: str  # the message's first line
    author: str
    committed_at: datetime


@dataclass(frozen=True, slots=True)
class ParsedCommit:
    """A commit object."""

    tree: str
    parents: tuple[str, ...]
    info: CommitInfo


def parse_tree(data: bytes, id_bytes: int) -> tuple[Entry, ...]:
    """Return a tree object's entries; names that could leave their folder are refused."""
    return tuple(_entries(data, id_bytes))


def parse_commit(data: bytes) -> ParsedCommit:
    """Return what a commit object says; text in unknown encodings is shown as well as may be."""
    head, _, message = data.partition(b"\n\n")
    headers = [line.partition(b" ") for line in head.split(b"\n")]
    named: dict[bytes, bytes] = {}
    for name, _, value in headers:
        named.setdefault(name, value)
    if b"tree" not in named:
        raise Refused("the repository has a commit without a tree")
    parents = tuple(value.decode("ascii") for name, _, value in headers if name == b"parent")
    encoding = named.get(b"encoding", b"utf-8").decode("ascii", "replace")
    title = _shown(message.lstrip(b"\n").split(b"\n", 1)[0], encoding, TITLE_CHARACTERS_MAX)
    author = _shown(_person(named.get(b"author", b"")), encoding, AUTHOR_CHARACTERS_MAX)
    info = CommitInfo(title, author, _instant(named.get(b"committer", b"")))
    return ParsedCommit(named[b"tree"].decode("ascii"), parents, info)


def parse_tag(data: bytes) -> str:
    """Return the id of what a tag object names."""
    first = data.partition(b"\n")[0].removeprefix(b"object ").decode("ascii", "replace")
    if not _ID.fullmatch(first):
        raise Refused("the repository has a tag that names nothing")
    return first


def path_parts(path: str) -> Sequence[str]:
    """Return the names in a repository path; `/` and the empty string are the root."""
    parts = [part for part in path.split("/") if part not in {"", "."}]
    if ".." in parts or "\0" in path:
        raise Refused(f"{path[:200]!a} is not a path inside the repository")
    return parts


def _entries(data: bytes, id_bytes: int) -> Iterator[Entry]:
    position = 0
    while position < len(data):
        end = data.find(b"\0", position)
        if end < 0 or end + 1 + id_bytes > len(data):
            raise Refused("the repository has a tree that ends too early")
        mode, _, name = data[position:end].partition(b" ")
        position = end + 1 + id_bytes
        kind = _KINDS.get(mode.decode("ascii", "replace").lstrip("0"))
        if kind is None or _is_dangerous(name):
            raise Refused(f"the repository has a tree entry that git would not make: {name!a}")
        text = name.decode("utf-8", "surrogateescape")
        yield Entry(text, kind, data[end + 1 : position].hex())


def _is_dangerous(name: bytes) -> bool:
    return not name or b"/" in name or name in {b".", b".."} or name.lower() == b".git"


def _shown(raw: bytes, encoding: str, characters_max: int) -> str:
    known = encoding.lower() if encoding.lower() in _ENCODINGS else "utf-8"
    text = raw[: characters_max * 4].decode(known, "replace")
    printable = "".join(mark if mark.isprintable() else " " for mark in text)
    return printable.strip()[:characters_max]


def _person(raw: bytes) -> bytes:
    """Return the name out of `name <address> seconds zone`, or the address when there is none."""
    name, _, rest = raw.partition(b"<")
    return name.strip() or rest.partition(b">")[0]


def _instant(raw: bytes) -> datetime:
    """Return the time a commit claims; the epoch when it claims nonsense."""
    try:
        return datetime.fromtimestamp(int(raw.rsplit(b" ", 2)[1]), UTC)
    except (IndexError, ValueError, OverflowError, OSError):
        return datetime.fromtimestamp(0, UTC)
