"""A folder of this machine as a scan sees it: what git would take in, or else whatever lies there.

Links are never followed, in whatever part of a path; pipes and sockets are nothing at all.
"""

import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from services.cli.faults import CommandFault
from services.cli.git_program import Git
from shared.scan.tree import DEPTH_MAX, FILES_MAX
from shared.scan.view import is_looked_into

_READ = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY | os.O_NOFOLLOW
_ENTER = os.O_RDONLY | os.O_CLOEXEC | os.O_DIRECTORY | os.O_NOFOLLOW


@dataclass(frozen=True, slots=True)
class FolderTree:
    """One folder; `environment` is what git is run in."""

    root: Path
    environment: Mapping[str, str]

    def paths(self) -> Iterator[str]:
        """Yield every file's path; without git's help, not those in folders that are skipped anyway."""
        kept = self._git("--cached", "--others", "--exclude-standard")
        if not kept:
            yield from _walk(self.root, "", DEPTH_MAX)
            return
        gone = set(self._git("--deleted"))
        yield from (path for path in kept if path not in gone)

    def read(self, path: str, bytes_max: int) -> bytes | None:
        """Return the beginning of a regular file that no link leads to."""
        *folders, name = path.split("/")
        opened: list[int] = []
        try:
            opened.append(os.open(self.root, os.O_RDONLY | os.O_CLOEXEC | os.O_DIRECTORY))
            for folder in folders:
                opened.append(os.open(folder, _ENTER, dir_fd=opened[-1]))
            file = os.open(name, _READ, dir_fd=opened[-1])
            with os.fdopen(file, "rb") as source:
                return source.read(bytes_max) if stat.S_ISREG(os.fstat(file).st_mode) else None
        except (OSError, ValueError):  # a NUL in the name
            return None
        finally:
            for each in opened:
                os.close(each)

    def _git(self, *kinds: str) -> list[str]:
        """Return what git lists, each once; nothing where there is no git or no copy of it."""
        listed = b""
        with suppress(CommandFault):
            listed = Git(self.root, self.environment).run("ls-files", "-z", *kinds, may_fail=True) or b""
        return list(dict.fromkeys(os.fsdecode(name) for name in listed.split(b"\0") if name))


def _walk(root: Path, below: str, depth: int) -> Iterator[str]:
    """Yield the files under a folder, those near the root first."""
    folders = [below]
    for _ in range(depth + 1):
        deeper: list[str] = []
        for folder in folders:
            for entry in _entries(root / folder):
                path = f"{folder}/{entry.name}" if folder else entry.name
                if _is_folder(entry):
                    deeper += [path] if is_looked_into(entry.name) else []
                elif entry.is_file(follow_symlinks=False):
                    yield path
        folders = deeper[:FILES_MAX]


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as found:
            return sorted(found, key=lambda each: each.name)
    except OSError:
        return []  # gone meanwhile, or closed to us


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:
        return False
