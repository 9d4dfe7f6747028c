"""Working copies as developers have them, made with git alone and without anybody's settings."""

import json
import os
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.integration.cli.conftest import Ended

FILE = ".windlass/shop/pipeline.yaml"
SMALL = """\
version: "1"
pipeline:
  artifacts:
    Site: {id: site, type: BUNDLE:BUILD, rebuild_when_changed: [/site], params: {build_commands: make,
      file_path: /dist}}
  stages: [{name: live}]
  steps: [{name: Show, type: LOCAL:STATIC:DEPLOY, params: {artifact: site, port: 8080}}]
"""

Windlass = Callable[..., Ended]  # `windlass plan` with these words

ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "LC_ALL": "C",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    **{
        f"GIT_{who}_{what}": "ada@example.test"
        for who in ("AUTHOR", "COMMITTER")
        for what in ("NAME", "EMAIL")
    },
    "GIT_AUTHOR_DATE": "2025-01-01T00:00:00Z",
    "GIT_COMMITTER_DATE": "2025-01-01T00:00:00Z",
}


@dataclass(frozen=True)
class Copy:
    """A developer's working copy."""

    folder: Path

    def git(self, *words: str) -> str:
        ended = subprocess.run(
            ["git", *words], cwd=self.folder, env=ENVIRONMENT, capture_output=True, check=False
        )
        assert ended.returncode == 0, ended.stderr.decode()
        return ended.stdout.decode().strip()

    def write(self, files: Mapping[str, str]) -> None:
        for path, text in files.items():
            (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / path).write_text(text)

    def commit(self, files: Mapping[str, str]) -> str:
        self.write(files)
        self.git("add", "--all")
        self.git("commit", "-q", "-m", "a change", "--allow-empty")
        return self.git("rev-parse", "HEAD")

    def contents(self) -> dict[str, tuple[bytes, int]]:
        """Return every file there is, git's own included, and when it was written.

        Git renews the time of an object that it meets again; what is in it never changes.
        """
        files = [path for path in self.folder.rglob("*") if path.is_file()]
        return {
            str(path): (path.read_bytes(), 0 if "objects" in path.parts else path.stat().st_mtime_ns)
            for path in files
        }


def new_copy(folder: Path) -> Copy:
    folder.mkdir()
    copy = Copy(folder)
    copy.git("init", "-q", "-b", "main")
    return copy


def document(ended: Ended, code: int = 0) -> dict[str, Any]:
    assert ended.code == code, ended.err
    found = json.loads(ended.out)
    assert isinstance(found, dict)
    return found


def only(ended: Ended, code: int = 0) -> dict[str, Any]:
    (pipeline,) = document(ended, code)["pipelines"]
    assert isinstance(pipeline, dict)
    return pipeline
