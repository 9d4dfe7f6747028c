"""One bare repository on disk that mirrors a remote: made, fetched into, swept, found damaged.

A mirror is a cache. One that git calls broken, or that lacks what it must have, is marked, thrown
away under its lock, and fetched anew.
"""

import asyncio
import shutil
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from shared.faults import Refused, TryAgain
from shared.file_lock import held
from shared.git.address import Address
from shared.git.program import FAR_END_SETTINGS, SETTINGS, Ended, Limits, bare_environment, raise_fault, run
from shared.ids import Commit

PACKS_KEPT = 20  # a mirror with more is tidied

_FETCH = (
    "fetch",
    "--quiet",
    "--no-tags",
    "--no-recurse-submodules",
    "--no-auto-maintenance",
    "--no-write-fetch-head",
    "--no-show-forced-updates",
    "--update-shallow",  # a shallow working copy on this machine is a source too
    "--end-of-options",
)


@dataclass(frozen=True, slots=True)
class Bare:
    """The mirror of one remote."""

    folder: Path  # where all mirrors are
    address: Address
    limits: Limits
    extra_environ: Mapping[str, str]

    @property
    def path(self) -> Path:
        """Return the repository's own folder."""
        return self.folder / self.address.folder

    @property
    def environ(self) -> dict[str, str]:
        """Return all that git gets to see of the world."""
        return bare_environment(self.address, str(self._far_end_settings), self.extra_environ)

    @property
    def identity(self) -> tuple[int, int] | None:
        """Return what changes when the mirror is made anew; None if there is no usable one."""
        if self._damaged.exists():
            return None
        try:
            made = (self.path / "config").stat()
        except FileNotFoundError:
            return None
        return made.st_ino, made.st_mtime_ns

    @asynccontextmanager
    async def locked(self) -> AsyncIterator[int]:
        """Keep every other writer out, also in other processes; yields the lock's descriptor.

        A child that is given the descriptor holds the lock, too. A full disk is a `TryAgain`.
        """
        try:
            async with held(self.path.with_suffix(".lock"), self.limits.lock_seconds_max) as descriptor:
                yield descriptor
        except OSError as exc:
            raise TryAgain(f"{self.path.stem} could not be worked on: {exc.strerror}") from exc

    def command(self, *words: str) -> tuple[str, ...]:
        """Return the words that run git on this mirror."""
        return ("git", *SETTINGS, f"--git-dir={self.path}", *words)

    def mark_damaged(self, identity: tuple[int, int] | None) -> None:
        """Have the mirror made anew before it is used again, unless it has been since it was read.

        Whoever makes it anew takes the old one away under those who read it, and what they then find
        damaged is no longer there.
        """
        if identity == self.identity:
            with suppress(OSError):  # found damaged again next time
                self._damaged.touch()

    async def fetch(self, refspec: str, tried: str, held: int) -> None:
        """Fetch; once more when what a killed or full machine left behind stood in the way."""
        await self._make(held)
        if not self._far_end_settings.exists():
            self._write_far_end_settings()
        words = self.command(*_FETCH, self.address.url, refspec)
        ended = await self._run(words, self.limits.fetch_seconds_max, held)
        if ended.exit_code == 0:
            return
        outgrown = self._outgrown()
        self._sweep()
        if outgrown:
            raise Refused(f"{tried}: it is larger than the limit for one fetch")
        if ended.damaged:
            self.mark_damaged(self.identity)
            await self._make(held)
        if ended.damaged or ended.locked_out:
            ended = await self._run(words, self.limits.fetch_seconds_max, held)
        if ended.exit_code:
            raise_fault(ended, tried)

    async def is_ancestor(self, ancestor: str, descendant: str) -> bool:
        """Ask git whether `descendant` contains `ancestor`, however far back."""
        words = self.command("merge-base", "--is-ancestor", "--end-of-options", ancestor, descendant)
        ended = await self._run(words, self.limits.read_seconds_max)
        if ended.exit_code not in {0, 1}:
            raise_fault(ended, f"could not compare commits of {self.address.shown}")
        return ended.exit_code == 0

    async def independent(self, commits: Sequence[Commit]) -> frozenset[Commit]:
        """Ask git which of these commits none of the others contains, in one walk."""
        words = self.command("merge-base", "--independent", "--end-of-options", *commits)
        ended = await self._run(words, self.limits.read_seconds_max)
        if ended.exit_code:
            raise_fault(ended, f"could not compare commits of {self.address.shown}")
        return frozenset(map(Commit, ended.answer.split()))

    async def tidy(self, held: int) -> None:
        """Pack what many fetches left, and remove what killed ones did; only under the lock."""
        self._sweep()
        if len(list(self.path.glob("objects/pack/*.pack"))) <= PACKS_KEPT:
            return
        ended = await self._run(self.command("gc", "--quiet"), self.limits.tidy_seconds_max, held)
        if ended.exit_code:
            raise_fault(ended, f"could not tidy the mirror of {self.address.shown}")

    @property
    def _damaged(self) -> Path:
        return self.path.with_suffix(".damaged")

    @property
    def _far_end_settings(self) -> Path:
        return self.folder / "far-end.gitconfig"

    async def _make(self, held: int) -> None:
        if self.identity is not None:
            return
        fresh = self.path.with_suffix(".new")
        for left in (self.path, fresh):
            await asyncio.to_thread(shutil.rmtree, left, ignore_errors=True)
        words = ("git", *SETTINGS, "init", "--quiet", "--bare", "--template=", "--", str(fresh))
        ended = await self._run(words, self.limits.read_seconds_max, held)
        if ended.exit_code:
            raise_fault(ended, f"could not make a mirror of {self.address.shown}")
        fresh.rename(self.path)
        self._damaged.unlink(missing_ok=True)

    def _write_far_end_settings(self) -> None:
        part = self.path.with_suffix(".gitconfig")  # ours alone: we hold this mirror's lock
        part.write_text(FAR_END_SETTINGS, encoding="utf-8")
        part.replace(self._far_end_settings)

    def _outgrown(self) -> bool:
        """Tell whether a pack was cut off by the limit, of which git itself says nothing."""
        left = self.path.glob("objects/pack/tmp_*")
        return any(pack.stat().st_size >= self.limits.pack_bytes_max for pack in left)

    def _sweep(self) -> None:
        """Remove what killed writers left. Under the lock none is alive: they hold it too."""
        for pattern in ("*.lock", "refs/**/*.lock", "objects/**/*.lock", "objects/**/tmp_*", "gc.pid"):
            for left in self.path.glob(pattern):
                left.unlink(missing_ok=True)

    async def _run(self, words: Sequence[str], seconds_max: float, held: int | None = None) -> Ended:
        bytes_max = self.limits.pack_bytes_max
        return await run(words, self.environ, seconds_max=seconds_max, file_bytes_max=bytes_max, held=held)
