"""Prefect: a server and one runner of `flow.serve()`, a flow of five tasks that start the same processes.

It has no webhook, keeps no state between tasks that would outlive a crash, and looks for work in
intervals: what it gives stands in rows of its own.
"""

import json
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.parties.commits import new_commits
from benchmarks.parties.forge import Line, Push
from benchmarks.parties.held import Held
from benchmarks.parties.installed import environment
from benchmarks.parties.party import answering, counted, place
from benchmarks.parties.work import COMMIT, STEPS, Work
from benchmarks.suite import Bench
from tests.ports import free_port

POLL_SECONDS = 1  # the least that it can be set to
DEPLOYMENT = "/api/deployments/name/deploy/production"
NOTE = (
    f"prefect server and one runner of flow.serve(), which looks for work every {POLL_SECONDS} s, the least "
    "it can be set to (10 s without that); five tasks that each start the same shell line; called by its "
    "API, without a signature, again after a 503; SQLite in WAL mode, synchronous=NORMAL as it sets it; "
    "between two tasks nothing is written that a restart would go on from"
)
PROGRAM = """\
import os
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from prefect import flow, task

commands = {commands!r}


@task
def step(script, commit):
    subprocess.run(["/bin/sh", "-c", script], env={{**os.environ, {variable!r}: commit}}, check=True)


@flow(name="deploy")
def deploy(commit: str):
    for name, script in commands:
        step.with_options(name=name)(script, commit)


def begun():
    try:
        return urllib.request.urlopen("http://127.0.0.1:{port}/api/health").status == 200
    except OSError:
        return False


if __name__ == "__main__":
    prefect = Path(sys.executable).with_name("prefect")
    server = [prefect, "server", "start", "--host", "127.0.0.1", "--port", "{port}"]
    subprocess.Popen(server)
    while not begun():
        time.sleep(0.05)
    deploy.serve(name="production", limit=1)
"""
ENDED = "('COMPLETED', 'FAILED', 'CRASHED', 'CANCELLED')"
RUNS = f"SELECT count(*) FROM flow_run WHERE state_type IN {ENDED}"  # noqa: S608 - a constant
UNFINISHED = f"SELECT count(*) FROM flow_run WHERE state_type NOT IN {ENDED}"  # noqa: S608 - a constant
FINISHED_OF = f"{RUNS} AND json_extract(parameters, '$.commit') = ?"


@dataclass(frozen=True, slots=True)
class Call:
    """How a run of the flow is asked for; in place of a webhook."""

    port: int
    deployment: str = ""

    def push(self, commit: str, _before: str) -> Push:
        """Return the request for a run with this commit."""
        body = json.dumps({"parameters": {"commit": commit}}).encode()
        head = (
            f"POST /api/deployments/{self.deployment}/create_flow_run HTTP/1.1\r\n"
            f"Host: 127.0.0.1:{self.port}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        return Push(commit, head.encode() + body)


@dataclass
class Prefect:
    """One server and one runner on one folder."""

    folder: Path
    work: Work
    programs: Path  # the folder of its own environment
    name: str = "Prefect"
    note: str = NOTE
    may_refuse: bool = True
    port: int = field(default_factory=free_port)

    def __post_init__(self) -> None:
        program = self.folder / "flow.py"
        program.write_text(flow(self.work, self.port), "utf-8")
        self.held = Held(self.folder, [str(self.programs / "python"), str(program)], self._environ)
        self.commits = new_commits(self.folder / "shop", {})
        self.hook = Call(self.port)

    async def start(self) -> float:
        """Start both; return the seconds until the deployment of the flow is known."""
        await self.held.start()
        ready = await answering(self.held, self.port, DEPLOYMENT)
        async with Line(self.port) as line:
            _, body = await line.asked(
                f"GET {DEPLOYMENT} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n\r\n".encode()
            )
        self.hook = Call(self.port, json.loads(body)["id"])
        return ready

    def rests_after(self, commit: str) -> bool:
        """Tell whether the commit's flow run has ended, and nothing else waits or runs."""
        return self._number(FINISHED_OF, commit) > 0 and self._number(UNFINISHED) == 0

    def runs(self) -> int:
        """Return how many flow runs have ended so far."""
        return self._number(RUNS)

    def _number(self, query: str, *values: str) -> int:
        return counted(self.folder / "prefect.db", query, *values)

    @property
    def _environ(self) -> Mapping[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "PREFECT_HOME": str(self.folder),
            "PREFECT_API_URL": f"http://127.0.0.1:{self.port}/api",
            "PREFECT_RUNNER_POLL_FREQUENCY": str(POLL_SECONDS),
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "DO_NOT_TRACK": "1",
        }


def flow(work: Work, port: int) -> str:
    """Return the program that serves the flow, and starts the server before that."""
    commands = [(step, work.script(step)) for step in STEPS]
    return PROGRAM.format(commands=commands, variable=COMMIT, port=port)


@asynccontextmanager
async def prefect(bench: Bench, work: Work) -> AsyncIterator[Prefect]:
    """Run one for as long as this is entered."""
    programs = await environment(bench, "prefect")
    bench.tell("Prefect: starting")
    party = Prefect(place(bench, "Prefect"), work, programs)
    try:
        await party.start()
        yield party
    finally:
        await party.held.end()
