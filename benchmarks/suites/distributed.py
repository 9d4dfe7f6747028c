"""The same push of five steps: everything in one process, beside Kafka and PostgreSQL.

Pushes come one after the other, each when the one before is through; steps tell the time and do nothing.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from time import time
from typing import Protocol

import httpx

from benchmarks.budgets import WINDLASS
from benchmarks.figures import Series, in_milliseconds, one_each
from benchmarks.load.distribution import SERVICES, Distribution, distributed
from benchmarks.load.installation import installed
from benchmarks.load.pipelines import first_of, gaps
from benchmarks.load.repositories import Crowd, new_crowd
from benchmarks.load.runs import Runs
from benchmarks.load.spent import Cpu
from benchmarks.suite import Bench, in_turns

SUBJECTS: tuple[str, ...] = (
    "webhook answered",
    "push to first step",
    "step to next step",
    "CPU a deployment",
    "CPU a deployment, its processes",
    "CPU a deployment, broker and database",
)
DISTRIBUTED = f"{WINDLASS} on Kafka and PostgreSQL"
APART = f"{DISTRIBUTED}, a process a service"
PUSHES = 10  # of a turn
BRIEF_PUSHES = 2
SECONDS_MAX = 60.0
NOTES: Mapping[str, str] = {
    WINDLASS: "one process, SQLite with synchronous=FULL",
    DISTRIBUTED: "all services in one process; one broker, PostgreSQL with fsync=on, on the same machine",
    APART: "seven processes; one broker, PostgreSQL with fsync=on, on the same machine",
}


class Running(Protocol):
    """An installation of either kind."""

    @property
    def operator(self) -> httpx.AsyncClient:
        """Return its operator's client."""
        ...

    @property
    def runs(self) -> Runs:
        """Return its runs."""
        ...

    def cpu(self) -> Cpu:
        """Return what it has used."""
        ...


@dataclass(frozen=True, slots=True)
class Turn:
    """What some pushes gave."""

    answers: Sequence[float]
    first_steps: Sequence[float]
    gaps: Sequence[float]
    cpu: Cpu  # a deployment
    servers_cpu: float


async def measure(bench: Bench) -> Sequence[Series]:
    """Have all three beside each other, and push to one after the other."""
    pushes = BRIEF_PUSHES if bench.effort.brief else PUSHES
    async with AsyncExitStack() as stack:
        running: dict[str, Running] = {
            WINDLASS: await stack.enter_async_context(installed(bench.folder / "embedded"))
        }
        for party, together in ((DISTRIBUTED, [SERVICES]), (APART, [[name] for name in SERVICES])):
            bench.tell(f"{party}: starting")
            folder = bench.folder / party.replace(" ", "-")
            running[party] = await stack.enter_async_context(distributed(folder, together))
        turns: dict[str, Callable[[], Awaitable[Turn]]] = {}
        for number, (party, windlass) in enumerate(running.items()):
            crowd = new_crowd(bench.folder, f"party-{number}", 1)
            await crowd.register(windlass.operator)
            turns[party] = partial(_turn, windlass, crowd, pushes)
        taken = await in_turns(turns, bench)
    return [series for party, of in taken.items() for series in _series(party, of)]


async def _turn(windlass: Running, crowd: Crowd, pushes: int) -> Turn:
    """Push so often; what follows from it is read when all is through."""
    used, servers = windlass.cpu(), _servers_cpu(windlass)
    begun: dict[int, float] = {}
    answers = []
    for _ in range(pushes):
        (commit,) = crowd.commit()
        begun[crowd.revision] = time()
        answers += await crowd.push([commit])
        await windlass.runs.end(crowd.revision, SECONDS_MAX)
    used = windlass.cpu().since(used)
    (notes,) = crowd.notes()
    return Turn(
        answers,
        [first_of(notes, revision) - at for revision, at in begun.items()],
        gaps(notes, list(begun)),
        Cpu(used.own / pushes, used.others / pushes),
        (_servers_cpu(windlass) - servers) / pushes,
    )


def _servers_cpu(windlass: Running) -> float:
    return windlass.servers_cpu() if isinstance(windlass, Distribution) else 0.0


def _series(party: str, turns: Sequence[Turn]) -> Sequence[Series]:
    """Return a party's series, in the order of `SUBJECTS`."""
    answered, first, between, cpu, processes, servers = SUBJECTS
    of = partial(Series, party=party, unit="ms", note=NOTES[party])
    given = [
        of(answered, rounds=in_milliseconds([turn.answers for turn in turns])),
        of(first, rounds=in_milliseconds([turn.first_steps for turn in turns])),
        of(between, rounds=in_milliseconds([turn.gaps for turn in turns])),
        of(cpu, rounds=one_each([turn.cpu.total * 1000 for turn in turns])),
        of(processes, rounds=one_each([turn.cpu.others * 1000 for turn in turns])),
    ]
    if party != WINDLASS:
        given.append(of(servers, rounds=one_each([turn.servers_cpu * 1000 for turn in turns])))
    return given
