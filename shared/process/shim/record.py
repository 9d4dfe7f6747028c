"""What the child said, line by line, on a disk that may be full."""

import os
import time

from .disk import forget, open_to_append

LINE_BYTES_MAX = 16 * 1024  # a longer line goes on in the next record


class Output:
    """The record of what the child said: whole lines, timed, bounded, never in the child's way."""

    def __init__(self, bytes_max: int, rotates: bool) -> None:  # noqa: FBT001 - read from the spec
        self._room_max = bytes_max // 2 if rotates else bytes_max
        self._rotates = rotates
        self._segments = ["output"]
        self._fd = open_to_append("output")
        self._written = 0
        self._lines = 0
        self._lost = 0  # lines that the disk did not take
        self._full = False
        self._rest = b""  # the line that has not ended yet
        self._latest = 0.0

    def feed(self, chunk: bytes) -> None:
        """Take bytes as they came out of the pipe."""
        if self._full:
            return
        head, newline, rest = (self._rest + chunk).rpartition(b"\n")
        lines = head.split(b"\n") if newline else []
        *pieces, self._rest = cut(rest)
        self._write(lines + pieces)

    def end(self) -> None:
        """Take the last line as it stands: nothing follows from this child."""
        if self._rest and not self._full:
            self._write([self._rest])
        self._rest = b""
        self._admit_loss()

    def notice(self, text: str) -> None:
        """Say something in Windlass's own name."""
        if not self._full:
            self._write([b"windlass: " + text.encode("utf-8", "replace")])

    def _write(self, lines: list[bytes]) -> None:
        if not lines:
            return
        self._admit_loss()
        stamp = self._stamp()
        clean = b"\n".join(lines).decode("utf-8", "replace").replace("\0", "\ufffd").encode()
        pieces = [piece for line in clean.split(b"\n") for piece in cut(line.removesuffix(b"\r"))]
        self._append([stamp + piece + b"\n" for piece in pieces])

    def _stamp(self) -> bytes:
        self._latest = max(self._latest, time.time())
        return b"%.6f " % self._latest

    def _admit_loss(self) -> None:
        notice = b"windlass: %d lines are missing, the disk did not take them\n" % self._lost
        if self._lost and self._put([self._stamp() + notice]):
            self._lost = 0

    def _append(self, records: list[bytes]) -> None:
        while records:
            count = self._fitting(records)
            done = self._put(records[:count])
            records = records[done:]
            if done < count:
                self._lost += len(records)
                return
            if records and not self._make_room():
                self._lost += len(records) if self._rotates else 0
                return

    def _fitting(self, records: list[bytes]) -> int:
        room = self._room_max - self._written
        for count, record in enumerate(records):
            room -= len(record)
            if room < 0:
                return count or int(self._written == 0)
        return len(records)

    def _put(self, records: list[bytes]) -> int:
        """Write what the disk takes and return how many records that was.

        A whole line stays, for a reader may have seen it; a torn one goes.
        """
        blob = b"".join(records)
        try:
            done = os.write(self._fd, blob) if blob else 0
            whole = blob.rfind(b"\n", 0, done) + 1
            if done > whole:
                os.ftruncate(self._fd, self._written + whole)
        except OSError:
            return 0
        self._written += whole
        count = blob.count(b"\n", 0, whole)
        self._lines += count
        return count

    def _make_room(self) -> bool:
        if self._rotates:
            return self._rotate()
        self._full = True
        notice = b"windlass: %d bytes of output are kept, the rest is left out\n" % self._room_max
        self._put([self._stamp() + notice])
        return False

    def _rotate(self) -> bool:
        """Go on in a new file and keep one old one."""
        name = f"output.{self._lines}"
        try:
            fd = open_to_append(name)
        except OSError:
            return False
        self._segments.append(name)
        if len(self._segments) > 2:
            forget(self._segments.pop(0))
        os.close(self._fd)
        self._fd = fd
        self._written = 0
        return True


def cut(line: bytes) -> list[bytes]:
    """Return the line in pieces of at most LINE_BYTES_MAX, no character torn."""
    pieces = []
    while len(line) > LINE_BYTES_MAX:
        end = LINE_BYTES_MAX
        while end > LINE_BYTES_MAX - 4 and line[end] & 0xC0 == 0x80:
            end -= 1
        pieces.append(line[:end])
        line = line[end:]
    return [*pieces, line]
