"""Repositories of many pipelines: made, registered, changed and pushed, as a forge tells of it."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from benchmarks.load.pipelines import NOTHING, Note, manifest, noting, read_notes
from benchmarks.parties.forge import Hook, Line
from shared.ids import Commit
from shared.language.discovery import PIPELINES_MAX
from tests.contract.git.repository import WorkingCopy, new_repository

OWNER = "acme"
STEPS = 5
NO_COMMIT = "0" * 40


@dataclass
class Source:
    """A repository and its pipelines."""

    name: str
    copy: WorkingCopy
    files: Mapping[str, str]  # pipeline files by their place
    hook: Hook | None = None
    commits: list[Commit] = field(default_factory=list)

    async def register(self, operator: httpx.AsyncClient) -> None:
        """Have Windlass know it."""
        asked = {"remote": self.copy.remote, "name": f"{OWNER}/{self.name}"}
        answer = await operator.post("/api/v1/repositories", json=asked)
        answer.raise_for_status()
        told = answer.json()
        url = urlsplit(told["webhook_url"])
        self.hook = Hook(url.port or 0, f"{url.path}?{url.query}", told["secret"])

    def commit(self) -> Commit:
        """Make the next commit: the pipeline files stay, a note changes."""
        number = len(self.commits) + 1
        files = {path: text.encode() for path, text in self.files.items()}
        self.commits.append(self.copy.commit({**files, "note": str(number).encode()}))
        return self.commits[-1]

    async def push(self, commit: Commit) -> float:
        """Tell of a commit; return the seconds until it was accepted, the connection not counted."""
        assert self.hook is not None, "it is registered"
        push = self.hook.push(commit, NO_COMMIT)
        async with Line(self.hook.port) as line:
            began = time.perf_counter()
            await line.deliver(push)
            return time.perf_counter() - began


@dataclass
class Crowd:
    """Pipelines that are set going together."""

    sources: Sequence[Source]
    notes_folder: Path  # where each pipeline's steps note their times, if they do

    @property
    def pipelines(self) -> int:
        """Return how many there are."""
        return sum(len(source.files) for source in self.sources)

    @property
    def revision(self) -> int:
        """Return the number that the last commit has in every pipeline."""
        return len(self.sources[0].commits)

    async def register(self, operator: httpx.AsyncClient) -> None:
        """Have Windlass know all repositories."""
        for source in self.sources:
            await source.register(operator)

    def commit(self) -> Sequence[Commit]:
        """Make the next commit everywhere."""
        return [source.commit() for source in self.sources]

    async def push(self, commits: Sequence[Commit]) -> list[float]:
        """Tell of all at once; return the seconds until each was accepted."""
        pushes = (source.push(commit) for source, commit in zip(self.sources, commits, strict=True))
        return list(await asyncio.gather(*pushes))

    def notes(self) -> list[list[Note]]:
        """Return what the steps have noted, by pipeline."""
        return [read_notes(file.read_text("ascii")) for file in self.notes_folder.iterdir()]


def new_crowd(
    folder: Path, name: str, pipelines: int, *, steps: int = STEPS, notes: bool = True, tracks: str = "main"
) -> Crowd:
    """Make the repositories, each with as many pipelines as it may have; nothing is committed."""
    noted = folder / f"{name}-notes"
    noted.mkdir(parents=True)
    files = {}
    for number in range(pipelines):
        slug = f"{name}-{number:04}"
        command = noting(noted / slug) if notes else NOTHING
        files[f".windlass/{slug}/pipeline.yaml"] = manifest(steps, command, tracks)
    places = list(files)
    sources = [
        Source(
            f"{name}-{start // PIPELINES_MAX}",
            new_repository(folder / "repositories" / f"{name}-{start // PIPELINES_MAX}"),
            {place: files[place] for place in places[start : start + PIPELINES_MAX]},
        )
        for start in range(0, pipelines, PIPELINES_MAX)
    ]
    return Crowd(sources, noted)
