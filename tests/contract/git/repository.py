"""Real repositories for tests, made with git alone and never with the developer's own settings."""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from shared.ids import Commit

_ENVIRON = {
    "PATH": os.environ["PATH"],
    "LC_ALL": "C",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_AUTHOR_NAME": "Ada",
    "GIT_AUTHOR_EMAIL": "ada@example.test",
    "GIT_COMMITTER_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "ada@example.test",
    "GIT_COMMITTER_DATE": "2025-01-01T00:00:00Z",
    "GIT_AUTHOR_DATE": "2025-01-01T00:00:00Z",
}


@dataclass(frozen=True)
class WorkingCopy:
    """A repository as a developer has it."""

    folder: Path

    @property
    def remote(self) -> str:
        return str(self.folder)

    def git(self, *words: str, given: bytes = b"") -> str:
        ended = subprocess.run(
            ["git", *words], cwd=self.folder, env=_ENVIRON, input=given, capture_output=True, check=False
        )
        assert ended.returncode == 0, ended.stderr.decode()
        return ended.stdout.decode().strip()

    def commit(self, files: Mapping[str, bytes], title: str = "a change", branch: str = "main") -> Commit:
        """Commit exactly these files on top of the branch."""
        self.git("read-tree", "--empty")
        for path, data in files.items():
            self.stage("100644", data, path)
        return self.commit_staged(title, branch)

    def stage(self, mode: str, data: bytes, path: str) -> None:
        blob = self.git("hash-object", "-w", "--stdin", "--no-filters", given=data)
        self.git("update-index", "--add", "--cacheinfo", f"{mode},{blob},{path}")

    def commit_staged(self, title: str = "a change", branch: str = "main") -> Commit:
        tree = self.git("write-tree")
        known = self.git("for-each-ref", "--format=%(objectname)", f"refs/heads/{branch}")
        parents = ["-p", known] if known else []
        commit = self.git("commit-tree", "-m", title, *parents, tree)
        self.git("update-ref", f"refs/heads/{branch}", commit)
        return Commit(commit)

    def tag(self, name: str, commit: str, message: str = "") -> str:
        """Put a tag on a commit, with an object of its own if it has a message; return what it names."""
        words = ["-a", "-m", message] if message else []
        self.git("tag", "-f", *words, name, commit)
        return self.git("rev-parse", f"refs/tags/{name}")

    def move(self, branch: str, commit: str) -> None:
        self.git("update-ref", f"refs/heads/{branch}", commit)


def new_repository(folder: Path) -> WorkingCopy:
    folder.mkdir(parents=True)
    repository = WorkingCopy(folder)
    repository.git("init", "-q", "-b", "main")
    return repository
