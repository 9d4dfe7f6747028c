"""Buildbot: a master with one in-process worker, its GitHub hook, five shell commands under a lock."""

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.parties.commits import new_commits
from benchmarks.parties.forge import Hook
from benchmarks.parties.held import Held
from benchmarks.parties.installed import environment
from benchmarks.parties.party import answering, counted, place
from benchmarks.parties.ran import ran
from benchmarks.parties.work import COMMIT, STEPS, Work
from benchmarks.suite import Bench
from tests.ports import free_port

SECRET = "the secret of this measurement"  # noqa: S105 - it protects nothing
NOTE = (
    "one master, one LocalWorker with one slot, exclusive MasterLock, five ShellCommands that do not check "
    "out source, GitHub hook dialect in strict mode, no tree-stable timer; SQLite in WAL mode as it sets it, "
    "synchronous=FULL by SQLite's default"
)
CONFIGURATION = """\
from buildbot.plugins import schedulers, steps, util, worker

lock = util.MasterLock("production")
commands = {commands!r}
factory = util.BuildFactory([
    steps.ShellCommand(
        name=name, command=["/bin/sh", "-c", script], env={{{variable!r}: util.Property("revision")}},
        haltOnFailure=True, logEnviron=False,
    )
    for name, script in commands
])
c = BuildmasterConfig = {{
    "title": "bench",
    "titleURL": "http://127.0.0.1:{port}/",
    "buildbotURL": "http://127.0.0.1:{port}/",
    "buildbotNetUsageData": None,
    "db": {{"db_url": "sqlite:///state.sqlite"}},
    "protocols": {{"pb": {{"port": "tcp:0:interface=127.0.0.1"}}}},  # it insists, for workers elsewhere
    "workers": [worker.LocalWorker("local", max_builds=1)],
    "builders": [
        util.BuilderConfig(
            name="production", workernames=["local"], factory=factory, locks=[lock.access("exclusive")]
        )
    ],
    "schedulers": [
        schedulers.SingleBranchScheduler(
            name="main", change_filter=util.ChangeFilter(branch="main"), treeStableTimer=None,
            builderNames=["production"],
        )
    ],
    "www": {{
        "port": "tcp:{port}:interface=127.0.0.1",
        "plugins": {{}},
        "change_hook_dialects": {{"github": {{"secret": {secret!r}, "strict": True}}}},
    }},
}}
"""
RUNS = "SELECT count(*) FROM builds WHERE complete_at IS NOT NULL"
UNFINISHED = (
    "SELECT (SELECT count(*) FROM buildrequests WHERE complete = 0)"
    " + (SELECT count(*) FROM builds WHERE complete_at IS NULL)"
)
FINISHED_OF = (
    "SELECT count(*) FROM buildrequests AS request"
    " JOIN buildset_sourcestamps AS stamped ON stamped.buildsetid = request.buildsetid"
    " JOIN sourcestamps AS stamp ON stamp.id = stamped.sourcestampid"
    " WHERE stamp.revision = ? AND request.complete = 1"
)


@dataclass
class Buildbot:
    """One master on one folder."""

    folder: Path
    work: Work
    programs: Path  # the folder of its own environment
    name: str = "Buildbot"
    note: str = NOTE
    may_refuse: bool = False
    port: int = field(default_factory=free_port)

    def __post_init__(self) -> None:
        words = [str(self.programs / "buildbot"), "start", "--nodaemon", str(self.master)]
        self.held = Held(self.master, words, self._environ, log_name="twistd.log")  # where it writes itself
        self.hook = Hook(self.port, "/change_hook/github", SECRET)
        self.commits = new_commits(self.folder / "shop", {})

    @property
    def master(self) -> Path:
        """Return the master's folder."""
        return self.folder / "master"

    async def create(self) -> None:
        """Make the master."""
        await ran((str(self.programs / "buildbot"), "create-master", str(self.master)), self._environ)
        (self.master / "master.cfg").write_text(configuration(self.work, self.port), "utf-8")

    async def start(self) -> float:
        """Start it; return the seconds until its API answers."""
        await self.held.start()
        return await answering(self.held, self.port, "/api/v2")

    def rests_after(self, commit: str) -> bool:
        """Tell whether the commit's build has ended or was collapsed, and nothing else waits or runs."""
        return self._number(FINISHED_OF, commit) > 0 and self._number(UNFINISHED) == 0

    def runs(self) -> int:
        """Return how many builds have ended so far; collapsed requests are none."""
        return self._number(RUNS)

    def _number(self, query: str, *values: str) -> int:
        return counted(self.master / "state.sqlite", query, *values)

    @property
    def _environ(self) -> Mapping[str, str]:
        return {"PATH": f"{self.programs}:{os.environ['PATH']}", "HOME": str(self.folder)}


def configuration(work: Work, port: int) -> str:
    """Return the master's configuration."""
    commands = [(step, work.script(step)) for step in STEPS]
    return CONFIGURATION.format(commands=commands, variable=COMMIT, port=port, secret=SECRET)


@asynccontextmanager
async def buildbot(bench: Bench, work: Work) -> AsyncIterator[Buildbot]:
    """Run one for as long as this is entered."""
    programs = await environment(bench, "buildbot")
    bench.tell("Buildbot: starting")
    party = Buildbot(place(bench, "Buildbot"), work, programs)
    try:
        await party.create()
        await party.start()
        yield party
    finally:
        await party.held.end()
