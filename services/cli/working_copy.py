"""A repository as it lies on this machine: its root, its pipeline files and what is in them.

Asks no git, and sees what git would see: a link is a link, whatever it leads to, and a pipe or a socket is
nothing at all. Never waits, and reads no more than it is told to.

Values here and in `report` are named tuples: they are there in a sixth of the time that a frozen dataclass
takes, and `windlass validate` has no time to give away.
"""

import os
import stat
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from shared.language.discovery import FILE, FOLDERS
from shared.tree import Entry, Kind

ENTRIES_MAX = 10_000  # that are looked at: the data folder of a Windlass may have the same name
_NO_ID = "0" * 40  # ids are git's, and nobody asks it


class Tree(Mapping[str, Entry | None]):
    """What stands at a path of the repository, `/app`; None: nothing. Looked at when it is asked for."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def __getitem__(self, path: str) -> Entry | None:
        """Return what git would find there: nothing behind a link."""
        place = self._root
        parts = [part for part in path.split("/") if part]
        try:
            for part in parts:
                if not stat.S_ISDIR(place.lstat().st_mode):
                    return None
                place /= part
            kind = _kind(place)
        except (OSError, ValueError):
            return None
        return Entry("/".join(parts), kind, _NO_ID) if kind else None

    def __iter__(self) -> Iterator[str]:
        """Yield nothing: it only answers."""
        return iter(())

    def __len__(self) -> int:
        """Return 0: it only answers."""
        return 0


class Unreadable(Exception):  # noqa: N818 - an answer
    """What was to be read cannot be; says why."""


class Listing(NamedTuple):
    """What is in a folder, two levels deep, and what could not be listed."""

    entries: tuple[Entry, ...]
    problems: tuple[tuple[str, str], ...]  # a path in the folder, or "" for itself, and what is wrong


def root_around(folder: Path) -> Path | None:
    """Return the root of the repository that a folder lies in; without git's, where pipelines lie."""
    around = (folder, *folder.parents)
    marked = (each for each in around if os.path.lexists(each / ".git"))
    return next(marked, None) or next((each for each in around if has_pipelines(each)), None)


def listing(folder: Path) -> Listing | None:
    """Return what is in a folder of pipelines; None if it does not exist."""
    try:
        mode = folder.lstat().st_mode
    except OSError:
        return None
    if not stat.S_ISDIR(mode):
        return Listing((), (("", _no_folder(mode)),))
    entries: list[Entry] = []
    problems: list[tuple[str, str]] = []
    for entry in _below(folder, "", problems):
        entries.append(entry)
        if entry.kind == "folder":
            entries.extend(_below(folder, f"{entry.path}/", problems))
        if len(entries) > ENTRIES_MAX:
            problems.append(("", f"there are more than {ENTRIES_MAX} files in it: the rest is not looked at"))
            break
        if entry.kind == "link" and (folder / entry.path).is_dir():
            problems.append((entry.path, _no_folder(stat.S_IFLNK)))
    return Listing(tuple(entries), tuple(problems))


def read(file: Path, bytes_max: int, *, follow: bool) -> bytes:
    """Return the beginning of a file; of a larger one, one byte more than `bytes_max`."""
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY | (0 if follow else os.O_NOFOLLOW)
    try:
        opened = os.open(file, flags)
        with os.fdopen(opened, "rb") as source:
            if not stat.S_ISREG(os.fstat(opened).st_mode):
                raise Unreadable("this is not a file")
            return source.read(bytes_max + 1)
    except OSError as error:
        raise Unreadable(f"the file cannot be read: {error.strerror}") from None


def _below(folder: Path, within: str, problems: list[tuple[str, str]]) -> Iterator[Entry]:
    try:
        with os.scandir(folder / within) as found:
            names = sorted(islice(found, ENTRIES_MAX + 1), key=lambda each: each.name)
    except OSError as error:
        problems.append((within.rstrip("/"), f"the folder cannot be read: {error.strerror}"))
        return
    for each in names:
        try:
            kind = _kind(Path(each.path))
        except OSError:
            continue  # gone meanwhile
        if kind:
            yield Entry(f"{within}{each.name}", kind, _NO_ID)


def _kind(place: Path) -> Kind | None:
    """Return what git would see; None for what it does not keep."""
    mode = place.lstat().st_mode
    if stat.S_ISDIR(mode):
        return "submodule" if (place / ".git").is_file() else "folder"
    if stat.S_ISLNK(mode):
        return "link"
    return "file" if stat.S_ISREG(mode) else None


def _no_folder(mode: int) -> str:
    what = "a link" if stat.S_ISLNK(mode) else "a file"
    return f"this is {what}, not a folder: a push finds no pipelines behind it"


def has_pipelines(folder: Path) -> bool:
    """Tell whether a pipeline lies there, or what a push would take for one."""
    listings = (listing(folder / name) for name in FOLDERS.values())
    return any(entry.path.endswith(f"/{FILE}") for found in listings if found for entry in found.entries)
