"""Unpacking: an archive becomes a folder, complete or not at all.

The archive is not trusted: it may have been put into the store by another installation, or by
somebody who can write there. Python's `tarfile` reads a name as long as its header says it is, into
memory, and takes more dialects than `pack` writes; so the headers are read here, one by one.
"""

import os
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
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
from shared.artifacts.folder import disk_faults, made_whole
from shared.artifacts.pack import BLOCK_BYTES, CHUNK_BYTES, Chunk, unhindered
from shared.faults import Refused
from shared.ids import Digest

_KINDS = {tarfile.REGTYPE: "file", tarfile.DIRTYPE: "folder", tarfile.SYMTYPE: "link"}
_LONG = frozenset({tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK})
_OTHER_KINDS = {
    tarfile.LNKTYPE: "a hard link",
    tarfile.CHRTYPE: "a device",
    tarfile.BLKTYPE: "a device",
    tarfile.FIFOTYPE: "a fifo",
    tarfile.GNUTYPE_SPARSE: "a sparse file",
}


def digest_of(archive: IO[bytes], each: Chunk = unhindered) -> Digest:
    """Return the digest of an archive's bytes."""
    archive.seek(0)
    hashed = sha256()
    while chunk := archive.read(CHUNK_BYTES):
        each()
        hashed.update(chunk)
    return Digest(f"sha256:{hashed.hexdigest()}")


def unpack(archive: IO[bytes], destination: Path, limits: Limits = LIMITS, each: Chunk = unhindered) -> None:
    """Make `destination` from the archive; safe to repeat: a destination that is there is complete."""
    if destination.is_dir() and not destination.is_symlink():
        return
    with disk_faults(f"unpacking into {shown(destination.name)}"), made_whole(destination) as part:
        _Unpacking(_Inflated(archive, limits), part, limits, each).everything()


@dataclass(frozen=True, slots=True)
class _Entry:
    """One header, its long names put in place."""

    name: str
    kind: bytes
    size: int
    mode: int
    target: str


@dataclass(slots=True)
class _Unpacking:
    """A tar as it is being read."""

    tar: "_Inflated"
    into: Path
    limits: Limits
    each: Chunk
    content_bytes: int = 0
    folders: set[str] = field(default_factory=lambda: {""})  # made here, so no links

    def everything(self) -> None:
        """Make every entry."""
        for count, entry in enumerate(_entries(self.tar, self.limits), start=1):
            self.each()
            if count > self.limits.entries_max:
                raise Refused(f"at {shown(entry.name)} the archive passes {count - 1} entries")
            self._admit(entry)
            with disk_faults(f"unpacking {shown(entry.name)}"):
                self._make(entry)
        self.tar.expect_end()

    def _admit(self, entry: _Entry) -> None:
        problem = name_problem(entry.name, self.limits)
        if not problem and entry.kind not in _KINDS:
            other = _OTHER_KINDS.get(entry.kind, "of a kind")
            problem = f"{shown(entry.name)} is {other} that no artifact may hold"
        if not problem and entry.name.rpartition("/")[0] not in self.folders:
            problem = f"{shown(entry.name)} lies in no folder that comes before it in the archive"
        if not problem and os.path.lexists(self.into / entry.name):
            problem = f"{shown(entry.name)} stands twice in the archive"
        if not problem and entry.kind == tarfile.SYMTYPE:
            problem = link_problem(entry.name, entry.target, self.limits)
        if problem:
            raise Refused(problem)

    def _make(self, entry: _Entry) -> None:
        place = self.into / entry.name
        if entry.kind == tarfile.DIRTYPE:
            place.mkdir()
            place.chmod(0o755)  # whatever the umask
            self.folders.add(entry.name)
        elif entry.kind == tarfile.SYMTYPE:
            place.symlink_to(entry.target)
        else:
            self._file(entry, place)

    def _file(self, entry: _Entry, place: Path) -> None:
        self.content_bytes += entry.size
        if self.content_bytes > self.limits.bytes_max:
            raise Refused(f"at {shown(entry.name)} the archive passes {self.limits.bytes_max} bytes")
        with place.open("xb") as file:
            os.fchmod(file.fileno(), 0o755 if entry.mode & 0o100 else 0o644)
            left = entry.size
            while left:
                self.each()
                chunk = self.tar.read(min(CHUNK_BYTES, left))
                file.write(chunk)
                left -= len(chunk)
        self.tar.read(-entry.size % BLOCK_BYTES)


def _entries(tar: "_Inflated", limits: Limits) -> Iterator[_Entry]:
    """Read header after header until the block of zeros that ends a tar."""
    while any(block := tar.read(BLOCK_BYTES)):
        long: dict[bytes, str] = {}
        while (kind := block[156:157]) in _LONG:
            if kind in long:
                raise Refused("the archive gives one entry two long names")
            long[kind] = _long_name(tar, _header(block), limits)
            block = tar.read(BLOCK_BYTES)
        header = _header(block)
        name = long.get(tarfile.GNUTYPE_LONGNAME, header.name)
        target = long.get(tarfile.GNUTYPE_LONGLINK, header.linkname)
        if kind == tarfile.DIRTYPE:
            name = name.removesuffix("/")
        yield _Entry(name, kind, header.size, header.mode, target)


def _header(block: bytes) -> tarfile.TarInfo:
    try:
        header = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except (tarfile.HeaderError, ValueError) as exc:
        raise Refused("the archive is damaged: a header in it cannot be read") from exc
    if header.size < 0 or (header.size and block[156:157] in {tarfile.DIRTYPE, tarfile.SYMTYPE}):
        raise Refused(f"{shown(header.name)} has a size that cannot be")
    return header


def _long_name(tar: "_Inflated", header: tarfile.TarInfo, limits: Limits) -> str:
    if header.size > limits.path_bytes_max + len("/\0"):
        raise Refused(f"the archive holds a name longer than {limits.path_bytes_max} bytes")
    raw = tar.read(header.size)
    tar.read(-header.size % BLOCK_BYTES)
    return raw.partition(b"\0")[0].decode("utf-8", "surrogateescape")


class _Inflated:
    """The tar inside an archive: read in order, never more of it than the archive's size allows."""

    def __init__(self, archive: IO[bytes], limits: Limits) -> None:
        self._archive = archive
        self._left = unpacked_bytes_max(archive.seek(0, os.SEEK_END), limits)
        self._gzip = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
        self._ready = bytearray()
        archive.seek(0)

    def read(self, size: int) -> bytes:
        """Return exactly `size` bytes."""
        while len(self._ready) < size:
            if not (more := self._inflate(CHUNK_BYTES)):
                raise Refused("the archive is damaged: it ends too early")
            self._ready += more
        data = bytes(self._ready[:size])
        del self._ready[:size]
        return data

    def expect_end(self) -> None:
        """Refuse whatever but zeros follows, inside the archive or after it."""
        more = bytes(self._ready) or self._inflate(CHUNK_BYTES)
        while more and not more.strip(b"\0"):
            more = self._inflate(CHUNK_BYTES)
        if more or self._gzip.unused_data or self._archive.read(1):
            raise Refused("the archive goes on after its end")

    def _inflate(self, size: int) -> bytes:
        data = b""
        try:
            while not data and not self._gzip.eof:
                packed = self._gzip.unconsumed_tail or self._archive.read(CHUNK_BYTES)
                data = self._gzip.decompress(packed, size)
                if not packed and not data:
                    raise Refused("the archive is damaged: it ends too early")
        except zlib.error as exc:
            raise Refused("the archive is damaged: it cannot be decompressed") from exc
        self._left -= len(data)
        if self._left < 0:
            raise Refused("the archive is a bomb: it unpacks to far more than its size warrants")
        return data
