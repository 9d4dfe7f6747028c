"""A tree with an index, a memory and limits: what the rules of a scan look at.

What cannot be read is told once and is then as if it were empty.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from shared.language.problem import quoted
from shared.scan import tree as limits
from shared.scan.reading import Unreadable, read_json, read_toml, read_yaml
from shared.scan.result import Caution
from shared.scan.tree import Tree

SKIPPED_FOLDERS = frozenset({
    "__pycache__", "bower_components", "build", "coverage", "dist", "node_modules", "out", "target",
    "vendor", "venv",
})  # fmt: skip
_COMPOSE = ("compose.yml", "compose.yaml")
ROOT = "."
CAUTIONS_MAX = 200


@dataclass(slots=True, eq=False)
class View:
    """One tree, during one scan."""

    tree: Tree
    cautions: list[Caution] = field(default_factory=list)
    files: int = 0
    complete: bool = True
    _names: dict[str, set[str]] = field(default_factory=dict)  # of files, by folder
    _folders: dict[str, set[str]] = field(default_factory=dict)  # names of folders, by folder
    _sorted: dict[str, list[str]] = field(default_factory=dict)  # the same, once somebody asked
    _composed: set[str] = field(default_factory=set)  # folders that may hold a compose file
    _contained: set[str] = field(default_factory=set)  # folders that may hold a Dockerfile
    _known: dict[str, bool] = field(default_factory=dict)  # which folders are looked into
    _texts: dict[str, str | None] = field(default_factory=dict)
    _values: dict[str, Any] = field(default_factory=dict)
    _reads: int = 0
    _bytes: int = 0

    def __post_init__(self) -> None:
        """Take in the listing."""
        self._names[ROOT] = set()
        self._folders[ROOT] = set()
        odd = 0
        for path in islice(self.tree.paths(), limits.FILES_MAX + 1):
            self.files += 1
            if self.files > limits.FILES_MAX:
                self.files = limits.FILES_MAX
                self.stop(f"only the first {limits.FILES_MAX} files were looked over")
                break
            odd += not self._take(path)
        if odd:
            message = (
                f"{odd} files were not looked at: a control character or half a character is in their names"
            )
            self.warn("odd-name", message)

    def warn(self, rule: str, message: str, hint: str = "", file: str = "") -> None:
        """Keep something to tell."""
        caution = Caution(rule, message, hint, file)
        if caution not in self.cautions and len(self.cautions) < CAUTIONS_MAX:
            self.cautions.append(caution)

    def stop(self, message: str) -> None:
        """Tell that a limit was met."""
        self.complete = False
        self.warn("limit", message, "scan one of its folders by itself")

    def folder(self, path: str) -> "Folder":
        """Return a place to look from."""
        return Folder(self, path)

    @property
    def is_spent(self) -> bool:
        """Tell whether nothing more will be read."""
        return self._reads >= limits.READS_MAX or self._bytes >= limits.READ_BYTES_MAX

    def composed(self) -> Iterator["Folder"]:
        """Return every folder that may hold a compose file, those near the root first."""
        return self._near_first(self._composed)

    def contained(self) -> Iterator["Folder"]:
        """Return every folder that may hold a Dockerfile, those near the root first."""
        return self._near_first(self._contained)

    def _near_first(self, paths: set[str]) -> Iterator["Folder"]:
        for path in sorted(paths, key=lambda each: (each != ROOT, each.count("/"), each)):
            yield Folder(self, path)

    def names(self, folder: str) -> set[str]:
        """Return the names of a folder's files."""
        return self._names.get(folder, set())

    def children(self, folder: str) -> list[str]:
        """Return the names of a folder's folders."""
        if folder not in self._sorted:
            self._sorted[folder] = sorted(self._folders.get(folder, ()))
        return self._sorted[folder]

    def text(self, path: str, bytes_max: int = limits.FILE_BYTES_MAX) -> str:
        """Return a file's text, empty where there is none; the beginning of what is too long."""
        if path not in self._texts:
            self._texts[path] = self._read(path, bytes_max)
        return self._texts[path] or ""

    def value(self, path: str, parse: Callable[[str], Any]) -> Any:
        """Return what a file holds, or None if that cannot be told."""
        if path not in self._values:
            self._values[path] = self._parse(path, parse)
        return self._values[path]

    def _parse(self, path: str, parse: Callable[[str], Any]) -> Any:
        text = self.text(path)
        if len(text) >= limits.FILE_BYTES_MAX:
            self.warn("too-large", f"{path} is larger than {limits.FILE_BYTES_MAX // 1024} KiB", file=path)
            return None
        try:
            return parse(text.removeprefix("\ufeff")) if text.strip() else None
        except Unreadable as exc:
            self.warn("unreadable", f"{path} could not be read: {exc}", "mend it and scan again", path)
            return None

    def _read(self, path: str, bytes_max: int) -> str | None:
        folder, name = split(path)
        if name not in self.names(folder):
            return None
        if self.is_spent:
            self.stop(f"only the first {self._reads} files that tell something were read")
            return None
        self._reads += 1
        content = self.tree.read(path, bytes_max)
        if content is None:
            return None
        self._bytes += len(content)
        return content[:bytes_max].decode("utf-8", "replace")

    def _take(self, path: str) -> bool:
        """Index one path; tell whether its name can be spoken."""
        if not path.isprintable():
            return False
        folder, name = split(path)
        known = self._known.get(folder)
        if known is None:
            known = self._known[folder] = self._admit(folder)
        if known and name not in {"", ".", ".."}:
            self._names[folder].add(name)
            if name.endswith(_COMPOSE):
                self._composed.add(folder)
            elif "ockerfile" in name or "ontainerfile" in name:
                self._contained.add(folder)
        return True

    def _admit(self, folder: str) -> bool:
        if folder == ROOT:
            return True
        parts = folder.split("/")
        if len(parts) > limits.DEPTH_MAX or not all(map(is_looked_into, parts)):
            return False
        above = ROOT
        for number, part in enumerate(parts, 1):
            self._folders[above].add(part)
            above = "/".join(parts[:number])
            self._names.setdefault(above, set())
            self._folders.setdefault(above, set())
        return True


@dataclass(frozen=True, slots=True)
class Folder:
    """One folder of a view; names are relative to it and may hold slashes."""

    view: View
    path: str

    @property
    def name(self) -> str:
        """Return its own name; empty for the root."""
        return "" if self.path == ROOT else self.path.rpartition("/")[2]

    def at(self, name: str) -> str:
        """Return the path of something in it."""
        return join(self.path, name)

    def has(self, *names: str) -> str:
        """Return the path of the first of these files that is there, or nothing."""
        for name in names:
            folder, last = split(self.at(name))
            if last in self.view.names(folder):
                return self.at(name)
        return ""

    def has_folder(self, name: str) -> bool:
        """Tell whether a folder is there."""
        above, last = split(self.at(name))
        return last in self.view.children(above)

    def matching(self, pattern: str) -> list[str]:
        """Return the names of its files that match a regular expression whole."""
        return sorted(name for name in self.view.names(self.path) if re.fullmatch(pattern, name))

    def children(self) -> list["Folder"]:
        """Return the folders in it."""
        return [self.down(name) for name in self.view.children(self.path)]

    def down(self, name: str) -> "Folder":
        """Return a folder in it."""
        return Folder(self.view, self.at(name))

    def text(self, name: str) -> str:
        """Return a file's text."""
        return self.view.text(self.at(name))

    def source(self, name: str) -> str:
        """Return the beginning of a program."""
        return self.view.text(self.at(name), limits.SOURCE_BYTES_MAX)

    def json(self, name: str, *, lenient: bool = False) -> Any:
        """Return what a JSON file holds."""
        return self.view.value(self.at(name), lambda text: read_json(text, lenient=lenient))

    def toml(self, name: str) -> Any:
        """Return what a TOML file holds."""
        return self.view.value(self.at(name), read_toml)

    def yaml(self, name: str) -> Any:
        """Return what a YAML file holds."""
        return self.view.value(self.at(name), read_yaml)


def join(folder: str, name: str) -> str:
    """Return the path of something in a folder, `.` being the root."""
    below = "/".join(part for part in name.split("/") if part not in {"", "."})
    if folder == ROOT:
        return below or ROOT
    return f"{folder}/{below}" if below else folder


def split(path: str) -> tuple[str, str]:
    """Return the folder and the name."""
    folder, _, name = path.rpartition("/")
    return (folder or ("/" if path.startswith("/") else ROOT)), name


def resolve(folder: str, relative: str) -> str | None:
    """Return where a relative path leads, or None if that is outside the tree."""
    parts: list[str] = [] if folder == ROOT else folder.split("/")
    if relative.startswith("/"):
        return None
    for part in relative.split("/"):
        if part == ".." and not parts:
            return None
        if part == "..":
            parts.pop()
        elif part not in {"", "."}:
            parts.append(part)
    return "/".join(parts) or ROOT


def relative(folder: str, path: str) -> str:
    """Return a path as a folder above it sees it; any other as it is."""
    if path == folder:
        return ROOT
    return path if folder == ROOT else path.removeprefix(f"{folder}/")


def shown(path: str) -> str:
    """Return a stranger's word for a message."""
    return quoted(path)


def is_looked_into(name: str) -> bool:
    """Tell a folder of sources from one of what was installed, built or hidden."""
    return bool(name) and not name.startswith(".") and name not in SKIPPED_FOLDERS
