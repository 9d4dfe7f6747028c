"""Reading the output a shim records, while it grows and afterwards.

Lines are numbered from 0 over the life of the attempt. A kept service drops its oldest lines, so a
batch says which line it begins with.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import overload

from shared.events import LogLine

READ_BYTES = 128 * 1024  # of the record at a time; a record is at most 48 KiB
BATCH_LINES_MAX = 1000
EPOCH = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, slots=True)
class Batch(Sequence[LogLine]):
    """Some lines in a row."""

    first_line: int
    lines: tuple[LogLine, ...]

    @overload
    def __getitem__(self, index: int) -> LogLine: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[LogLine, ...]: ...
    def __getitem__(self, index: int | slice) -> LogLine | tuple[LogLine, ...]:
        """Return one line or a tuple of them."""
        return self.lines[index]

    def __len__(self) -> int:
        """Return how many lines there are."""
        return len(self.lines)


class OutputReader:
    """A place in one attempt's output, moving forward."""

    def __init__(self, folder: Path, first_line: int) -> None:
        self._folder = folder
        self._wanted = first_line
        self._fd = -1
        self._base = -1  # the number of the open segment's first line
        self._line = 0  # the number of the line at `_offset`
        self._offset = 0

    def read(self) -> Batch | None:
        """Return the next lines; None when there are no more at present."""
        while True:
            following = self._following()  # before reading: what is read last then is the last
            data = self._whole_records()
            count = data.count(b"\n")
            if data and self._line + count > self._wanted:
                return self._batch(data)
            if data:
                self._advance(len(data), count)
            elif following is not None:
                self._open(following)
            else:
                return None

    def close(self) -> None:
        """Let go of the file."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _following(self) -> int | None:
        """Return the segment to open next, if there is one."""
        ahead = [base for base in segments(self._folder) if base > self._base]
        if self._fd >= 0 or not ahead:
            return min(ahead, default=None)
        return max((base for base in ahead if base <= self._wanted), default=min(ahead))

    def _open(self, base: int) -> None:
        try:
            fd = os.open(segment_path(self._folder, base), os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return  # dropped since we saw it; there is a newer one
        self.close()
        self._fd, self._base, self._line, self._offset = fd, base, base, 0

    def _whole_records(self) -> bytes:
        """Look at what lies ahead, but for an unfinished record, which may yet be taken back."""
        if self._fd < 0:
            return b""
        data = os.pread(self._fd, READ_BYTES, self._offset)
        return data[: data.rfind(b"\n") + 1]

    def _batch(self, data: bytes) -> Batch:
        skipped = max(0, self._wanted - self._line)
        records = data.split(b"\n", skipped + BATCH_LINES_MAX)[:-1]
        self._advance(sum(map(len, records)) + len(records), len(records))
        lines = tuple(map(parse, records[skipped:]))
        return Batch(self._line - len(lines), lines)

    def _advance(self, size: int, count: int) -> None:
        self._offset += size
        self._line += count


def tail(folder: Path, lines: int) -> tuple[LogLine, ...]:
    """Return the last lines there are."""
    found: list[bytes] = []
    for base in reversed(segments(folder)):
        if len(found) < lines:
            found = _last_records(segment_path(folder, base), lines - len(found)) + found
    return tuple(map(parse, found))


def segments(folder: Path) -> list[int]:
    """Return the first line's number of each file there is, ascending."""
    try:
        names = os.listdir(folder)  # noqa: PTH208 - names are all we want
    except FileNotFoundError:
        return []
    numbers = [name.removeprefix("output.") for name in names if name.startswith("output.")]
    return sorted([0] * ("output" in names) + [int(n) for n in numbers if n.isdecimal()])


def segment_path(folder: Path, base: int) -> Path:
    """Return the file that begins with line `base`."""
    return folder / (f"output.{base}" if base else "output")


def parse(record: bytes) -> LogLine:
    """Return the line a record holds, whatever a power cut made of it."""
    stamp, _, text = record.partition(b" ")
    try:
        at = datetime.fromtimestamp(float(stamp), UTC)
    except (ValueError, OverflowError, OSError):
        at, text = EPOCH, record
    return LogLine(at=at, text=text.decode("utf-8", "replace").replace("\0", "\ufffd"))


def _last_records(path: Path, count: int) -> list[bytes]:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return []
    try:
        start = os.fstat(fd).st_size
        data = b""
        while start > 0 and data.count(b"\n") <= count:
            size = min(READ_BYTES, start)
            start -= size
            data = os.pread(fd, size, start) + data
    finally:
        os.close(fd)
    records = data.split(b"\n")[:-1]
    return records[-count:] if count > 0 else []
