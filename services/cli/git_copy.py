"""A git working copy, read through the `git` program: commits, their files, and what is not committed yet.

Nothing in it is written, nothing is fetched, and no program that its settings or those of a submodule name
is run. What is not committed goes into a temporary index and a temporary folder of objects, beside the
copy's own.
"""

import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from services.cli.faults import MISUSED, CommandFault
from services.cli.git_program import Git
from shared.tree import Entry, Kind

UNCOMMITTED_BYTES_MAX = 1024**3  # they are copied once
PATHS_AT_ONCE = 200

_KINDS: Mapping[bytes, Kind] = {
    b"100644": "file",
    b"100664": "file",
    b"100755": "program",
    b"120000": "link",
    b"040000": "folder",
    b"160000": "submodule",
}
_FORGE = re.compile(
    r"(?:(?:https?|ssh|git)://(?:[^@/]*@)?[^/:]+(?::\d+)?/|(?:[^@/:]+@)?[^/:]+:(?!/?/))/*"
    r"(?P<name>[^?#:]+?)(?:\.git)?/*"
)


@dataclass(frozen=True, slots=True)
class GitTree:
    """All files of a commit, or of the working copy as it is."""

    id: str
    _git: Git

    def entries(self, paths: Iterable[str]) -> dict[str, Entry | None]:
        """Return what stands at each path, links not followed; None where nothing does."""
        wanted = {path: _plain(path) for path in paths}
        inside = sorted({plain for plain in wanted.values() if plain})
        found = {"": Entry("", "folder", self.id)}
        for first in range(0, len(inside), PATHS_AT_ONCE):
            part = inside[first : first + PATHS_AT_ONCE]
            # Where a path and one below it are asked for, git leaves the upper one out unless told (-t).
            found |= {entry.path: entry for entry in self._listed("-t", self.id, "--", *part)}
        return {path: found.get(plain) for path, plain in wanted.items()}

    def folder(self, path: str) -> tuple[Entry, ...] | None:
        """Return what is in a folder, two levels deep, sorted; None if there is no such folder."""
        entry = self.entries([path])[path]
        if entry is None or entry.kind != "folder":
            return None
        found = self._listed(entry.id)
        below = [
            replace(each, path=f"{upper.path}/{each.path}")
            for upper in found
            if upper.kind == "folder"
            for each in self._listed(upper.id)
        ]
        return tuple(sorted((*found, *below), key=lambda each: each.path))

    def blob(self, entry: Entry, bytes_max: int) -> bytes:
        """Return a file; of a larger one, so many bytes more than `bytes_max` of whatever content."""
        size = int(self._git.run("cat-file", "-s", entry.id) or b"0")
        return (
            bytes(bytes_max + 1) if size > bytes_max else self._git.run("cat-file", "blob", entry.id) or b""
        )

    def _listed(self, *words: str) -> list[Entry]:
        out = self._git.run("ls-tree", "-z", "--full-tree", *words) or b""
        return [_entry(line) for line in out.split(b"\0") if line]


@dataclass(frozen=True, slots=True)
class GitCopy:
    """A repository with its files."""

    root: Path
    _git: Git

    @property
    def branch(self) -> str:
        """The branch that is checked out; empty if it is none."""
        return self._git.line("symbolic-ref", "-q", "--short", "HEAD") or ""

    @property
    def upstream_name(self) -> str:
        """What the branch that is checked out is pushed to: "origin/main"."""
        return self._git.line("rev-parse", "--abbrev-ref", "@{upstream}") or ""

    @property
    def forge_name(self) -> str:
        """The repository as its forge calls it, "acme/shop"; empty if it has no forge."""
        url = self._git.line("config", "--get", "remote.origin.url") or ""
        found = _FORGE.fullmatch(url)
        return found["name"] if found else ""

    def commit(self, rev: str) -> str | None:
        """Return the id of the commit that is meant; None if there is no such commit."""
        if not rev or rev.startswith("-") or not rev.isprintable():
            return None
        return self._git.line("rev-parse", "--verify", "-q", "--end-of-options", f"{rev}^{{commit}}")

    def is_ancestor(self, ancestor: str, descendant: str) -> bool:
        """Tell whether a commit contains another, or is it; one that is not here is in nothing."""
        words = ("--is-ancestor", "--", ancestor, descendant)
        return self._git.run("merge-base", *words, may_fail=True) is not None

    def tree(self, commit: str) -> GitTree:
        """Return a commit's files."""
        return GitTree(self._git.line("rev-parse", "--verify", "-q", f"{commit}^{{tree}}") or "", self._git)

    @contextmanager
    def as_it_is(self) -> Iterator[GitTree]:
        """Give the files as they are now, committed or not, without those that git ignores."""
        with TemporaryDirectory(prefix="windlass-plan-") as folder:
            git = self._beside(Path(folder))
            self._check_size(git)
            _take_submodules(git)
            git.run("add", "--all", "--", ".")
            tree = git.run("write-tree") or b""
            yield GitTree(tree.decode().strip(), git)

    def _beside(self, folder: Path) -> Git:
        """Return git with an index and new objects in another folder."""
        index, objects = (self._place(name) for name in ("index", "objects"))
        if index.exists():
            shutil.copy2(index, folder / "index")  # with its time, by which git tells what may have changed
        (folder / "objects").mkdir()
        git = self._git.with_environment({
            "GIT_INDEX_FILE": str(folder / "index"),
            "GIT_OBJECT_DIRECTORY": str(folder / "objects"),
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": _quoted(str(objects)),
        })  # fmt: skip
        return git.without_filters()

    def _place(self, name: str) -> Path:
        return self.root / (self._git.line("rev-parse", "--git-path", name) or "")

    def _check_size(self, git: Git) -> None:
        listed = git.run("ls-files", "-z", "--others", "--modified", "--exclude-standard") or b""
        size = 0
        for name in {name for name in listed.split(b"\0") if name}:
            with suppress(OSError):
                size += (self.root / os.fsdecode(name)).lstat().st_size
        if size > UNCOMMITTED_BYTES_MAX:
            limit = f"{UNCOMMITTED_BYTES_MAX // 1024**2} MiB"
            raise CommandFault(
                f"What is not committed in {self.root!s} is larger than {limit}.",
                next_="Have git ignore it, or plan what is committed: --rev HEAD.",
            )


def open_copy(folder: Path, environment: Mapping[str, str]) -> GitCopy:
    """Return the working copy that a folder lies in."""
    git = Git(folder, environment)
    if not folder.is_dir():
        raise CommandFault(f"There is no folder {folder!s}.", code=MISUSED)
    root = git.line("rev-parse", "--show-toplevel")
    if not root:
        raise CommandFault(
            f"{folder.resolve()!s} is in no git working copy that can be read.",
            next_="Give the folder of one, or see what `git status` says there.",
            code=MISUSED,
        )
    return GitCopy(Path(root), replace(git, folder=Path(root)))


def _take_submodules(git: Git) -> None:
    """Put what is checked out in each submodule into the index, and have git look into none after that.

    Whether files of a submodule are changed is nothing to its id, and to find out git would run programs that
    the submodule's own settings name.
    """
    if not (found := _submodules(git)):
        return
    open_ones = {path for path, is_open in found if is_open}
    kept = (path for path, _ in found if path not in open_ones)
    git.run("update-index", "--force-remove", "-z", "--stdin", given=_ended_each(open_ones))  # found again
    git.run("update-index", "--add", "--remove", "-z", "--stdin", given=_ended_each(kept))
    left = (path for path, _ in _submodules(git))
    git.run("update-index", "--assume-unchanged", "-z", "--stdin", given=_ended_each(left))


def _submodules(git: Git) -> list[tuple[bytes, bool]]:
    """Return the path of each submodule in the index, and whether a merge left it open."""
    listed = git.run("ls-files", "-z", "--stage") or b""
    found = (line.partition(b"\t") for line in listed.split(b"\0") if line.startswith(b"160000 "))
    return [(path, not head.endswith(b" 0")) for head, _, path in found]


def _ended_each(paths: Iterable[bytes]) -> bytes:
    return b"".join(path + b"\0" for path in paths)


def _quoted(path: str) -> str:
    """Return a path as it stands in a list of folders of objects."""
    if not set(path) & set(':"\n'):
        return path
    escaped = path.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _entry(line: bytes) -> Entry:
    head, _, path = line.partition(b"\t")
    mode, _, id_ = head.split(b" ")[:3]
    return Entry(os.fsdecode(path), _KINDS.get(mode, "file"), id_.decode())


def _plain(path: str) -> str:
    """Return a path as git has it: `/app/` is `app`, the root is empty."""
    return "/".join(part for part in path.split("/") if part not in {"", "."})
