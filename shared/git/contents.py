"""Reading one mirror: its branches, tags, commits and trees, through one kept process."""

from dataclasses import dataclass, field

from shared.faults import Refused, TryAgain
from shared.git.kept import Kept
from shared.git.port import Tag
from shared.git.reader import Damaged, ObjectReader, StoredObject
from shared.git.tree import ParsedCommit, parse_commit, parse_tag, parse_tree, path_parts
from shared.git.walk import Walk
from shared.ids import Commit
from shared.tree import Entry

WALKED_COMMITS_MAX = 64  # looked at one by one before a process is started for the question
TAGS_ON_THE_WAY_MAX = 10  # a tag may name a tag; nobody needs more
WALKS_KEPT = 4
WALK_KEPT_COMMITS_MAX = 2_000  # a longer one is begun anew
COMMITS_KEPT = 2_000  # parsed ones and their parents
TREE_ENTRIES_KEPT = 2_000  # of parsed trees, all together


@dataclass(frozen=True, slots=True)
class Contents:
    """What a mirror holds."""

    reader: ObjectReader
    object_bytes_max: int
    listing_entries_max: int
    _commits: Kept[str, ParsedCommit] = field(default_factory=lambda: Kept(COMMITS_KEPT))
    _walks: dict[str, Walk] = field(default_factory=dict)  # by where they start
    _trees: Kept[str, tuple[Entry, ...]] = field(default_factory=lambda: Kept(TREE_ENTRIES_KEPT))

    async def tip(self, kept_branch: str) -> Commit | None:
        """Return the commit that a branch was last seen at."""
        found = await self.reader.read(kept_branch, self.object_bytes_max)
        return Commit(found.id) if found and found.kind == "commit" else None

    async def tag(self, kept_as: str) -> Tag | None:
        """Return what a tag was last seen to stand for; Refused if that is no commit."""
        ids: list[str] = []
        name = kept_as
        while (found := await self._whole(name)) and found.kind == "tag" and len(ids) < TAGS_ON_THE_WAY_MAX:
            ids.append(found.id)
            name = parse_tag(found.data)
        if found is None and not ids:
            return None
        if found is None:
            raise Damaged(f"the mirror lacks what tag object {ids[-1]} names")
        if found.kind != "commit":
            raise Refused(f"the tag names a {found.kind}, and only a commit can be deployed")
        return Tag(Commit(found.id), (*ids, found.id))

    async def find_commit(self, commit: str) -> ParsedCommit | None:
        """Return a commit; None if it is not here, or is something else."""
        if known := self._commits.get(commit):
            return known
        found = await self._whole(commit)
        if found is None or found.kind != "commit":
            return None
        parsed = parse_commit(found.data)
        self._commits.keep(commit, parsed, 1 + len(parsed.parents))
        return parsed

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
        """Tell whether `descendant` contains `ancestor`; None if that lies too far back to walk.

        Looks for either in the other's history by turns: of two commits pushed one after the other,
        one is close behind the other, and then the other cannot be behind the one. A walk down from a
        tip is kept: of a hundred commits pushed together all are asked about it, one after the other.
        """
        if await self.find_commit(ancestor) is None:
            return False
        down = self._walks.pop(descendant, None) or Walk(descendant)  # nobody else takes steps on it now
        answer = await self._walk(down, Walk(ancestor))
        if not down.is_cut_off and len(down) <= WALK_KEPT_COMMITS_MAX:
            self._walks[descendant] = down
            if len(self._walks) > WALKS_KEPT:
                del self._walks[next(iter(self._walks))]
        return answer

    def learn(self, descendant: Commit, ancestor: Commit) -> None:
        """Note that `descendant` contains `ancestor`, which lies too far back to walk."""
        walk = self._walks.get(descendant)
        if walk is not None:
            walk.tell(ancestor)

    async def _walk(self, down: Walk, up: Walk) -> bool | None:
        for _ in range(WALKED_COMMITS_MAX):
            if up.start in down:
                return True
            if down.over:
                return False
            await self._step(down)
            if not up.over:
                await self._step(up)
            if down.start in up:
                return False
        return True if up.start in down else None

    async def _step(self, walk: Walk) -> None:
        found = await self.find_commit(walk.next())
        walk.is_cut_off |= found is None
        walk.go_on_to(found.parents if found else ())

    async def _tree(self, tree: str) -> tuple[Entry, ...]:
        if known := self._trees.get(tree):
            return known
        found = await self._whole(tree)
        if found is None:
            raise Damaged(f"the mirror lacks tree {tree}")
        entries = parse_tree(found.data, len(tree) // 2)
        self._trees.keep(tree, entries, max(len(entries), 1))
        return entries

    async def _whole(self, name: str) -> StoredObject | None:
        found = await self.reader.read(name, self.object_bytes_max)
        if found and found.size > self.object_bytes_max:
            raise Refused(f"the repository has a {found.kind} of {found.size} bytes")
        return found

    def _check_length(self, path: str, entries: int) -> None:
        if entries > self.listing_entries_max:
            raise Refused(f"{path!a} has more than {self.listing_entries_max} entries")
