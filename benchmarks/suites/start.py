"""From start to ready, after an end as by a power cut, and the command line's commands.

Commands are set against a Python that does nothing: what that takes nobody can save. `validate` is measured
with plans. A start is not to grow with what is stored, so it is measured with nothing and with much.
"""

import asyncio
import os
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.figures import Series, in_milliseconds, one_each
from benchmarks.load import spent
from benchmarks.recorded import record
from benchmarks.stored import past
from benchmarks.suite import Bench, in_turns
from benchmarks.suites.plan import NOTHING
from benchmarks.suites.queries import ALONG, stocked
from tests.e2e.program import WINDLASS, Program

READY, CPU, MEMORY = "start to ready", "CPU of a start", "memory after a start"
HELP, STATUS = "windlass --help", "windlass status"
HELP_CPU, STATUS_CPU = f"{HELP}, CPU", f"{STATUS}, CPU"
SUBJECTS: tuple[str, ...] = (READY, CPU, MEMORY, HELP, HELP_CPU, STATUS, STATUS_CPU)
STORED, STORED_IN_BRIEF = (0, 10_000), (0, 1_000)  # deployments
TIMES = 5  # each command, in a round
REST_SECONDS = 0.5  # after ready, until the sweeps of a start are over


@dataclass(frozen=True, slots=True)
class Start:
    """What one start took."""

    seconds: float
    cpu_seconds: float  # until it was ready
    megabytes: float  # PSS, at rest


@dataclass(frozen=True, slots=True)
class Ran:
    """What the runs of one command took, each."""

    seconds: Sequence[float]
    cpu_seconds: Sequence[float]


async def measure(bench: Bench) -> Sequence[Series]:
    """Fill the data folders, then measure starts in turns, then commands."""
    told = await past(await record(_new(bench.folder / "recorded")))
    sizes = STORED_IN_BRIEF if bench.effort.brief else STORED
    programs = {size: await stocked(bench.folder / f"{size}", told, size) for size in sizes}
    starts = {f"{size}": partial(started, program) for size, program in programs.items()}
    try:
        given = await in_turns(starts, bench)
        found = [series for size in sizes for series in _of_starts(size, given[f"{size}"])]
        return [*found, *await _commands(bench, programs[0])]
    finally:
        for program in programs.values():
            await program.clear()  # the gateway too, which a kill leaves running


async def started(program: Program) -> Start:
    """Start it, kill it as a power cut would, and return what the start took."""
    begun = time.perf_counter()
    await program.start()
    seconds, used = time.perf_counter() - begun, spent.own_cpu(program.pid)
    try:
        await asyncio.sleep(REST_SECONDS)
        return Start(seconds, used, spent.memory(program.pid))
    finally:
        await program.kill()


async def _commands(bench: Bench, program: Program) -> list[Series]:
    """Measure commands in turns, beside a Windlass that runs."""
    parties: Mapping[str, Sequence[str]] = {
        NOTHING: (sys.executable, "-c", "pass"),
        HELP: (str(WINDLASS), "--help"),
        STATUS: (str(WINDLASS), "status", "--data", str(program.data)),
    }
    await program.start()
    try:
        given = await in_turns({name: partial(_run, words) for name, words in parties.items()}, bench)
    finally:
        await program.end()
    commands = [(HELP, HELP_CPU), (STATUS, STATUS_CPU)]
    return [
        series
        for subject, of_cpu in commands
        for party, rounds in (("Windlass", given[subject]), (NOTHING, given[NOTHING]))
        for series in _of_command(subject, of_cpu, party, rounds)
    ]


async def _run(words: Sequence[str]) -> Ran:
    """Run a command some times, to a good end each."""
    taken = [ran(words) for _ in range(TIMES)]
    return Ran([seconds for seconds, _ in taken], [cpu for _, cpu in taken])


def ran(words: Sequence[str]) -> tuple[float, float]:
    """Run a command to its end, which must be a good one; return its seconds, and those of a processor."""
    nowhere = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
    begun = time.perf_counter()
    pid = os.posix_spawn(words[0], tuple(words), os.environ, file_actions=nowhere)
    _, status, used = os.wait4(pid, 0)
    seconds = time.perf_counter() - begun
    assert status == 0, f"{' '.join(words)}: {os.waitstatus_to_exitcode(status)}"
    return seconds, used.ru_utime + used.ru_stime


def _of_starts(stored: int, starts: Sequence[Start]) -> list[Series]:
    where = partial(Series, party="Windlass", at=stored, along=ALONG)
    return [
        where(READY, unit="s", rounds=one_each([each.seconds for each in starts])),
        where(CPU, unit="s", rounds=one_each([each.cpu_seconds for each in starts])),
        where(MEMORY, unit="MB", rounds=one_each([each.megabytes for each in starts]), note="PSS"),
    ]


def _of_command(subject: str, of_cpu: str, party: str, rounds: Sequence[Ran]) -> list[Series]:
    return [
        Series(subject, party, "ms", in_milliseconds([each.seconds for each in rounds])),
        Series(of_cpu, party, "ms", in_milliseconds([each.cpu_seconds for each in rounds])),
    ]


def _new(folder: Path) -> Path:
    folder.mkdir()
    return folder
