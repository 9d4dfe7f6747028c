"""Every list and status query over HTTP, at 10^3 to 10^6 stored deployments, against a real `windlass up`."""

import http.client
import json
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.budgets import WINDLASS
from benchmarks.figures import Series, in_milliseconds
from benchmarks.recorded import FAILS, REVISIONS, record
from benchmarks.stored import PIPELINES, POSITIONS, Past, Ten, past, rolling, write
from benchmarks.suite import Bench, Effort
from tests.e2e.program import Program
from tests.ports import free_port

SIZES = (1_000, 10_000, 100_000, 1_000_000)  # deployments: runs
SIZES_IN_BRIEF = (1_000, 10_000)
TIMES = 200  # each query
TIMES_IN_BRIEF = 20
WARMING = 20
ALONG = "stored deployments"
UNCHANGED = 304
WHICH = 7  # of the pipelines is asked about
LIST, STATUS = "list query", "status query"


@dataclass(frozen=True, slots=True)
class Question:
    """A query, and what it is called in the table."""

    name: str
    path: str  # with the names of what is asked about in braces, until that is known
    subject: str = STATUS
    headers: tuple[tuple[str, str], ...] = ()
    expects: int = 200


QUESTIONS: Sequence[Question] = (  # what stands in braces is found out from what is stored
    Question("pipelines", "/api/v1/pipelines", LIST),
    Question("pipeline", "{pipeline}"),
    Question("pipeline, unchanged", "{pipeline}", expects=UNCHANGED),
    Question("stage", "{stage}"),
    Question("stage's health", "{stage}/health"),
    Question("runs, newest", "{stage}/runs", LIST),
    Question("runs, 200 a page", "{stage}/runs?limit=200", LIST),
    Question("runs, further on", "{stage}/runs?cursor={old}", LIST),
    Question("run, newest", "/api/v1/runs/{newest}"),
    Question("run that failed", "/api/v1/runs/{failed}"),
    Question("operations", "{stage}/operations", LIST),
    Question("revisions, newest", "{pipeline}/revisions", LIST),
    Question("revisions of a commit", "{pipeline}/revisions?commit={commit}", LIST),
    Question("revision", "{pipeline}/revisions/{revision}"),
    Question("commit, shortened", "{pipeline}/commits/{short}"),
    Question("output of a revision", "{pipeline}/revisions/{revision}/logs"),
    Question("output of a stage", "{pipeline}/revisions/{revision}/logs?stage=canary"),
    Question("output of a step", "/api/v1/logs/{log}"),
    Question("audit trail", "{pipeline}/history", LIST),
    Question("audit trail of a stage", "{pipeline}/history?stage=production", LIST),
    Question("events, oldest", "/api/v1/events", LIST),
    Question("events of a pipeline", "/api/v1/events?pipeline={name}", LIST),
    Question(
        "events of a stage, one type",
        "/api/v1/events?pipeline={name}&stage=production&type=windlass.run.failed.v1",
        LIST,
    ),
    Question("events of a revision", "/api/v1/events?pipeline={name}&revision={revision}", LIST),
    Question("pushes, newest", "/api/v1/pushes?repository=acme/shop", LIST),
    Question("push", "/api/v1/pushes/{push}"),
    Question("dead letters", "/api/v1/dead-letters", LIST),
)
SUBJECTS: tuple[str, ...] = (LIST, STATUS, *(each.name for each in QUESTIONS))


class Asking:
    """A connection that stays open, as a browser's does; little else than the time on the way."""

    def __init__(self, program: Program) -> None:
        known = json.loads((program.data / "client.json").read_bytes())
        self._headers = {"Authorization": f"Bearer {known['token']}", "Accept": "application/json"}
        self._port = program.port
        self._connection = self._connect()

    def _connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)

    def ask(self, question: Question) -> tuple[float, http.client.HTTPResponse, bytes]:
        """Return how long it took until the whole answer was here, and the answer."""
        begun = time.perf_counter()
        self._connection.request("GET", question.path, headers=self._headers | dict(question.headers))
        answer = self._connection.getresponse()
        body = answer.read()
        took = time.perf_counter() - begun
        assert answer.status == question.expects, f"{question.path}: {answer.status} {body[:300]!r}"
        return took, answer, body

    def told(self, path: str) -> Any:
        """Return an answer's document."""
        return json.loads(self.ask(Question("", path))[2])

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def questions(asking: Asking, tens: int) -> list[Question]:
    """Return what is asked: about what is new and about what is old."""
    ten = Ten(tens // 2 // PIPELINES * PIPELINES + WHICH)
    pipeline, revision = f"/api/v1/pipelines/{ten.pipeline}", ten.round * REVISIONS + FAILS
    stage = f"{pipeline}/stages/production"
    shown = asking.told(f"{pipeline}/revisions/{revision}")
    failed = next(run["run"] for run in shown["runs"] if run["state"] == "Failed")
    slots = {
        "name": ten.pipeline,
        "pipeline": pipeline,
        "stage": stage,
        "revision": revision,
        "commit": shown["commit"],
        "short": shown["commit"][:12],
        "push": shown["push"],
        "failed": failed,
        "log": asking.told(f"/api/v1/runs/{failed}")["steps"][0]["log"],
        "newest": asking.told(f"{stage}/runs?limit=20")["runs"][0]["run"],
        "old": f"{WHICH * POSITIONS + POSITIONS}~run",  # behind the oldest ten of the pipeline
    }
    tag = (("If-None-Match", asking.ask(Question("", pipeline))[1].headers["ETag"]),)
    return [
        replace(each, path=each.path.format_map(slots), headers=tag if each.expects == UNCHANGED else ())
        for each in QUESTIONS
    ]


async def measure(bench: Bench) -> Sequence[Series]:
    """Fill one data folder after the other, and ask."""
    told = await past(await record(_new(bench.folder / "recorded")))
    found: list[Series] = []
    for size in SIZES_IN_BRIEF if bench.effort.brief else SIZES:
        folder = _new(bench.folder / f"{size}")
        program = await stocked(folder, told, size)
        bench.tell(f"{size} deployments are stored")
        found += await asked(program, told, size, bench.effort)
        shutil.rmtree(folder)
    return found


async def stocked(folder: Path, told: Past, deployments: int) -> Program:
    """Return an installation, not running, that looks back upon so many deployments."""
    program = Program(folder, free_port())
    await program.start()  # makes the tables
    await program.end()
    write(program.data / "windlass.db", told, deployments, await rolling(told, deployments))
    return program


async def asked(program: Program, told: Past, size: int, effort: Effort) -> list[Series]:
    """Ask every question in turns, round by round."""
    times = TIMES_IN_BRIEF if effort.brief else max(TIMES // effort.rounds, 1)
    await program.start()
    asking = Asking(program)
    try:
        wanted = questions(asking, len(told.tens(size)))
        _round(asking, wanted, WARMING)
        rounds = [_round(asking, wanted, times) for _ in range(effort.rounds)]
    finally:
        asking.close()
        await program.end()
    return rows(wanted, rounds, size)


def rows(wanted: Sequence[Question], rounds: Sequence[Sequence[Sequence[float]]], size: int) -> list[Series]:
    """Return what each question took, by round, and what the slowest of each kind did."""
    found = [
        Series(question.name, WINDLASS, "ms", in_milliseconds(series), at=size, along=ALONG)
        for question, series in zip(wanted, zip(*rounds, strict=True), strict=True)
    ]
    return [*found, *(_slowest(subject, wanted, found) for subject in (LIST, STATUS))]


def _slowest(subject: str, wanted: Sequence[Question], found: Sequence[Series]) -> Series:
    """Return the series that the budget is held against: of the query whose p95 is the highest."""
    mine = [series for question, series in zip(wanted, found, strict=True) if question.subject == subject]
    slowest = max(mine, key=lambda series: series.quantile(0.95))
    return replace(slowest, subject=subject, note=f"the slowest of {len(mine)}: {slowest.subject}")


def _round(asking: Asking, wanted: Sequence[Question], times: int) -> list[list[float]]:
    """Return the seconds that each took, so many times."""
    return [[asking.ask(question)[0] for _ in range(times)] for question in wanted]


def _new(folder: Path) -> Path:
    folder.mkdir()
    return folder
