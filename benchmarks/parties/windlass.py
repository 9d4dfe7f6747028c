"""Windlass itself: a real `windlass up` on a folder of its own, a real repository, signed pushes."""

import json
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.parties.commits import new_commits
from benchmarks.parties.forge import NAME, Hook
from benchmarks.parties.held import Held
from benchmarks.parties.party import answering, counted, place
from benchmarks.parties.ran import ran
from benchmarks.parties.work import STEPS, Work
from benchmarks.suite import Bench
from tests.ports import free_port

PROGRAM = Path(sys.executable).with_name("windlass")
PIPELINE_PATH = ".windlass/shop/pipeline.yaml"
NOTE = (
    "windlass up, all services in one process; one stage, so one run at a time; five SCRIPT:EXECUTE steps; "
    "each commit is fetched from a local git repository and its pipeline file read and planned; "
    "SQLite in WAL mode, synchronous=FULL, and an fsync of each push before its answer"
)
# fmt: off
RUNS = "SELECT count(*) FROM runs WHERE state IN ('Succeeded', 'Failed', 'Timed Out')"
UNFINISHED = "SELECT count(*) FROM runs WHERE finished_at IS NULL"
FINISHED_OF = (
    "SELECT count(*) FROM runs JOIN revisions USING (pipeline, revision) "
    'WHERE "commit" = ? AND finished_at IS NOT NULL'
)
# fmt: on


@dataclass
class Windlass:
    """One installation on one folder."""

    folder: Path
    work: Work
    name: str = "Windlass"
    note: str = NOTE
    may_refuse: bool = False
    port: int = field(default_factory=free_port)
    environ: Mapping[str, str] = field(default_factory=dict)  # settings beside the defaults

    def __post_init__(self) -> None:
        words = [str(PROGRAM), "up", "--data", str(self.data), "--port", str(self.port)]
        self.held = Held(self.folder / "home", words, self._environ)
        self.commits = new_commits(self.folder / "shop", {PIPELINE_PATH: pipeline(self.work)})
        self.hook = Hook(self.port, "", "")  # before it is registered

    @property
    def data(self) -> Path:
        """Return the data folder."""
        return self.folder / "home" / "data"

    async def start(self) -> float:
        """Start it; return the seconds until it is ready."""
        await self.held.start()
        return await answering(self.held, self.port, "/readyz")

    async def register(self) -> None:
        """Have the repository registered by the command line."""
        words = [str(PROGRAM), "repo", "add", self.commits.repository.remote, "--name", NAME]
        answer = json.loads(await ran([*words, "--json", "--data", str(self.data)], self._environ))
        where = urlsplit(answer["webhook_url"])
        self.hook = Hook(self.port, f"{where.path}?{where.query}", answer["secret"])

    def rests_after(self, commit: str) -> bool:
        """Tell whether the commit's deployment has ended, and nothing else waits or runs."""
        return self._number(FINISHED_OF, commit) > 0 and self._number(UNFINISHED) == 0

    def runs(self) -> int:
        """Return how many runs were begun and have ended so far; superseded ones were not begun."""
        return self._number(RUNS)

    def _number(self, query: str, *values: str) -> int:
        return counted(self.data / "windlass.db", query, *values)

    @property
    def _environ(self) -> Mapping[str, str]:
        return {"PATH": os.environ["PATH"], "HOME": str(self.folder / "home"), **self.environ}


def pipeline(work: Work) -> str:
    """Return the pipeline file: one stage, five steps."""
    steps = [
        {"name": step, "type": "SCRIPT:EXECUTE", "params": {"commands": work.script(step)}} for step in STEPS
    ]
    return json.dumps({"version": "1", "pipeline": {"stages": [{"name": "production"}], "steps": steps}})


@asynccontextmanager
async def windlass(bench: Bench, work: Work) -> AsyncIterator[Windlass]:
    """Run one for as long as this is entered."""
    bench.tell("Windlass: starting")
    party = Windlass(place(bench, "Windlass"), work)
    try:
        await party.start()
        await party.register()
        yield party
    finally:
        await party.held.end()
