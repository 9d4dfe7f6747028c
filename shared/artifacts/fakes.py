"""An artifact store without a disk of its own, for tests of those who use one."""

from io import BytesIO
from pathlib import Path

from shared.artifacts.archive import LIMITS, Limits
from shared.artifacts.artifact_store import Corrupted, Missing, Stored
from shared.artifacts.pack import pack
from shared.artifacts.unpack import digest_of, unpack
from shared.faults import Refused
from shared.ids import Digest


class FakeArtifactStore:
    """Keeps archives in memory; packs and unpacks as the real one does."""

    def __init__(self, limits: Limits = LIMITS) -> None:
        self.archives: dict[Digest, bytes] = {}
        self.puts = 0
        self._limits = limits

    async def put(self, root: Path, path: str) -> Stored:
        """Pack into memory."""
        self.puts += 1
        archive = BytesIO()
        packed = pack(root, path, archive, self._limits)
        self.archives[packed.digest] = archive.getvalue()
        return Stored(packed.digest, packed.size_bytes)

    async def find(self, artifact: Stored) -> Stored | Missing:
        """Compare sizes."""
        archive = self.archives.get(artifact.digest)
        if archive is None:
            return Missing(f"{artifact.digest} is not in the artifact store")
        if len(archive) == artifact.size_bytes:
            return artifact
        del self.archives[artifact.digest]
        return Missing(f"{artifact.digest} was damaged in the store")

    async def unpack(self, digest: Digest, destination: Path) -> None:
        """Unpack from memory to a real folder."""
        if digest not in self.archives:
            raise Refused(f"{digest[:80]} is not in the artifact store")
        archive = BytesIO(self.archives[digest])
        if digest_of(archive) != digest:
            del self.archives[digest]
            raise Corrupted(f"{digest} was damaged in the store")
        unpack(archive, destination, self._limits)

    async def remove(self, digest: Digest) -> None:
        """Forget it."""
        self.archives.pop(digest, None)

    async def tidy(self) -> None:
        """Do nothing: memory has no leftovers."""
