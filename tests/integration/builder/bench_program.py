"""A program that carries out one build and may be killed at a crash point on its way."""

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from services.builder.adapters.workspace import Bench
from services.builder.build_run import BuildLimits, BuildOrder, Built
from shared import crash
from shared.artifacts import LocalArtifactStore
from shared.clock import SystemClock
from shared.events import LogLine
from shared.git.fakes import FakeMirrors, FakeRepository
from shared.ids import BuildKey, Pipeline
from shared.plan import ArtifactPlan
from shared.process import LocalProcesses

REMOTE = "/repositories/shop"
REPOSITORY = FakeRepository()
COMMIT = REPOSITORY.commit({"in": b"boats"})
COMMANDS = (
    'echo once >> "$HOME/../../../effects"',
    "echo building",
    "sleep 0.05",
    "mkdir dist && cp in dist/out",
)


@dataclass(frozen=True)
class FileBuildLog:
    """Keeps lines in a file, which outlives whoever writes them."""

    file: Path

    async def next_line(self) -> int:
        return len(self.file.read_text().splitlines()) if self.file.exists() else 0

    async def append(self, first_line: int, lines: Sequence[LogLine]) -> None:
        assert first_line == await self.next_line()
        with self.file.open("a") as file:
            file.writelines(f"{line.text}\n" for line in lines)


def order(*commands: str, path: str = "dist", timeout_seconds: float = 300.0) -> BuildOrder:
    """Return an order for a bundle called web."""
    recipe = ArtifactPlan(
        id="web",
        name="Web",
        build_key=BuildKey("b" * 64),
        commands=commands,
        path=path,
        timeout_seconds=timeout_seconds,
    )
    return BuildOrder(1, Pipeline("shop"), 7, REMOTE, COMMIT, recipe)


def bench(root: Path, limits: BuildLimits | None = None) -> Bench:
    """Return a bench on real processes and a real store, with a repository of one file."""
    return Bench(
        root=root / "workspaces",
        source=FakeMirrors({REMOTE: REPOSITORY}),
        processes=LocalProcesses(),
        store=LocalArtifactStore(root / "store"),
        clock=SystemClock(),
        limits=limits or BuildLimits(grace_seconds=0.2),
    )


async def one_life(root: Path) -> None:
    """Do what a worker does: tidy, build, keep the answer and the log safe, clear."""
    own = bench(root)
    asked = order(*COMMANDS)
    await own.store.tidy()
    if not (root / "answer").exists():
        answer = await own.build(asked, FileBuildLog(root / "log"))
        assert isinstance(answer, Built), answer
        crash.point("worker.answer.given")
        (root / "answer").write_text(answer.digest)
        crash.point("worker.answer.kept")
    await own.clear(asked)
    crash.point("worker.answer.cleared")


if __name__ == "__main__":
    folder, crash_at, trace = sys.argv[1:]
    crash.arm(crash_at, trace)
    asyncio.run(one_life(Path(folder)))
