"""The read-only view of a repository that a scan asks, and how much it may ask."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

FILES_MAX = 100_000  # paths that are looked over
DEPTH_MAX = 6  # folders above a file; what lies deeper is no root of a service
READS_MAX = 600  # files that are read
FILE_BYTES_MAX = 256 * 1024  # of a file that is parsed
SOURCE_BYTES_MAX = 64 * 1024  # of a program that is searched for its port or its application
READ_BYTES_MAX = 8 * 1024 * 1024  # of all files together
SERVICES_MAX = 100


class Tree(Protocol):
    """A repository's files. No verb raises."""

    def paths(self) -> Iterable[str]:
        """Return every file's path from the root, with slashes; folders are not listed."""
        ...

    def read(self, path: str, bytes_max: int) -> bytes | None:
        """Return the first `bytes_max` bytes; None for what is no regular file."""
        ...


@dataclass(frozen=True, slots=True)
class MemoryTree:
    """A tree that was handed over whole."""

    files: Mapping[str, str | bytes]

    def paths(self) -> Iterable[str]:
        """Return the keys."""
        return self.files

    def read(self, path: str, bytes_max: int) -> bytes | None:
        """Return the beginning of what stands under a key."""
        content = self.files.get(path)
        if isinstance(content, str):
            content = content.encode("utf-8", "surrogateescape")
        return None if content is None else content[:bytes_max]


@dataclass(slots=True)
class PartialTree:
    """A tree whose files are fetched as a scan turns out to need them, by whoever has to wait for them.

    Scan, fetch what is `wanted` into `contents`, and scan again until nothing is: a few rounds, since most
    files are asked for whatever the others hold. The last scan is that of the whole tree.
    """

    listing: Iterable[str]  # every file's path
    contents: dict[str, bytes | None] = field(default_factory=dict)  # None: no regular file
    wanted: dict[str, int] = field(default_factory=dict)  # path -> bytes at most, of the scan before

    def paths(self) -> Iterable[str]:
        """Return the listing; a new scan begins."""
        self.wanted = {}
        return self.listing

    def read(self, path: str, bytes_max: int) -> bytes | None:
        """Return what was fetched; ask for what was not."""
        if path not in self.contents:
            self.wanted[path] = bytes_max
            return None
        content = self.contents[path]
        return None if content is None else content[:bytes_max]
