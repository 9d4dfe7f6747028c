"""From the order to start a process to its first instruction, and from its end to that being known.

A process tells the time and ends, many of them one after the other: under a shim, as a step is run; with
nothing in between; and with nothing but a folder put on the disk first, which is the least a claim can take.
"""

import asyncio
import os
import resource
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path

from benchmarks.budgets import WINDLASS
from benchmarks.figures import Series, in_milliseconds, one_each
from benchmarks.load.spent import Cpu
from benchmarks.parties.bare import NAME as BARE
from benchmarks.suite import Bench, in_turns
from shared.process import Exit, LocalProcesses, ProcessSpec

BARE_SYNCED = f"{BARE} after two fsyncs"
BEGUN, ENDED, CPU = "order to first instruction", "process ended to known", "CPU a start"
SUBJECTS: tuple[str, ...] = (BEGUN, ENDED, CPU)
STARTS, STARTS_IN_BRIEF = 40, 10  # in a turn, one more before them warms up
REST_SECONDS = 0.05  # until the last shim has been waited for: only then does its CPU count
COMMAND = ("/bin/sh", "-c", "date +%s.%N")
ENV = {"PATH": "/usr/bin:/bin"}


@dataclass(frozen=True, slots=True)
class Moments:
    """Of one process, in seconds since the epoch."""

    told: float  # by itself
    known: float  # that it had ended


Run = Callable[[Path], Awaitable[Moments]]  # runs the command; the folder is its own, and not there yet


@dataclass(frozen=True, slots=True)
class Way:
    """A way to start processes."""

    note: str
    entered: Callable[[], AbstractAsyncContextManager[Run]]


@dataclass(frozen=True, slots=True)
class Taken:
    """What a turn took, in seconds."""

    begun: Sequence[float]
    ended: Sequence[float]
    cpu: Cpu


async def measure(bench: Bench) -> Sequence[Series]:
    """Measure all ways in turns."""
    starts = STARTS_IN_BRIEF if bench.effort.brief else STARTS
    folders = _new(bench.folder)
    turns = {party: partial(_turn, way, folders, starts) for party, way in WAYS.items()}
    given = await in_turns(turns, bench)
    return [series for party, way in WAYS.items() for series in rows(party, way.note, given[party])]


async def _turn(way: Way, folders: Iterator[Path], starts: int) -> Taken:
    """Start so many; what only the first one costs, a server of shims, is taken off."""
    first = await _started(way, next(folders), 1)
    taken = await _started(way, next(folders), 1 + starts)
    more = taken.cpu.since(first.cpu)
    return Taken(taken.begun[1:], taken.ended[1:], Cpu(more.own / starts, more.others / starts))


async def _started(way: Way, folder: Path, starts: int) -> Taken:
    before, begun, ended = _used(), [], []
    async with way.entered() as run:
        for number in range(starts):
            ordered = time.time()
            moments = await run(folder / str(number))
            begun.append(moments.told - ordered)
            ended.append(moments.known - moments.told)
    return Taken(begun, ended, _used().since(before))


def rows(party: str, note: str, turns: Sequence[Taken]) -> list[Series]:
    """Return what a party gave, in the order of `SUBJECTS`."""
    own = statistics.median(each.cpu.own for each in turns) * 1000
    cpu = in_milliseconds(one_each([each.cpu.total for each in turns]))
    return [
        Series(BEGUN, party, "ms", in_milliseconds([each.begun for each in turns]), note=note),
        Series(ENDED, party, "ms", in_milliseconds([each.ended for each in turns])),
        Series(CPU, party, "ms", cpu, note=f"{own:.2f} ms of it who started it, the rest what came of it"),
    ]


@asynccontextmanager
async def _shims() -> AsyncIterator[Run]:
    processes = LocalProcesses()
    try:
        yield partial(_under_a_shim, processes)
        await asyncio.sleep(REST_SECONDS)
    finally:
        processes.close()


async def _under_a_shim(processes: LocalProcesses, folder: Path) -> Moments:
    """Run it as a step is run."""
    await processes.start(folder, ProcessSpec(COMMAND, folder.parent, ENV))
    outcome = await processes.wait(folder)
    known = time.time()
    assert isinstance(outcome, Exit), f"{folder.name} was lost"
    assert outcome.succeeded, f"{folder.name} ended badly"
    return Moments(float(processes.tail(folder, 1)[0].text), known)


@asynccontextmanager
async def _nothing() -> AsyncIterator[Run]:
    yield _bare


@asynccontextmanager
async def _fsyncs() -> AsyncIterator[Run]:
    yield _synced_first


async def _bare(_: Path) -> Moments:
    return _spawned()


async def _synced_first(folder: Path) -> Moments:
    _put_down(folder)
    return _spawned()


def _put_down(folder: Path) -> None:
    folder.mkdir()
    for each in (folder, folder.parent):
        descriptor = os.open(each, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)


def _spawned() -> Moments:
    """Run it to its end, which must be a good one."""
    said, out = os.pipe()
    child = os.posix_spawn(COMMAND[0], COMMAND, ENV, file_actions=[(os.POSIX_SPAWN_DUP2, out, 1)])
    os.close(out)
    with os.fdopen(said, "rb") as reading:
        text = reading.read()
    _, status = os.waitpid(child, 0)
    known = time.time()
    assert status == 0, f"the shell ended with {status}"
    return Moments(float(text), known)


def _new(root: Path) -> Iterator[Path]:
    for number in count():
        folder = root / str(number)
        folder.mkdir()
        yield folder


def _used() -> Cpu:
    """Return what this process has used, and all that it has waited for."""
    own, others = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return Cpu(own.ru_utime + own.ru_stime, others.ru_utime + others.ru_stime)


WAYS: Mapping[str, Way] = {
    WINDLASS: Way("under a shim, as a step is run", _shims),
    BARE: Way("posix_spawn, nothing in between", _nothing),
    BARE_SYNCED: Way("posix_spawn once an empty folder and the one it is in are on the disk", _fsyncs),
}
