"""Reading the API: what the acts and the board want to know of it."""

from dataclasses import dataclass
from typing import Any

import httpx

from deploy.demo.board import StageLine

ANSWER_SECONDS_MAX = 10.0
DIGEST_CHARACTERS = 19  # "sha256:" and twelve more


@dataclass(frozen=True, slots=True)
class Build:
    """A revision's request for an artifact, and what came of it."""

    answer: str  # "built" or "reused", when all goes well
    digest: str
    built_by: int  # the revision whose build made it
    seconds: float

    @property
    def shown(self) -> str:
        """Return as much of the digest as people read."""
        return f"{self.digest[:DIGEST_CHARACTERS]}…"


@dataclass(frozen=True, slots=True)
class Api:
    """The API of one Windlass."""

    http: httpx.AsyncClient  # with its base URL and token

    async def read(self, path: str) -> Any:
        """Return a document."""
        answer = await self.http.get(path, timeout=ANSWER_SECONDS_MAX)
        answer.raise_for_status()
        return answer.json()

    async def live_revision(self, pipeline: str, stage: str) -> int:
        """Return the revision that is in place in a stage; 0: none."""
        live = (await self.read(f"/pipelines/{pipeline}/stages/{stage}"))["live"]
        return int(live["revision"]) if live else 0

    async def running_revision(self, pipeline: str, stage: str) -> int:
        """Return the revision whose run holds a stage's lock; 0: none."""
        running = (await self.read(f"/pipelines/{pipeline}/stages/{stage}"))["running"]
        return int(running["revision"]) if running else 0

    async def holds(self, pipeline: str, stage: str) -> list[int]:
        """Return which revisions are kept out of a stage."""
        document = await self.read(f"/pipelines/{pipeline}/stages/{stage}")
        return [int(hold["revision"]) for hold in document["holds"]]

    async def superseded_by(self, pipeline: str, revision: int) -> dict[str, int]:
        """Return by stage which revision took the place of this one."""
        document = await self.read(f"/pipelines/{pipeline}/revisions/{revision}")
        return {run["stage"]: int(run["superseded_by_revision"]) for run in document["runs"]
                if run["state"] == "Superseded"}  # fmt: skip

    async def builds(self, pipeline: str, revision: int) -> list[Build]:
        """Return what a revision asked the builder for."""
        document = await self.read(f"/pipelines/{pipeline}/revisions/{revision}")
        return [
            Build(each["answer"], each["digest"], each["built_by"] or 0, each["duration_seconds"] or 0.0)
            for each in document["builds"]
        ]

    async def dead_letters(self) -> list[str]:
        """Return why messages inside Windlass could not be taken."""
        return [letter["reason"] for letter in (await self.read("/dead-letters"))["dead_letters"]]

    async def lines(self, pipeline: str) -> dict[tuple[str, str], StageLine]:
        """Return how a pipeline's stages stand."""
        document = await self.read(f"/pipelines/{pipeline}")
        return {(pipeline, stage["stage"]): _line(stage) for stage in document["now"]}


def _line(stage: dict[str, Any]) -> StageLine:
    return StageLine(
        status=stage["status"],
        live=stage["live"]["revision"] if stage["live"] else None,
        why=tuple(reason["text"] for reason in stage["why"]),
    )
