"""The reports that a command left in a folder of its own, found and read.

What lies there is a stranger's: no link is followed, nothing but regular files is opened, a process that
was left behind may change the folder meanwhile, and there is a limit to everything. What passes a limit
is left out and said so, in a note for people.
"""

import fnmatch
import os
import re
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from services.deployer import junit
from services.deployer.junit import NoReport
from services.deployer.report import Report, shown, together

FILES_MAX = 5_000  # a large build has a report for each class of tests
FILE_BYTES_MAX = 10 * 1024**2  # parsed in one go, in which nothing else is done
ALL_BYTES_MAX = 32 * 1024**2  # read in some seconds, if nobody made them to be slow
ENTRIES_MAX = 200_000  # looked at; as many as a checkout may have, see `shared.git`
DEPTH_MAX = 60  # folders inside each other
NOTES_MAX = 3  # what could not be read, told by name

EVERY_FOLDER = "**"

Stamp = tuple[int, int]  # of a file: another once it was written anew


@dataclass(frozen=True, slots=True)
class Gathered:
    """What the reports say together."""

    report: Report | None  # None: there was none that could be read
    note: str  # what is missing in it, for people; may be empty


@dataclass(frozen=True, slots=True)
class _File:
    """A regular file that matches, open to be read until the next one is asked for."""

    path: str
    descriptor: int
    status: os.stat_result

    @property
    def stamp(self) -> Stamp:
        return self.status.st_ino, self.status.st_mtime_ns


def stamps(top: Path, pattern: str) -> Mapping[str, Stamp]:
    """Return what matches already: a report that comes with the repository tells of other tests."""
    search = _Search(pattern)
    return {file.path: file.stamp for file in search.files(top)}


def gather(
    top: Path, pattern: str, before: Mapping[str, Stamp], each: Callable[[], None] = lambda: None
) -> Gathered:
    """Read the reports that were written since `before`; `each` is called between two of them."""
    search = _Search(pattern)
    reports: list[Report] = []
    notes = _Notes()
    size = 0
    for file in search.files(top):
        each()
        if before.get(file.path) == file.stamp:
            continue
        size += min(file.status.st_size, FILE_BYTES_MAX)
        if size > ALL_BYTES_MAX:
            notes.take(f"reports of more than {ALL_BYTES_MAX // 1024**2} MiB together are not read")
            break
        read = _read(file)
        if isinstance(read, Report):
            reports.append(read)
        else:
            notes.take(f"{file.path[:200]!a} {read.why}")
    notes.take(search.stopped_by)
    if not reports and not notes.told:
        notes.take(f"the command wrote no file that matches {pattern!a}")
    return Gathered(together(reports) if reports else None, notes.text)


@dataclass(slots=True)
class _Notes:
    """What could not be read."""

    told: list[str] = field(default_factory=list)
    more: int = 0

    def take(self, note: str) -> None:
        if note and len(self.told) < NOTES_MAX:
            self.told.append(shown(note, 400))
        elif note:
            self.more += 1

    @property
    def text(self) -> str:
        return "; ".join([*self.told, *([f"and {self.more} more"] if self.more else [])])


def _read(file: _File) -> Report | NoReport:
    if file.status.st_size > FILE_BYTES_MAX:
        return NoReport(f"is larger than {FILE_BYTES_MAX // 1024**2} MiB")
    try:
        with os.fdopen(os.dup(file.descriptor), "rb") as stream:
            content = stream.read(FILE_BYTES_MAX)
    except OSError as problem:
        return NoReport(f"cannot be read: {problem.strerror}")
    return junit.read(content)


class _Search:
    """One walk through a folder, along a pattern."""

    def __init__(self, pattern: str) -> None:
        parts = [part for part in pattern.split("/") if part not in {"", "."}]
        self._parts = [
            None if part == EVERY_FOLDER else re.compile(fnmatch.translate(part)) for part in parts
        ]
        self._entries = 0
        self._files = 0
        self.stopped_by = ""  # the limit that ended it early

    def files(self, top: Path) -> Iterator[_File]:
        """Yield what matches, in the order of its path."""
        with _opened(top, os.O_DIRECTORY) as folder:
            if folder is not None:
                yield from self._walk(folder, "", self._closed({0}), 0)

    def _walk(self, folder: int, prefix: str, states: frozenset[int], depth: int) -> Iterator[_File]:
        for name, is_folder in self._listed(folder):
            reached = self._after(states, name)
            if is_folder and reached - {len(self._parts)} and depth < DEPTH_MAX:
                with _opened(name, os.O_DIRECTORY, folder) as inner:
                    if inner is not None:
                        yield from self._walk(inner, f"{prefix}{name}/", reached, depth + 1)
            elif not is_folder and len(self._parts) in reached:
                yield from self._file(folder, name, prefix)
            if self.stopped_by:
                return

    def _file(self, folder: int, name: str, prefix: str) -> Iterator[_File]:
        with _opened(name, os.O_NONBLOCK, folder) as descriptor:
            if descriptor is None or not stat.S_ISREG((status := os.fstat(descriptor)).st_mode):
                return
            self._files += 1
            if self._files > FILES_MAX:
                self.stopped_by = f"only the first {FILES_MAX} files that match are read"
                return
            yield _File(f"{prefix}{name}", descriptor, status)

    def _listed(self, folder: int) -> list[tuple[str, bool]]:
        """Return what is in a folder and is no link, sorted."""
        found: list[tuple[str, bool]] = []
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    self._entries += 1
                    if self._entries > ENTRIES_MAX:
                        self.stopped_by = f"only the first {ENTRIES_MAX} files are looked at"
                        break
                    if not entry.is_symlink():
                        found.append((entry.name, entry.is_dir(follow_symlinks=False)))
        except OSError:  # it is just being removed by what the command left behind
            return []
        return sorted(found)

    def _after(self, states: frozenset[int], name: str) -> frozenset[int]:
        """Return how much of the pattern is met, in each way there is, with one more name."""
        met: set[int] = set()
        for state in states - {len(self._parts)}:
            part = self._parts[state]
            if part is None:
                met.add(state)
            elif part.fullmatch(name):
                met.add(state + 1)
        return self._closed(met)

    def _closed(self, states: set[int]) -> frozenset[int]:
        """Add that `**` may stand for no folder at all."""
        closed = set(states)
        for state in range(len(self._parts)):
            if state in closed and self._parts[state] is None:
                closed.add(state + 1)
        return frozenset(closed)


@contextmanager
def _opened(place: Path | str, flags: int, folder: int | None = None) -> Iterator[int | None]:
    """Open what is there and is no link; None when that cannot be."""
    try:
        descriptor = os.open(place, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | flags, dir_fd=folder)
    except OSError:
        yield None
        return
    try:
        yield descriptor
    finally:
        os.close(descriptor)
