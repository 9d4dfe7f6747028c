"""Workspaces: which folders a repository's own tools count as its members."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from itertools import islice

from shared.scan.languages import deno, dotnet, jvm
from shared.scan.languages.node_package import MANIFEST
from shared.scan.reading import table, words
from shared.scan.view import Folder, resolve

MEMBERS_MAX = 300
PATTERNS_MAX = 40
STEPS_MAX = 3_000  # folders that one part of a pattern is tried on
PATTERN_CHARACTERS_MAX = 200
NODE_TOOLS = ("pnpm-workspace.yaml", "turbo.json", "nx.json", "lerna.json", "rush.json")
GROUPS = ("apps", "services", "packages", "modules", "projects")  # folders that hold members by custom


@dataclass(slots=True)
class Workspace:
    """Members by the languages they are members in; the same folder may be one in several."""

    root: Folder
    is_node: bool = False
    members: dict[str, set[str]] = field(default_factory=dict)  # path -> names of `detection.RULES`

    def add(self, path: str, *languages: str) -> None:
        """Count a folder as a member."""
        if path != self.root.path and (path in self.members or len(self.members) < MEMBERS_MAX):
            self.members.setdefault(path, set()).update(languages)

    def homes(self, path: str) -> dict[str, Folder]:
        """Return the roots that a member's commands are run from, by language."""
        return dict.fromkeys(self.members.get(path, ()), self.root)


def read_workspace(root: Folder) -> Workspace:
    """Return the members that the files of a folder name."""
    workspace = Workspace(root)
    _node(workspace)
    _by_pattern(workspace, _uv(root), "python", "pyproject.toml")
    cargo = table(root.toml("Cargo.toml"), "workspace") if root.has("Cargo.toml") else {}
    excluded = [f"!{each}" for each in words(cargo, "exclude")]
    _by_pattern(workspace, words(cargo, "members") + excluded, "rust", "Cargo.toml")
    _by_pattern(workspace, _go(root), "go", "go.mod")
    _by_pattern(workspace, jvm.modules(root), "jvm", "pom.xml", *jvm.GRADLE)
    _by_pattern(workspace, deno.members(root), "deno", *deno.MANIFESTS)
    for path in dotnet.projects(root)[:PATTERNS_MAX]:
        place = resolve(root.path, path)
        if place and root.view.folder(place).matching(dotnet.PROJECT):
            workspace.add(place, "dotnet")
    return workspace


def grouped(root: Folder) -> list[str]:
    """Return the folders in `apps`, `services` and the like."""
    return [child.path for group in GROUPS for child in root.down(group).children()][:MEMBERS_MAX]


def expand(root: Folder, pattern: str) -> list[Folder]:
    """Return the folders that a pattern of a workspace file names."""
    if len(pattern) > PATTERN_CHARACTERS_MAX:
        return []
    found = [root]
    for part in pattern.strip("/").split("/"):
        steps = islice((child for folder in found for child in _step(folder, part)), STEPS_MAX)
        found = list(dict.fromkeys(steps))[:MEMBERS_MAX]
    return found


def _step(folder: Folder, part: str) -> Iterator[Folder]:
    if part in {"", "."}:
        yield folder
    elif part == "**":
        yield folder
        for child in folder.children():
            yield from _step(child, part)
    elif "*" in part or "?" in part:
        yield from (child for child in folder.children() if fnmatchcase(child.name, part))
    elif folder.has_folder(part):
        yield folder.down(part)


def _by_pattern(workspace: Workspace, patterns: list[str], language: str, *manifests: str) -> None:
    refused = {
        folder.path
        for pattern in patterns[:PATTERNS_MAX]
        if pattern.startswith("!")
        for folder in expand(workspace.root, pattern[1:])
    }
    for pattern in patterns[:PATTERNS_MAX]:
        for folder in expand(workspace.root, pattern):
            if folder.path not in refused and folder.has(*manifests):
                workspace.add(folder.path, language)


def _node(workspace: Workspace) -> None:
    root = workspace.root
    data = root.json(MANIFEST) if root.has(MANIFEST) else None
    patterns = words(data, "workspaces") or words(data, "workspaces", "packages")
    patterns += words(root.yaml("pnpm-workspace.yaml"), "packages") if root.has("pnpm-workspace.yaml") else []
    patterns += words(root.json("lerna.json"), "packages") if root.has("lerna.json") else []
    workspace.is_node = bool(patterns or root.has(*NODE_TOOLS))
    _by_pattern(workspace, patterns, "node", MANIFEST)
    if root.has("nx.json"):
        _by_pattern(workspace, [f"{group}/**" for group in (*GROUPS, "libs")], "nx", "project.json")
    if workspace.is_node:
        for path in grouped(root):
            is_package = bool(root.view.folder(path).has(MANIFEST))
            if not (is_package and patterns):  # what the patterns leave out is left out
                workspace.add(path, *(("node",) if is_package else ()))


def _uv(root: Folder) -> list[str]:
    data = root.toml("pyproject.toml") if root.has("pyproject.toml") else None
    found = table(data, "tool", "uv", "workspace")
    return words(found, "members") + [f"!{each}" for each in words(found, "exclude")]


def _go(root: Folder) -> list[str]:
    """Return the folders of `use` in a `go.work`, in its block or line by line."""
    found, inside = [], False
    for line in root.text("go.work").splitlines():
        text = line.partition("//")[0].strip()
        if inside and text:
            inside = text != ")"
            found += [text.strip('"')] if inside else []
        elif text.replace(" ", "") == "use(":
            inside = True
        elif text.startswith("use "):
            found.append(text[4:].strip().strip('"'))
    return found
