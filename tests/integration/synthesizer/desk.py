"""A synthesizer at work, and a repository to push to."""

from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import sqlalchemy as sa

from services.synthesizer import tables
from services.synthesizer.app import build
from services.synthesizer.settings import SynthesizerSettings
from shared.events import (
    Event,
    PlanRejected,
    PushReceived,
    PushRefused,
    RevisionPlanned,
    RevisionSkipped,
)
from shared.ids import Commit, Repository
from tests.contract.git.repository import WorkingCopy, new_repository
from tests.integration.scene import Scene

ROOT = UUID(int=11)
PIPELINE = b"""\
version: "1"
pipeline:
  stages:
    - name: staging
  artifacts:
    Web:
      type: BUNDLE:BUILD
      rebuild_when_changed: [/src]
      params: {build_commands: make, file_path: /dist}
  steps:
    - name: Say
      type: SCRIPT:EXECUTE
      params: {commands: [echo hello]}
"""


class Desk:
    """A synthesizer at work and a repository to push to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.repository: WorkingCopy = new_repository(folder / "shop")
        settings = SynthesizerSettings(data=folder / "data")
        self.scene = Scene(folder, lambda database: build(database, settings))

    def commit(self, pipeline: bytes = PIPELINE, branch: str = "main", **files: str) -> Commit:
        tree = {name.replace("__", "/"): text.encode() for name, text in files.items()}
        path = ".windlass/shop/pipeline.yaml"
        return self.repository.commit({path: pipeline, "src/app": b"1", **tree}, branch=branch)

    async def tag(self, name: str, commit: str, message: str = "") -> UUID:
        """Tag a commit and push that, as a forge tells of it."""
        named = Commit(self.repository.tag(name, commit, message))
        return await self.push(named, "", tag=name)

    async def push(self, commit: Commit | None, branch: str = "main", **changes: Any) -> UUID:
        push = uuid5(ROOT, f"{commit} {branch} {len(self.scene.said)} {changes}")
        body: dict[str, Any] = {
            "push": push,
            "repository": Repository("acme/shop"),
            "remote": self.repository.remote,
            "branch": branch,
            "commit": commit,
            "trigger": "push",
            "received_at": self.scene.database.clock.now(),
            **changes,
        }
        await self.scene.say(PushReceived(**body))
        return push

    async def marks(self) -> list[tuple[str, str]]:
        """Return how far each branch and tag has come."""
        async with self.scene.database.reading() as reading:
            rows = await reading.execute(sa.select(tables.marks.c.ref, tables.marks.c.commit))
            return sorted((row.ref, row.commit) for row in rows)

    async def answers(self, push: UUID, count: int) -> list[Any]:
        """Wait for what the push led to."""
        kinds = (RevisionPlanned, RevisionSkipped, PlanRejected, PushRefused)
        return await self.scene.hear(
            Event, lambda event: isinstance(event, kinds) and event.push == push, count
        )

    async def answer(self, push: UUID) -> Any:
        return (await self.answers(push, 1))[0]
