"""Objects out of `git cat-file --batch` without an event loop, many in one go: for exports."""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import BinaryIO

from shared.faults import Refused
from shared.git.reader import Damaged
from shared.tree import Entry

WINDOW = 100  # ids asked for at once: their 6.5 kB fit a pipe, so neither side waits for the other
COPY_BYTES = 1024**2


class BlockingObjects:
    """The two ends of the pipe to a cat-file process."""

    def __init__(self, requests: BinaryIO, answers: BinaryIO, whole_bytes_max: int) -> None:
        self._requests = requests
        self._answers = answers
        self._whole_bytes_max = whole_bytes_max
        self._unread = 0  # bytes of the present object that nobody took yet

    def whole(self, name: str, kind: str) -> bytes:
        """Return a commit or tree."""
        self._ask([name])
        size = self._header(name, kind)
        if size > self._whole_bytes_max:
            raise Refused(f"the repository has a {kind} of {size} bytes")
        return self.take(size)

    def each(self, entries: Sequence[Entry]) -> Iterator[tuple[Entry, int]]:
        """Yield each blob with its size; its bytes are to be taken before the next."""
        following = iter(entries)
        while window := list(islice(following, WINDOW)):
            self._ask([entry.id for entry in window])
            for entry in window:
                yield entry, self._header(entry.id, "blob")

    def take(self, size: int) -> bytes:
        """Return the next bytes of the present object."""
        data = self._read(min(size, self._unread))
        self._unread -= len(data)
        if self._unread == 0:
            self._read(1)  # the line end after an object
            self._unread = -1
        return data

    def chunks(self, size: int) -> Iterator[bytes]:
        """Yield the present object's bytes."""
        for start in range(0, max(size, 1), COPY_BYTES):
            yield self.take(min(COPY_BYTES, size - start))

    def _ask(self, names: Sequence[str]) -> None:
        try:
            self._requests.write("".join(f"{name}\n" for name in names).encode("ascii"))
            self._requests.flush()
        except OSError as exc:
            raise Damaged("git's object reader ended") from exc

    def _header(self, name: str, kind: str) -> int:
        while self._unread > 0:
            self.take(COPY_BYTES)
        words = self._answers.readline(200).decode("ascii", "replace").split()
        if not words:
            raise Damaged("git's object reader ended")
        if words[-1] == "missing":
            raise Damaged(f"the mirror lacks {kind} {name}")
        if len(words) != 3 or words[1] != kind:
            raise Refused(f"{name} is no {kind}")
        self._unread = int(words[2])
        return self._unread

    def _read(self, size: int) -> bytes:
        data = self._answers.read(size)
        if len(data) < size:
            raise Damaged("git's object reader ended in the middle of an object")
        return data
