"""Where artifacts are kept, by the digest of their archive.

The store knows which bytes it has, not whose they are: the builder's index says that.
"""

import fcntl
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Protocol

from shared.artifacts.archive import LIMITS, Limits
from shared.artifacts.blocking import beside_the_loop
from shared.artifacts.folder import disk_faults, flush_folder
from shared.artifacts.pack import Chunk, pack
from shared.artifacts.unpack import digest_of, unpack
from shared.crash import point
from shared.faults import Refused
from shared.ids import Digest

_DIGEST = re.compile(r"sha256:([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class Stored:
    """An artifact that is in the store."""

    digest: Digest
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Missing:
    """It is not in the store, or what bore its name was not it."""

    reason: str


class Corrupted(Refused):
    """The bytes under this digest are others: set aside, and absent from now on."""


class ArtifactStore(Protocol):
    """Archives by digest. Every verb is safe to repeat and to end at any point."""

    async def put(self, root: Path, path: str) -> Stored:
        """Pack `path` inside `root` and keep it; the same content again changes nothing.

        Refuses what an archive may not hold, naming the entry; a full disk is `TryAgain`, since
        space comes back without anybody changing the build.
        """
        ...

    async def find(self, artifact: Stored) -> Stored | Missing:
        """Tell whether it is there in its full size; anything else under its name is set aside."""
        ...

    async def unpack(self, digest: Digest, destination: Path) -> None:
        """Make `destination` from the artifact, complete or not at all.

        A destination that exists is complete and is left alone, so its name must tell the artifact.
        """
        ...

    async def remove(self, digest: Digest) -> None:
        """Forget it; nothing happens if it is not there."""
        ...

    async def tidy(self) -> None:
        """Remove what killed workers left half-written."""
        ...


class LocalArtifactStore:
    """A folder: `sha256/ab/<hex>`, `corrupted/<hex>`, `arriving/` for what is being written."""

    def __init__(self, root: Path, limits: Limits = LIMITS) -> None:
        self._root = root
        self._limits = limits

    async def put(self, root: Path, path: str) -> Stored:
        """Pack it straight into the store."""
        return await beside_the_loop(partial(self._put, root, path))

    async def find(self, artifact: Stored) -> Stored | Missing:
        """Look at its size: reading it all is `unpack`'s business."""
        return self._find(artifact)

    async def unpack(self, digest: Digest, destination: Path) -> None:
        """Read it all once for its digest, then unpack."""
        await beside_the_loop(partial(self._unpack, digest, destination))

    async def remove(self, digest: Digest) -> None:
        """Unlink it; whoever is reading it reads on."""
        self._remove(digest)

    async def tidy(self) -> None:
        """Remove arrivals that nobody alive is writing."""
        await beside_the_loop(lambda _: self._tidy())

    def _find(self, artifact: Stored) -> Stored | Missing:
        with disk_faults(f"looking for {artifact.digest}"):
            try:
                seen = self._place(artifact.digest).stat()
            except FileNotFoundError:
                return Missing(f"{artifact.digest} is not in the artifact store")
            if seen.st_size == artifact.size_bytes:
                return artifact
            wrong = f"it has {seen.st_size} bytes instead of {artifact.size_bytes}"
            return Missing(self._set_aside(artifact.digest, seen, wrong))

    def _remove(self, digest: Digest) -> None:
        with disk_faults(f"removing {digest}"):
            self._place(digest).unlink(missing_ok=True)

    def _tidy(self) -> None:
        with disk_faults("tidying the artifact store"):
            for arrival in self._arriving().iterdir():
                with suppress(FileNotFoundError, BlockingIOError), arrival.open("rb") as file:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    arrival.unlink(missing_ok=True)

    def _put(self, root: Path, path: str, each: Chunk) -> Stored:
        with disk_faults("writing into the artifact store"), self._arrival() as file:
            packed = pack(root, path, file, self._limits, each)
            file.flush()
            os.fsync(file.fileno())
            point("artifacts.archive.written")
            place = self._place(packed.digest)
            place.parent.mkdir(parents=True, exist_ok=True)
            Path(file.name).replace(place)  # over an equal one: that also mends a damaged one
            point("artifacts.archive.renamed")
            for folder in (place.parent, place.parent.parent, self._root):
                flush_folder(folder)
        return Stored(packed.digest, packed.size_bytes)

    def _unpack(self, digest: Digest, destination: Path, each: Chunk) -> None:
        place = self._place(digest)
        with disk_faults(f"reading {digest}"):
            try:
                file = place.open("rb")
            except FileNotFoundError as exc:
                raise Refused(f"{digest} is not in the artifact store") from exc
            with file:
                if (found := digest_of(file, each)) != digest:
                    seen = os.fstat(file.fileno())
                    raise Corrupted(self._set_aside(digest, seen, f"its bytes are those of {found}"))
                unpack(file, destination, self._limits, each)

    def _set_aside(self, digest: Digest, seen: os.stat_result, why: str) -> str:
        """Move what was seen out of the way; what a `put` elsewhere has put there since is left."""
        place = self._place(digest)
        aside = self._root / "corrupted" / place.name
        aside.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):  # set aside by another
            if os.path.samestat(seen, place.stat()):
                place.replace(aside)
                if not os.path.samestat(seen, aside.stat()):  # put there between the two looks
                    with suppress(FileExistsError):
                        place.hardlink_to(aside)
        return f"{digest} was damaged in the store: {why}; set aside as corrupted/{place.name}"

    def _place(self, digest: Digest) -> Path:
        if not (match := _DIGEST.fullmatch(digest)):
            raise Refused(f"{digest[:80]!r} is not a digest")
        return self._root / "sha256" / match[1][:2] / match[1]

    def _arriving(self) -> Path:
        folder = self._root / "arriving"
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    @contextmanager
    def _arrival(self) -> Iterator[IO[bytes]]:
        """Open a file that is gone again unless it was renamed, and locked while its writer lives."""
        with _locked_file(self._arriving()) as file:
            try:
                yield file
            finally:
                Path(file.name).unlink(missing_ok=True)


def _locked_file(folder: Path) -> IO[bytes]:
    """Make a file and lock it; between the two, `tidy` elsewhere may take it for dead: then another."""
    while True:
        file = tempfile.NamedTemporaryFile(dir=folder, delete=False)  # noqa: SIM115
        with suppress(BlockingIOError, FileNotFoundError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(file.fileno()), Path(file.name).stat()):
                return file
        file.close()
