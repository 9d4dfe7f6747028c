"""`Mirrors` without git: remotes made of dictionaries, with the ids that git would give."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha1
from pathlib import Path

from shared.faults import Refused, TryAgain
from shared.git.address import check_branch, check_commit, check_tag, parse_address
from shared.git.port import BranchMissing, CommitMissing, Tag
from shared.git.tree import CommitInfo, path_parts
from shared.ids import Commit
from shared.tree import Entry, Kind

_MODES: dict[Kind, str] = {"file": "100644", "folder": "40000"}


@dataclass(frozen=True, slots=True)
class FakeCommit:
    """Files by path, and where they come from."""

    files: Mapping[str, bytes]
    parents: tuple[Commit, ...]
    info: CommitInfo


@dataclass(slots=True)
class FakeRepository:
    """What lies at a remote."""

    branches: dict[str, Commit] = field(default_factory=dict)
    tags: dict[str, Tag] = field(default_factory=dict)
    commits: dict[Commit, FakeCommit] = field(default_factory=dict)
    unreachable: TryAgain | Refused | None = None  # raised by every fetch while it is set

    def commit(self, files: Mapping[str, bytes], title: str = "a change", branch: str = "main") -> Commit:
        """Put a commit on top of the branch."""
        parent = self.branches.get(branch)
        commit = self.add(files, title, () if parent is None else (parent,))
        self.branches[branch] = commit
        return commit

    def tag(self, name: str, commit: Commit, message: str = "") -> str:
        """Put a tag on a commit, with an object of its own if it has a message; return what it names."""
        text = f"tag {name} {commit} {message}"
        own = (sha1(text.encode(), usedforsecurity=False).hexdigest(),) if message else ()
        self.tags[name] = Tag(commit, (*own, commit))
        return self.tags[name].ids[0]

    def add(
        self, files: Mapping[str, bytes], title: str = "a change", parents: tuple[Commit, ...] = ()
    ) -> Commit:
        """Put a commit into the repository, on no branch."""
        root = _entries(files)[""].id
        text = f"tree {root} parents {parents} {title} {len(self.commits)}"
        commit = Commit(sha1(text.encode(), usedforsecurity=False).hexdigest())
        info = CommitInfo(title, "Ada", datetime(2025, 1, 1, tzinfo=UTC))
        self.commits[commit] = FakeCommit(dict(files), parents, info)
        return commit

    def history(self, tip: Commit) -> set[Commit]:
        """Return the commit and all it contains."""
        found: set[Commit] = set()
        waiting = [tip]
        while waiting:
            commit = waiting.pop()
            if commit not in found:
                found.add(commit)
                waiting.extend(self.commits[commit].parents)
        return found


@dataclass(slots=True)
class FakeMirrors:
    """Mirrors of fake repositories; `fetches` counts the times a remote was asked."""

    remotes: dict[str, FakeRepository] = field(default_factory=dict)
    fetches: int = 0
    _here: dict[str, set[Commit]] = field(default_factory=dict)
    _tips: dict[tuple[str, str], Commit] = field(default_factory=dict)
    _tags: dict[tuple[str, str], Tag] = field(default_factory=dict)

    async def fetch(self, remote: str, branch: str, wanted: Commit | None = None) -> Commit:
        """Return the branch's tip; without asking the remote if `wanted` is known to be in it."""
        parse_address(remote)
        check_branch(branch)
        known = self._tips.get((remote, branch))
        if known and wanted and await self.is_ancestor(remote, check_commit(wanted), known):
            return known
        repository = self._asked(remote)
        if branch not in repository.branches:
            raise BranchMissing(f"{remote} has no branch {branch!a}")
        tip = repository.branches[branch]
        self._tips[remote, branch] = tip
        self._here.setdefault(remote, set()).update(repository.history(tip))
        return tip

    async def fetch_tag(self, remote: str, tag: str, wanted: str | None = None) -> Tag:
        """Return what the tag stands for; without asking the remote if `wanted` is one of its known ids."""
        parse_address(remote)
        known = self._tags.get((remote, check_tag(tag)))
        if known and wanted in known.ids:
            return known
        repository = self._asked(remote)
        if tag not in repository.tags:
            raise BranchMissing(f"{remote} has no tag {tag!a}")
        found = self._tags[remote, tag] = repository.tags[tag]
        self._here.setdefault(remote, set()).update(repository.history(found.commit))
        return found

    async def fetch_commit(self, remote: str, commit: Commit) -> None:
        """Have this commit, from whichever branch; without asking the remote if it is here."""
        if check_commit(commit) in self._here.get(remote, set()):
            return
        repository = self._asked(remote)
        if commit not in repository.commits:
            raise CommitMissing(f"{remote} has no commit {commit}")
        self._here.setdefault(remote, set()).update(repository.history(commit))

    async def is_ancestor(self, remote: str, ancestor: Commit, descendant: Commit) -> bool:
        """Tell whether `descendant` contains `ancestor`; a commit that is not here is in nothing."""
        here = self._here.get(remote, set())
        if check_commit(descendant) not in here or check_commit(ancestor) not in here:
            return False
        return ancestor in self.remotes[remote].history(descendant)

    async def independent(self, remote: str, commits: Iterable[Commit]) -> frozenset[Commit]:
        """Return those that are in the history of none of the others; all of them are here."""
        asked = frozenset(commits)
        for commit in asked:
            self._commit(remote, commit)
        repository = self.remotes[remote]
        return asked.difference(*(repository.history(commit) - {commit} for commit in asked))

    async def commit_info(self, remote: str, commit: Commit) -> CommitInfo:
        """Return what people see of a commit."""
        return self._commit(remote, commit).info

    async def read_tree(
        self, remote: str, commit: Commit, path: str, depth: int = 1
    ) -> tuple[Entry, ...] | None:
        """List a folder, `depth` levels of it, sorted by path; None if it is no folder."""
        entries = _entries(self._commit(remote, commit).files)
        folder = "/".join(path_parts(path))
        if folder not in entries or entries[folder].kind != "folder":
            return None
        start = f"{folder}/" if folder else ""
        below = [
            Entry(found.removeprefix(start), entry.kind, entry.id)
            for found, entry in entries.items()
            if found and found.startswith(start)
        ]
        return tuple(
            sorted(
                (entry for entry in below if entry.path.count("/") < depth),
                key=lambda entry: entry.path,
            )
        )

    async def read_blob(self, remote: str, commit: Commit, path: str, bytes_max: int) -> bytes | None:
        """Return the first `bytes_max` bytes of a regular file; None if it is none."""
        data = self._commit(remote, commit).files.get("/".join(path_parts(path)))
        return None if data is None else data[:bytes_max]

    async def tree_entries(
        self, remote: str, commit: Commit, paths: Iterable[str]
    ) -> dict[str, Entry | None]:
        """Return what stands at each path, links not followed; None where nothing does."""
        entries = _entries(self._commit(remote, commit).files)
        return {path: entries.get("/".join(path_parts(path))) for path in paths}

    async def checkout(self, remote: str, commit: Commit, folder: Path) -> None:
        """Make `folder` with exactly this commit's files; it appears whole or not at all."""
        _write(folder, self._commit(remote, commit).files)

    async def tidy(self, remote: str) -> None:
        """Do nothing: nothing gathers."""
        parse_address(remote)

    async def close(self) -> None:
        """Do nothing: nothing is kept."""

    def _asked(self, remote: str) -> FakeRepository:
        self.fetches += 1
        repository = self.remotes.get(remote)
        if repository is None:
            raise Refused(f"{remote} does not appear to be a git repository")
        if repository.unreachable:
            raise repository.unreachable
        return repository

    def _commit(self, remote: str, commit: Commit) -> FakeCommit:
        if check_commit(commit) not in self._here.get(remote, set()):
            raise TryAgain(f"commit {commit} has not been fetched")
        return self.remotes[remote].commits[commit]


def _write(folder: Path, files: Mapping[str, bytes]) -> None:
    if folder.exists():
        raise Refused(f"{folder.name} exists already; a checkout needs a fresh folder")
    folder.mkdir(parents=True)
    for path, data in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)


def _entries(files: Mapping[str, bytes]) -> dict[str, Entry]:
    """Return every path and its folders with the ids that git computes."""
    entries = {path: Entry(path, "file", _id("blob", data)) for path, data in files.items()}
    folders = {""} | {folder for path in files for folder in _folders(path)}
    for folder in sorted(folders, key=len, reverse=True):
        start = f"{folder}/" if folder else ""
        inside = [
            entry
            for path, entry in entries.items()
            if path and path.startswith(start) and "/" not in path[len(start) :]
        ]
        entries[folder] = Entry(folder, "folder", _id("tree", _tree(inside)))
    return entries


def _folders(path: str) -> Iterator[str]:
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path


def _tree(entries: Iterable[Entry]) -> bytes:
    def place(entry: Entry) -> bytes:
        return (entry.path + ("/" if entry.kind == "folder" else "")).encode()

    return b"".join(
        f"{_MODES[entry.kind]} {entry.path.rpartition('/')[2]}\0".encode() + bytes.fromhex(entry.id)
        for entry in sorted(entries, key=place)
    )


def _id(kind: str, data: bytes) -> str:
    header = f"{kind} {len(data)}\0".encode()
    return sha1(header + data, usedforsecurity=False).hexdigest()
