"""Real commits, each on top of the one before: what pushes are about."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.contract.git.repository import WorkingCopy, new_repository

NOBODY = "0" * 40  # what a branch's first push came from
COMMITTER = "Ada <ada@example.test> 1735689600 +0000"


@dataclass
class Commits:
    """A repository with one branch, `main`, and files that no commit but the first changes."""

    repository: WorkingCopy
    files: Mapping[str, str]
    newest: str = NOBODY
    _changes: int = 0

    def made(self, number: int) -> list[str]:
        """Make so many commits; return them, the oldest first."""
        stream = "".join(self._one(each) for each in range(number))
        self.repository.git("fast-import", "--quiet", given=stream.encode())
        newest_first = self.repository.git("rev-list", f"--max-count={number}", "refs/heads/main").split()
        self.newest = newest_first[0]
        return newest_first[::-1]

    def _one(self, place: int) -> str:
        self._changes += 1
        files = {**self.files, "note": f"{self._changes}\n"}
        on_top = "" if place or self.newest == NOBODY else f"from {self.newest}\n"
        contents = "".join(f"M 100644 inline {path}\n{_data(text)}" for path, text in files.items())
        return f"commit refs/heads/main\ncommitter {COMMITTER}\n{_data('A change')}{on_top}{contents}\n"


def _data(text: str) -> str:
    return f"data {len(text.encode())}\n{text}\n"


def new_commits(folder: Path, files: Mapping[str, str]) -> Commits:
    """Make the repository."""
    return Commits(new_repository(folder), files)
