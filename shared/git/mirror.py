"""Bare mirrors under one folder, one a remote: the real `Mirrors`.

A branch or tag is kept under a name derived from its own, so that no stranger's name becomes a path and
`a` may be followed by `a/b`. What a mirror's branches reach is whole: git moves them after the
objects are there, and each fetch is one pack. A mirror found damaged is thrown away and fetched anew.
"""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from shared.faults import Refused, TryAgain
from shared.git.address import check_branch, check_commit, check_tag, parse_address
from shared.git.bare import Bare
from shared.git.contents import Contents
from shared.git.export import Export
from shared.git.port import Tag
from shared.git.program import Limits
from shared.git.reader import Damaged, ObjectReader
from shared.git.tree import CommitInfo
from shared.ids import Commit
from shared.tree import Entry

READERS_MAX = 16  # kept cat-file processes, of the mirrors read last


@dataclass(frozen=True, slots=True)
class Opened:
    """A mirror that is being read."""

    identity: tuple[int, int]  # of the mirror the process was started on
    contents: Contents


@dataclass(slots=True)
class GitMirrors:
    """Mirrors in a folder that other processes may use at the same time."""

    folder: Path
    environ: Mapping[str, str] = field(default_factory=dict)  # PATH, proxies, SSH_AUTH_SOCK
    limits: Limits = field(default_factory=Limits)
    _opened: OrderedDict[str, Opened] = field(default_factory=OrderedDict)

    async def fetch(self, remote: str, branch: str, wanted: Commit | None = None) -> Commit:
        """Return the branch's tip; without asking the remote if `wanted` is known to be in it."""
        bare, kept_as = self._bare(remote), _kept_branch(branch)
        if wanted is not None and (known := await self._known(bare, kept_as, wanted)):
            return known
        async with bare.locked() as held:
            # Whoever held the lock before us may have fetched the same.
            if wanted is not None and (known := await self._known(bare, kept_as, wanted)):
                return known
            tried = f"could not fetch branch {branch!a} of {bare.address.shown}"
            await bare.fetch(f"+refs/heads/{branch}:{kept_as}", tried, held)
        contents = await self._contents(bare)
        tip = await contents.tip(kept_as) if contents else None
        if tip is None:
            raise TryAgain(f"branch {branch!a} of {bare.address.shown} left its mirror")
        return tip

    async def fetch_tag(self, remote: str, tag: str, wanted: str | None = None) -> Tag:
        """Return what the tag stands for; without asking the remote if `wanted` is one of its known ids."""
        bare, kept_as = self._bare(remote), _kept_tag(tag)
        if wanted is not None and (known := await self._known_tag(bare, kept_as, wanted)):
            return known
        async with bare.locked() as held:
            if wanted is not None and (known := await self._known_tag(bare, kept_as, wanted)):
                return known
            tried = f"could not fetch tag {tag!a} of {bare.address.shown}"
            await bare.fetch(f"+refs/tags/{tag}:{kept_as}", tried, held)
        contents = await self._contents(bare)
        found = await contents.tag(kept_as) if contents else None
        if found is None:
            raise TryAgain(f"tag {tag!a} of {bare.address.shown} left its mirror")
        return found

    async def fetch_commit(self, remote: str, commit: Commit) -> None:
        """Have this commit, from whichever branch; without asking the remote if it is here."""
        bare = self._bare(remote)
        if await self._has(bare, check_commit(commit)):
            return
        async with bare.locked() as held:
            if not await self._has(bare, commit):
                tried = f"could not fetch commit {commit} of {bare.address.shown}"
                await bare.fetch(commit, tried, held)

    async def is_ancestor(self, remote: str, ancestor: Commit, descendant: Commit) -> bool:
        """Tell whether `descendant` contains `ancestor`; a commit that is not here is in nothing."""
        bare = self._bare(remote)
        return await self._contains(bare, check_commit(descendant), check_commit(ancestor))

    async def independent(self, remote: str, commits: Iterable[Commit]) -> frozenset[Commit]:
        """Return those that are in the history of none of the others; all of them are here."""
        bare, asked = self._bare(remote), sorted({check_commit(commit) for commit in commits})
        for commit in asked:
            if not await self._has(bare, commit):
                raise TryAgain(f"commit {commit} has not been fetched")
        if len(asked) == 2:
            one, other = asked
            if await self._contains(bare, one, other):
                return frozenset({one})
            return frozenset({other} if await self._contains(bare, other, one) else asked)
        return await bare.independent(asked) if asked[1:] else frozenset(asked)

    async def commit_info(self, remote: str, commit: Commit) -> CommitInfo:
        """Return what people see of a commit."""
        async with self._reading(self._bare(remote), commit) as contents:
            return (await contents.commit(commit)).info

    async def read_tree(
        self, remote: str, commit: Commit, path: str, depth: int = 1
    ) -> tuple[Entry, ...] | None:
        """List a folder, `depth` levels of it, sorted by path; None if it is no folder."""
        async with self._reading(self._bare(remote), commit) as contents:
            return await contents.listing(commit, path, depth)

    async def read_blob(self, remote: str, commit: Commit, path: str, bytes_max: int) -> bytes | None:
        """Return the first `bytes_max` bytes of a regular file; None if it is none."""
        async with self._reading(self._bare(remote), commit) as contents:
            entry = await contents.entry(commit, path)
            if entry is None or entry.kind not in {"file", "program"}:
                return None
            return await contents.blob(entry.id, bytes_max)

    async def tree_entries(
        self, remote: str, commit: Commit, paths: Iterable[str]
    ) -> dict[str, Entry | None]:
        """Return what stands at each path, links not followed; None where nothing does."""
        async with self._reading(self._bare(remote), commit) as contents:
            return {path: await contents.entry(commit, path) for path in paths}

    async def checkout(self, remote: str, commit: Commit, folder: Path) -> None:
        """Make `folder` with exactly this commit's files; it appears whole or not at all."""
        bare = self._bare(remote)
        async with self._reading(bare, commit) as contents:
            await contents.commit(commit)
            export = Export(bare.command("cat-file", "--batch"), bare.environ, self.limits)
            writing = asyncio.create_task(asyncio.to_thread(export.write, commit, folder))
            try:
                async with asyncio.timeout(self.limits.checkout_seconds_max):
                    await asyncio.shield(writing)
            except TimeoutError as exc:
                raise TryAgain(f"commit {commit} could not be checked out in time") from exc
            finally:
                export.stop()
                await asyncio.wait([writing])

    async def tidy(self, remote: str) -> None:
        """Pack what many fetches left; for a timer, off the hot path."""
        bare = self._bare(remote)
        async with bare.locked() as held:
            await bare.tidy(held)

    async def close(self) -> None:
        """End the processes that are kept."""
        while self._opened:
            _, opened = self._opened.popitem()
            await opened.contents.reader.close()

    def _bare(self, remote: str) -> Bare:
        return Bare(self.folder, parse_address(remote), self.limits, self.environ)

    @asynccontextmanager
    async def _reading(self, bare: Bare, commit: Commit) -> AsyncIterator[Contents]:
        """Yield the mirror's contents; what turns out damaged is not used again."""
        check_commit(commit)
        identity = bare.identity
        contents = await self._contents(bare)
        if contents is None:
            raise TryAgain(f"commit {commit} has not been fetched")
        try:
            yield contents
        except Damaged:
            bare.mark_damaged(identity)
            raise

    async def _contents(self, bare: Bare) -> Contents | None:
        """Return what reads the mirror as it is now; None while there is none."""
        identity, name = bare.identity, bare.address.folder
        opened = self._opened.get(name)
        if opened and opened.identity == identity:
            self._opened.move_to_end(name)
            return opened.contents
        if identity is None:
            return None
        command = bare.command("cat-file", "--batch")
        reader = ObjectReader(command, bare.environ, self.limits.read_seconds_max)
        limits = self.limits
        fresh = Contents(reader, limits.object_bytes_max, limits.listing_entries_max)
        self._opened[name] = Opened(identity, fresh)
        self._opened.move_to_end(name)
        if opened:
            await opened.contents.reader.close()
        if len(self._opened) > READERS_MAX:
            _, oldest = self._opened.popitem(last=False)
            await oldest.contents.reader.close()
        return fresh

    async def _known(self, bare: Bare, kept_as: str, wanted: Commit) -> Commit | None:
        """Return the branch's tip as last seen, if that contains `wanted`."""
        contents = await self._contents(bare)
        tip = await contents.tip(kept_as) if contents else None
        if tip and await self._contains(bare, tip, check_commit(wanted)):
            return tip
        return None

    async def _known_tag(self, bare: Bare, kept_as: str, wanted: str) -> Tag | None:
        """Return the tag as last seen, if `wanted` is one of its ids."""
        contents = await self._contents(bare)
        try:
            found = await contents.tag(kept_as) if contents else None
        except Refused:  # it named something else, and may have moved since
            return None
        return found if found and wanted in found.ids else None

    async def _has(self, bare: Bare, commit: Commit) -> bool:
        contents = await self._contents(bare)
        return contents is not None and await contents.find_commit(commit) is not None

    async def _contains(self, bare: Bare, descendant: Commit, ancestor: Commit) -> bool:
        contents = await self._contents(bare)
        if contents is None:
            return False
        nearby = await contents.contains_nearby(descendant, ancestor)
        if nearby is not None:
            return nearby
        contained = await bare.is_ancestor(ancestor, descendant)
        if contained:
            contents.learn(descendant, ancestor)
        return contained


def _kept_branch(branch: str) -> str:
    return _kept(check_branch(branch))


def _kept_tag(tag: str) -> str:
    return _kept(f"tag:{check_tag(tag)}")  # no branch has a colon in its name


def _kept(name: str) -> str:
    return f"refs/windlass/{sha256(name.encode()).hexdigest()[:32]}"
