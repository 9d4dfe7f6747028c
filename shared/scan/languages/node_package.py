"""A `package.json`, its workspace, and how its package manager is told to do things."""

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from shared.scan.draft import Draft
from shared.scan.reading import table, word
from shared.scan.view import Folder, relative
from shared.scan.words import quote

MANIFEST = "package.json"
_LOCKS = {
    "pnpm-lock.yaml": "pnpm",
    "bun.lock": "bun",
    "bun.lockb": "bun",
    "yarn.lock": "yarn",
    "package-lock.json": "npm",
    "npm-shrinkwrap.json": "npm",
}
_MANAGERS = ("npm", "pnpm", "yarn", "bun")
_NAME = re.compile(r"(?:@[a-z0-9._~-]{1,100}/)?[a-z0-9._~-]{1,100}", re.IGNORECASE)


@dataclass(frozen=True)
class Package:
    """One package, perhaps a member of a workspace."""

    folder: Folder
    home: Folder  # the workspace's root; the package's own folder where there is none

    @property
    def file(self) -> str:
        """Where it says what it is."""
        return self.folder.at(MANIFEST)

    @cached_property
    def data(self) -> Any:
        """What it says."""
        return self.folder.json(MANIFEST)

    @cached_property
    def scripts(self) -> dict[str, str]:
        """Its scripts."""
        return {name: line for name, line in table(self.data, "scripts").items() if isinstance(line, str)}

    @cached_property
    def needs(self) -> dict[str, Any]:
        """What it needs to run."""
        return table(self.data, "dependencies")

    @cached_property
    def builds_with(self) -> dict[str, Any]:
        """What it needs to run or to be built."""
        return {**table(self.data, "devDependencies"), **self.needs}

    @property
    def is_member(self) -> bool:
        """Tell whether its commands are run from a workspace's root."""
        return self.home.path != self.folder.path

    @property
    def below_home(self) -> str:
        """Its folder as its workspace's root sees it."""
        return relative(self.home.path, self.folder.path)

    @property
    def name(self) -> str:
        """What it calls itself, where that is a name."""
        name = word(self.data, "name")
        return name if _NAME.fullmatch(name) else ""

    def where(self, dependency: str) -> str:
        """Return the key under which a dependency stands."""
        section = "dependencies" if dependency in self.needs else "devDependencies"
        return f"{section}.{dependency}"


@dataclass(frozen=True)
class PackageTool:
    """A package manager at work for one package."""

    tool: str
    package: Package
    lock: str = ""  # the lock file's path
    is_berry: bool = False  # yarn 2 or later

    @property
    def install(self) -> str:
        """The line that installs what the lock file says."""
        if not self.lock:
            return f"{self.tool} install"
        yarn = "yarn install --immutable" if self.is_berry else "yarn install --frozen-lockfile"
        frozen = {
            "npm": "npm ci",
            "pnpm": "pnpm install --frozen-lockfile",
            "yarn": yarn,
            "bun": "bun install --frozen-lockfile",
        }
        return frozen[self.tool]

    def script(self, name: str) -> str:
        """Return the line that runs one of the package's scripts."""
        name = quote(name)
        if not self.package.is_member:
            return f"{self.tool} run {name}"
        place = quote(self.package.below_home)
        lines = {
            "npm": f"npm run {name} --workspace={place}",
            "pnpm": f"pnpm --dir {place} run {name}",
            "yarn": f"yarn --cwd {place} run {name}",
            "bun": f"bun run --cwd {place} {name}",
        }
        if self.tool == "yarn" and self.package.name:
            return f"yarn workspace {self.package.name} run {name}"
        return lines[self.tool]

    def build(self, script: str) -> str:
        """Return the line that builds the package, and first what it needs of its workspace."""
        name, home = self.package.name, self.package.home
        if not self.package.is_member or not name:
            return self.script(script)
        if home.has("turbo.json"):
            return self._from_home(f"turbo run {quote(script)} --filter={name}")
        if home.has("lerna.json") and not home.has("nx.json"):
            return self._from_home(f"lerna run {quote(script)} --scope={name} --include-dependencies")
        if self.tool == "pnpm":
            return f"pnpm --filter {quote(name + '...')} run {quote(script)}"
        return self.script(script)

    def program(self, line: str) -> str:
        """Return the line that runs a program that one of the dependencies brings."""
        if not self.package.is_member:
            return self._from_home(line)
        place = quote(self.package.below_home)
        lines = {
            "npm": f"npm exec --workspace={place} -- {line}",
            "pnpm": f"pnpm --dir {place} exec {line}",
            "yarn": f"yarn --cwd {place} {line}",
            "bun": f"bun run --cwd {place} {line}",
        }
        return lines[self.tool]

    def file(self, runtime: str, name: str) -> str:
        """Return the line that runs one of the package's files."""
        below = f"{self.package.below_home}/{name}" if self.package.is_member else name
        return f"{runtime} {quote(below)}"

    def _from_home(self, line: str) -> str:
        runners = {"npm": "npx", "pnpm": "pnpm exec", "yarn": "yarn", "bun": "bunx"}
        return f"{runners[self.tool]} {line}"


def learn_manager(draft: Draft, package: Package) -> PackageTool:
    """Find the package manager: the field, the lock file, `engines`, or else npm."""
    places = (package.folder, package.home) if package.is_member else (package.folder,)
    locks = [(folder, name, tool) for folder in places for name, tool in _LOCKS.items() if folder.has(name)]
    tool = ""
    for folder in places:
        written = word(folder.json(MANIFEST), "packageManager").partition("@")[0]
        if not tool and written in _MANAGERS:
            tool = written
            draft.learn(folder.at(MANIFEST), "packageManager", package_manager=tool)
    if not tool and locks:
        tool = locks[0][2]
        draft.learn(locks[0][0].at(locks[0][1]), package_manager=tool)
    if not tool:
        tool = next((each for each in _MANAGERS[1:] if table(package.data, "engines").get(each)), "npm")
        draft.learn(package.file, "engines" if tool != "npm" else "", assumed=True, package_manager=tool)
    _warn_of_locks(draft, package, tool, [folder.at(name) for folder, name, _ in locks])
    lock = next((folder.at(name) for folder, name, each in locks if each == tool), "")
    pinned = word(package.home.json(MANIFEST), "packageManager").partition("@")[2]
    is_berry = bool(package.home.has(".yarnrc.yml", ".yarnrc.yaml")) or pinned[:1] in tuple("23456789")
    return PackageTool(tool, package, lock, is_berry)


def _warn_of_locks(draft: Draft, package: Package, tool: str, locks: list[str]) -> None:
    tools = {_LOCKS[path.rpartition("/")[2]] for path in locks}
    if len(tools) > 1:
        message = f"lock files of several package managers are there ({', '.join(locks)}); {tool} is used"
        draft.warn("several-locks", message, "remove those that are not kept up", locks[0])
    elif not locks:
        draft.note("no-lock", f"{package.file} has no lock file: two builds may differ", file=package.file)
