"""What the synthesizer, the builder and the deployer ask of a repository."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from shared.faults import Refused
from shared.git.tree import CommitInfo
from shared.ids import Commit
from shared.tree import Entry


class BranchMissing(Refused):
    """The remote answered and has no such branch or tag."""


class CommitMissing(Refused):
    """The remote answered and gives out no such commit: it was pushed over, or was never there."""


@dataclass(frozen=True, slots=True)
class Tag:
    """What a tag stands for."""

    commit: Commit
    ids: tuple[str, ...]  # of the tag objects on the way to the commit, and the commit's own


class Mirrors(Protocol):
    """Repositories by remote. Every verb is safe to repeat and raises only `TryAgain` or `Refused`."""

    async def fetch(self, remote: str, branch: str, wanted: Commit | None = None) -> Commit:
        """Return the branch's tip; without asking the remote if `wanted` is known to be in it."""
        ...

    async def fetch_tag(self, remote: str, tag: str, wanted: str | None = None) -> Tag:
        """Return what the tag stands for; without asking the remote if `wanted` is one of its known ids.

        A tag of something else than a commit is Refused.
        """
        ...

    async def fetch_commit(self, remote: str, commit: Commit) -> None:
        """Have this commit, from whichever branch; without asking the remote if it is here."""
        ...

    async def is_ancestor(self, remote: str, ancestor: Commit, descendant: Commit) -> bool:
        """Tell whether `descendant` contains `ancestor`; a commit that is not here is in nothing."""
        ...

    async def independent(self, remote: str, commits: Iterable[Commit]) -> frozenset[Commit]:
        """Return those that are in the history of none of the others; all of them are here."""
        ...

    async def commit_info(self, remote: str, commit: Commit) -> CommitInfo:
        """Return what people see of a commit."""
        ...

    async def read_tree(
        self, remote: str, commit: Commit, path: str, depth: int = 1
    ) -> tuple[Entry, ...] | None:
        """List a folder, `depth` levels of it, sorted by path; None if it is no folder."""
        ...

    async def read_blob(self, remote: str, commit: Commit, path: str, bytes_max: int) -> bytes | None:
        """Return the first `bytes_max` bytes of a regular file; None if it is none."""
        ...

    async def tree_entries(
        self, remote: str, commit: Commit, paths: Iterable[str]
    ) -> dict[str, Entry | None]:
        """Return what stands at each path, links not followed; None where nothing does."""
        ...

    async def checkout(self, remote: str, commit: Commit, folder: Path) -> None:
        """Make `folder` with exactly this commit's files; it appears whole or not at all."""
        ...

    async def tidy(self, remote: str) -> None:
        """Pack what many fetches left; for a timer, off the hot path."""
        ...

    async def close(self) -> None:
        """End the processes that are kept."""
        ...
