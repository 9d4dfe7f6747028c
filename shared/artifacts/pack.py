"""Packing: a folder or one file becomes an archive.

What is packed was written by a build, which may still have a process running that nobody knows of.
So nothing is followed: every entry is opened by its name in a folder already open.
"""

import os
import stat
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from gzip import GzipFile
from hashlib import sha256
from pathlib import Path
from typing import IO

from shared.artifacts.archive import (
    LIMITS,
    Limits,
    link_problem,
    name_problem,
    shown,
    unpacked_bytes_max,
)
from shared.artifacts.folder import disk_faults
from shared.faults import Refused
from shared.ids import Digest

CHUNK_BYTES = 256 * 1024  # read at a time; between two of them the work can be ended
BLOCK_BYTES = tarfile.BLOCKSIZE
COMPRESSION = 1  # packing stands between a push and its deployment: 3 times faster, a tenth larger
NEVER_PACKED = frozenset({".git"})  # differs between two checkouts of one commit, tells everything

Chunk = Callable[[], None]  # called between chunks; what it raises ends the work


def unhindered() -> None:
    """Let the work go on: the `Chunk` of whoever never ends it early."""


@dataclass(frozen=True, slots=True)
class Packed:
    """What came of packing."""

    digest: Digest
    size_bytes: int  # of the archive
    entries: int


def pack(root: Path, path: str, into: IO[bytes], limits: Limits = LIMITS, each: Chunk = unhindered) -> Packed:
    """Write the archive of `path` inside `root`: what a folder holds, or one file under its name."""
    with disk_faults(f"packing {shown(path)}"), _opened(root, path) as (descriptor, name):
        counted = _Counted(into)
        with GzipFile("", "wb", COMPRESSION, counted, mtime=0) as tar:
            packing = _Packing(tar, limits, each)
            if name:
                packing.file(descriptor, name)
            else:
                packing.folder(descriptor, "")
            packing.end()
        if packing.length > unpacked_bytes_max(counted.size_bytes, limits):
            raise Refused(
                f"{shown(path)} compresses more than {limits.ratio_max} times: nobody would unpack it"
            )
        return Packed(counted.digest(), counted.size_bytes, packing.entries)


@contextmanager
def _opened(root: Path, path: str) -> Iterator[tuple[int, str]]:
    """Open what is to be packed, inside `root`; the name is empty for a folder."""
    top = root.resolve(strict=True)
    place = _resolved(top, path)
    descriptor = os.open(top, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for part in place.relative_to(top).parts:
            inner = os.open(part, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=descriptor)
            os.close(descriptor)
            descriptor = inner
        yield descriptor, "" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else Path(path).name
    finally:
        os.close(descriptor)


def _resolved(top: Path, path: str) -> Path:
    try:
        place = (top / path).resolve(strict=True)
    except (FileNotFoundError, NotADirectoryError) as exc:
        raise Refused(f"{shown(path)} is not there") from exc
    except (RuntimeError, ValueError) as exc:  # links in a circle; a NUL in the name
        raise Refused(f"{shown(path)} is not a path that can be followed") from exc
    if not place.is_relative_to(top):
        raise Refused(f"{shown(path)} leads out of the workspace")
    if not (place.is_dir() or place.is_file()):
        raise Refused(f"{shown(path)} is neither a file nor a folder")
    return place


@dataclass(slots=True)
class _Packing:
    """The tar as it is being written."""

    tar: GzipFile
    limits: Limits
    each: Chunk
    entries: int = 0
    content_bytes: int = 0
    length: int = 0  # of the tar so far

    def folder(self, descriptor: int, name: str) -> None:
        """Write all that lies in an open folder."""
        for inner in self._listed(descriptor, name):
            path = f"{name}/{inner}" if name else inner
            with disk_faults(f"packing {shown(path)}"):
                self._entry(descriptor, inner, path)

    def file(self, descriptor: int, name: str) -> None:
        """Write an open file, as long as it was when it was opened."""
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):  # another was put in its place since it was looked at
            raise Refused(f"{shown(name)} is a {_kind(status.st_mode)}, which no artifact may hold")
        self.content_bytes += status.st_size
        if self.content_bytes > self.limits.bytes_max:
            raise Refused(f"at {shown(name)} the artifact passes {self.limits.bytes_max} bytes")
        executable = bool(status.st_mode & stat.S_IXUSR)
        self._header(name, tarfile.REGTYPE, size=status.st_size, mode=0o755 if executable else 0o644)
        self._content(descriptor, name, status.st_size)

    def end(self) -> None:
        """Write what ends a tar."""
        self._write(bytes(2 * BLOCK_BYTES))

    def _entry(self, folder: int, inner: str, path: str) -> None:
        mode = os.stat(inner, dir_fd=folder, follow_symlinks=False).st_mode
        if stat.S_ISDIR(mode):
            self._header(path, tarfile.DIRTYPE)
            with _entered(folder, inner, os.O_DIRECTORY) as within:
                self.folder(within, path)
        elif stat.S_ISREG(mode):
            with _entered(folder, inner, os.O_NONBLOCK) as within:
                self.file(within, path)
        elif stat.S_ISLNK(mode):
            self._link(path, os.readlink(inner, dir_fd=folder))
        else:
            raise Refused(f"{shown(path)} is a {_kind(mode)}, which no artifact may hold")

    def _listed(self, descriptor: int, name: str) -> list[str]:
        names: list[str] = []
        with os.scandir(descriptor) as entries:
            for entry in entries:
                if len(names) + self.entries >= self.limits.entries_max:
                    raise Refused(
                        f"at {shown(name) or 'its top'} the artifact passes {self.limits.entries_max} entries"
                    )
                if entry.name not in NEVER_PACKED:
                    names.append(entry.name)
        return sorted(names, key=os.fsencode)

    def _link(self, name: str, target: str) -> None:
        if problem := link_problem(name, target, self.limits):
            raise Refused(problem)
        self._header(name, tarfile.SYMTYPE, target=target, mode=0o777)

    def _header(self, name: str, kind: bytes, *, size: int = 0, mode: int = 0o755, target: str = "") -> None:
        if problem := name_problem(name, self.limits):
            raise Refused(problem)
        self.each()
        self.entries += 1
        header = tarfile.TarInfo(name)
        header.type, header.size, header.mode, header.linkname = kind, size, mode, target
        self._write(header.tobuf(tarfile.GNU_FORMAT, "utf-8", "surrogateescape"))

    def _content(self, descriptor: int, name: str, size: int) -> None:
        left = size
        while left:
            self.each()
            chunk = os.read(descriptor, min(CHUNK_BYTES, left))
            if not chunk:
                raise Refused(f"{shown(name)} shrank while it was packed: something still writes it")
            self._write(chunk)
            left -= len(chunk)
        self._write(bytes(-size % BLOCK_BYTES))

    def _write(self, data: bytes) -> None:
        self.tar.write(data)
        self.length += len(data)


class _Counted:
    """A file that is measured and hashed as it is written."""

    def __init__(self, into: IO[bytes]) -> None:
        self._into = into
        self._hash = sha256()
        self.size_bytes = 0

    def write(self, data: bytes) -> int:
        """Write all of `data`."""
        self._into.write(data)
        self._hash.update(data)
        self.size_bytes += len(data)
        return len(data)

    def flush(self) -> None:
        """Pass on what lies in buffers."""
        self._into.flush()

    def digest(self) -> Digest:
        """Return the digest of what was written so far."""
        return Digest(f"sha256:{self._hash.hexdigest()}")


@contextmanager
def _entered(folder: int, name: str, kind: int) -> Iterator[int]:
    """Open one entry of an open folder, never through a link."""
    descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | kind, dir_fd=folder)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _kind(mode: int) -> str:
    kinds = {stat.S_IFIFO: "fifo", stat.S_IFSOCK: "socket", stat.S_IFDIR: "folder"}
    return kinds.get(stat.S_IFMT(mode), "device")
