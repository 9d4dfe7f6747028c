"""Memory over thousands of deployments in one process: each real, and as small as one can be.

A round is a thousand deployments, so `--rounds 10` goes to ten thousand. Fifty pipelines are pushed at once,
each with one step that does nothing; the next push comes when all have ended. Beside the memory it is told
what a deployment leaves: open files, files and room on disk.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.budgets import WINDLASS
from benchmarks.figures import Series
from benchmarks.load import spent
from benchmarks.load.installation import DATABASE_FILE, Installation, installed
from benchmarks.load.repositories import Crowd, new_crowd
from benchmarks.load.spent import OnDisk
from benchmarks.suite import Bench

SUBJECTS: tuple[str, ...] = (
    "memory",
    "open files",
    "write-ahead log",
    "disk a deployment",
    "files a deployment",
    "CPU a deployment",
)
ALONG = "deployments"
PIPELINES = 50
WARM_UP_PUSHES = 2
PUSHES_A_SAMPLE = 2
SAMPLES_A_ROUND = 10
BRIEF_SAMPLES = 2
SECONDS_MAX = 300.0  # for one push's deployments
MEGABYTE, KILOBYTE = 1e6, 1e3


@dataclass(frozen=True, slots=True)
class Sample:
    """What the process has in hand."""

    memory: float  # MB
    open_files: float
    log: float  # MB of the database's write-ahead log


@dataclass(frozen=True, slots=True)
class Thousand:
    """One round: a thousand deployments, fewer in a brief look."""

    deployments: int  # by its end
    samples: Sequence[Sample]
    kilobytes: float  # on disk, a deployment
    files: float
    cpu: float  # seconds a deployment, of all that came of it


async def measure(bench: Bench) -> Sequence[Series]:
    """Deploy, and look after every hundredth."""
    samples = BRIEF_SAMPLES if bench.effort.brief else SAMPLES_A_ROUND
    async with installed(bench.folder) as windlass:
        crowd = new_crowd(bench.folder, "small", PIPELINES, steps=1, notes=False)
        await crowd.register(windlass.operator)
        for _ in range(WARM_UP_PUSHES):
            await _deploy(crowd, windlass)
        thousands = []
        for _ in range(bench.effort.rounds):
            thousands.append(await _thousand(crowd, windlass, samples))
            bench.tell(f"{thousands[-1].deployments} deployments: {thousands[-1].samples[-1].memory:.1f} MB")
    return _series(thousands)


async def _thousand(crowd: Crowd, windlass: Installation, samples: int) -> Thousand:
    disk, used = spent.on_disk(windlass.data), windlass.cpu()
    seen = []
    for _ in range(samples):
        for _ in range(PUSHES_A_SAMPLE):
            await _deploy(crowd, windlass)
        seen.append(_sample(windlass))
    count = samples * PUSHES_A_SAMPLE * PIPELINES
    used = windlass.cpu().since(used)
    kilobytes, files = _growth(disk, spent.on_disk(windlass.data), count)
    deployed = (crowd.revision - WARM_UP_PUSHES) * PIPELINES
    return Thousand(deployed, seen, kilobytes, files, used.total / count)


async def _deploy(crowd: Crowd, windlass: Installation) -> None:
    """Push once, and wait until all pipelines are through."""
    await crowd.push(crowd.commit())
    await windlass.runs.end(crowd.revision * PIPELINES, SECONDS_MAX)


def _sample(windlass: Installation) -> Sample:
    pid = windlass.held.pid
    return Sample(spent.memory(pid), spent.open_files(pid), _log_bytes(windlass.data) / MEGABYTE)


def _log_bytes(data: Path) -> int:
    return (data / f"{DATABASE_FILE}-wal").stat().st_size


def _growth(before: OnDisk, after: OnDisk, count: int) -> tuple[float, float]:
    """Return the kilobytes and the files that a deployment left."""
    return (after.bytes - before.bytes) / KILOBYTE / count, (after.files - before.files) / count


def _series(thousands: Sequence[Thousand]) -> Sequence[Series]:
    """Return the series, in the order of `SUBJECTS`."""
    memory, files, log, disk, left, cpu = SUBJECTS
    by_sample: Sequence[tuple[str, str, Callable[[Sample], float], str]] = (
        (memory, "MB", lambda sample: sample.memory, "proportional set size of the one process"),
        (files, "files", lambda sample: sample.open_files, ""),
        (log, "MB", lambda sample: sample.log, ""),
    )
    by_thousand: Sequence[tuple[str, str, Callable[[Thousand], float], str]] = (
        (disk, "kB", lambda each: each.kilobytes, "database, logs and folders of a run of one step"),
        (left, "files", lambda each: each.files, "below the data folder, folders counted"),
        (cpu, "ms", lambda each: each.cpu * 1000, "of the process and all that came of it"),
    )
    at = partial(Series, party=WINDLASS, along=ALONG)
    return [
        at(subject, unit=unit, rounds=(tuple(map(of, each.samples)),), at=float(each.deployments), note=note)
        for subject, unit, of, note in by_sample
        for each in thousands
    ] + [
        at(subject, unit=unit, rounds=((of_all(each),),), at=float(each.deployments), note=note)
        for subject, unit, of_all, note in by_thousand
        for each in thousands
    ]
