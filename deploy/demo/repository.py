"""The sample applications' git repositories: a developer's clone, and the origin it pushes to."""

import asyncio
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

APPS = Path(__file__).parent / "apps"
BRANCH = "main"
AUTHOR = "Ada Lockkeeper"
EMAIL = "ada@windlass.example"
NOTHING = "0" * 40  # what a branch was before its first push
GIT_SECONDS_MAX = 30.0


class GitFailed(Exception):  # noqa: N818 - named for what is the case
    """A git command of the demo did not do what it is for."""


@dataclass(frozen=True, slots=True)
class Pushed:
    """A branch of an origin has moved."""

    before: str
    after: str
    title: str
    files: tuple[str, ...]


@dataclass(slots=True)
class Repository:
    """One application: what a developer has, and the bare repository that is the forge's."""

    name: str
    clone: Path
    origin: Path
    tip: str = NOTHING
    history: list[Pushed] = field(default_factory=list)

    async def create(self, adjusted: Mapping[str, str]) -> None:
        """Copy the sample, texts of its pipeline file replaced by those that are to stand here."""
        self.origin.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(APPS / self.name, self.clone, ignore=shutil.ignore_patterns("__pycache__", "dist"))
        await self._git("init", "--quiet", f"--initial-branch={BRANCH}", str(self.clone))
        await self._git("init", "--quiet", "--bare", f"--initial-branch={BRANCH}", str(self.origin))
        await self._git("remote", "add", "origin", str(self.origin))
        file = self.clone / ".windlass" / self.name / "pipeline.yaml"
        text = file.read_text("utf-8")
        for old, new in adjusted.items():
            assert old in text, f"{old!r} stands in {file}"
            text = text.replace(old, new)
        file.write_text(text, "utf-8")

    async def push(self, title: str, changes: Mapping[str, str]) -> Pushed:
        """Write the files, commit, and push to the origin."""
        for path, content in changes.items():
            file = self.clone / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content, "utf-8")
        await self._git("add", "--all")
        await self._git("commit", "--quiet", f"--message={title}")
        await self._git("push", "--quiet", "origin", BRANCH)
        tip = (await self._git("rev-parse", "HEAD")).strip()
        pushed = Pushed(self.tip, tip, title, tuple(changes))
        self.tip = tip
        self.history.append(pushed)
        return pushed

    def read(self, path: str) -> str:
        """Return a file as the developer has it."""
        return (self.clone / path).read_text("utf-8")

    async def _git(self, *words: str) -> str:
        process = await asyncio.create_subprocess_exec(
            "git",
            *words,
            cwd=self.clone,
            env=_environment(self.clone.parent),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        async with asyncio.timeout(GIT_SECONDS_MAX):
            output, _ = await process.communicate()
        said = output.decode("utf-8", "replace")
        if process.returncode:
            raise GitFailed(f"git {words[0]} in {self.clone} ended with {process.returncode}: {said.strip()}")
        return said


def _environment(home: Path) -> dict[str, str]:
    """Return an environment in which nobody's own git configuration counts."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_AUTHOR_NAME": AUTHOR,
        "GIT_AUTHOR_EMAIL": EMAIL,
        "GIT_COMMITTER_NAME": AUTHOR,
        "GIT_COMMITTER_EMAIL": EMAIL,
    }
