"""Reading one mirror: its branches, commits and trees, through one kept process."""

from collections import deque
from dataclasses import dataclass

from shared.faults import Refused, TryAgain
from shared.git.reader import Damaged, ObjectReader, StoredObject
from shared.git.tree import Entry, ParsedCommit, parse_commit, parse_tree, path_parts
from shared.ids import Commit

WALKED_COMMITS_MAX = 64  # looked at one by one before a process is started for the question


@dataclass(frozen=True, slots=True)
class Contents:
    """What a mirror holds."""

    reader: ObjectReader
    object_bytes_max: int
    listing_entries_max: int

    async def tip(self, kept_branch: str) -> Commit | None:
        """Return the commit that a branch was last seen at."""
        found = await self.reader.read(kept_branch, self.object_bytes_max)
        return Commit(found.id) if found and found.kind == "commit" else None

    async def find_commit(self, commit: str) -> ParsedCommit | None:
        """Return a commit; None if it is not here, or is something else."""
        found = await self._whole(commit)
        return parse_commit(found.data) if found and found.kind == "commit" else None

    async def commit(self, commit: Commit) -> ParsedCommit:
        """Return a commit that has been fetched."""
        found = await self.find_commit(commit)
        if found is None:
            raise TryAgain(f"commit {commit} has not been fetched")
        return found

    async def entry(self, commit: Commit, path: str) -> Entry | None:
        """Return what stands at a path; links are not followed."""
        entry = Entry("", "folder", (await self.commit(commit)).tree)
        for part in path_parts(path):
            if entry.kind != "folder":
                return None
            below = [found for found in await self._tree(entry.id) if found.path == part]
            if not below:
                return None
            entry = below[0]
        return Entry("/".join(path_parts(path)), entry.kind, entry.id)

    async def listing(self, commit: Commit, path: str, depth: int) -> tuple[Entry, ...] | None:
        """List a folder, `depth` levels of it, sorted by path; None if it is no folder."""
        top = await self.entry(commit, path)
        if top is None or top.kind != "folder":
            return None
        listed: list[Entry] = []
        folders = [("", top.id)]
        for _ in range(depth):
            below: list[tuple[str, str]] = []
            for prefix, tree in folders:
                for found in await self._tree(tree):
                    entry = Entry(prefix + found.path, found.kind, found.id)
                    listed.append(entry)
                    if entry.kind == "folder":
                        below.append((f"{entry.path}/", entry.id))
                self._check_length(path, len(listed))
            folders = below
        return tuple(sorted(listed, key=lambda entry: entry.path))

    async def blob(self, blob: str, bytes_max: int) -> bytes:
        """Return the first `bytes_max` bytes of a file."""
        found = await self.reader.read(blob, bytes_max)
        if found is None:
            raise Damaged(f"the mirror lacks blob {blob}")
        return found.data

    async def contains_nearby(self, descendant: Commit, ancestor: Commit) -> bool | None:
        """Tell whether `descendant` contains `ancestor`; None if that lies too far back to walk."""
        if await self.find_commit(ancestor) is None:
            return False
        waiting, seen = deque([str(descendant)]), {str(descendant)}
        for _ in range(WALKED_COMMITS_MAX):
            if not waiting:
                return False
            commit = waiting.popleft()
            if commit == ancestor:
                return True
            found = await self.find_commit(commit)  # None: history is cut off here
            parents = [parent for parent in (found.parents if found else ()) if parent not in seen]
            waiting.extend(parents)
            seen.update(parents)
        return None

    async def _tree(self, tree: str) -> tuple[Entry, ...]:
        found = await self._whole(tree)
        if found is None:
            raise Damaged(f"the mirror lacks tree {tree}")
        return parse_tree(found.data, len(tree) // 2)

    async def _whole(self, name: str) -> StoredObject | None:
        found = await self.reader.read(name, self.object_bytes_max)
        if found and found.size > self.object_bytes_max:
            raise Refused(f"the repository has a {found.kind} of {found.size} bytes")
        return found

    def _check_length(self, path: str, entries: int) -> None:
        if entries > self.listing_entries_max:
            raise Refused(f"{path!a} has more than {self.listing_entries_max} entries")
