"""1 to 1,000 stages at once: how fast they advance, what a step costs, and who is still answered meanwhile.

Each stage is a pipeline's only one, with five steps that note the time and do nothing else. One push a
repository sets a hundred of them going; a bystander's pushes, which no pipeline tracks, ask meanwhile how
long a webhook takes. Fewer stages are pushed more often, so that each round has enough steps to count.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from time import time

from benchmarks.budgets import WINDLASS
from benchmarks.figures import Series, in_milliseconds, one_each
from benchmarks.load.installation import Installation, installed
from benchmarks.load.pipelines import gaps
from benchmarks.load.repositories import STEPS, Crowd, Source, new_crowd
from benchmarks.suite import Bench, Tell
from services.deployer.settings import DeployerSettings

SUBJECTS: tuple[str, ...] = (
    "stages advanced",
    "CPU a step",
    "CPU a step, its processes",
    "step to next step",
    "webhook answered",
)
ALONG = "stages at once"
TIMES: Mapping[int, int] = {1: 20, 10: 4, 100: 1, 1_000: 1}  # pushes of a round, by how many are set going
ONCE = 1_000  # stages; so many are set going in one round only: it takes minutes
BRIEF = (1, 10)
SECONDS_MAX = 900.0  # for all of a push
BYSTANDER_SECONDS = 0.5  # from one of its pushes to the next


@dataclass(frozen=True, slots=True)
class Turn:
    """What was measured of one crowd, pushed a few times."""

    advanced: list[float]  # a second, by push
    own_cpu: float  # seconds a step
    others_cpu: float
    gaps: list[float]
    answers: list[float]


async def measure(bench: Bench) -> Sequence[Series]:
    """Measure one Windlass, each crowd in each round."""
    sizes = BRIEF if bench.effort.brief else tuple(TIMES)
    async with installed(bench.folder) as windlass:
        crowds = [new_crowd(bench.folder, f"of-{size}", size) for size in sizes]
        aside = new_crowd(bench.folder, "bystander", 1, tracks="another-branch")
        for crowd in (*crowds, aside):
            await crowd.register(windlass.operator)
        turns = await _rounds(crowds, aside.sources[0], windlass, bench)
    return [each for size, taken in turns.items() for each in _series(size, taken)]


async def _rounds(
    crowds: Sequence[Crowd], bystander: Source, windlass: Installation, bench: Bench
) -> Mapping[int, list[Turn]]:
    """Set each going in each round; the first round warms up and is forgotten."""
    turns = defaultdict(list)
    for number in range(bench.effort.rounds + 1):
        for crowd in crowds:
            size = crowd.pipelines
            if size >= ONCE and number != bench.effort.rounds:
                continue
            turn = await _turn(crowd, bystander, windlass)
            if number:
                turns[size].append(turn)
                _tell(bench.tell, number, size, turn)
    return turns


def _tell(tell: Tell, number: int, size: int, turn: Turn) -> None:
    a_step = f"{turn.own_cpu * 1000:.1f} ms a step"
    tell(f"round {number}: {size} stages at once, {turn.advanced[-1]:.1f} a second, {a_step}")


async def _turn(crowd: Crowd, bystander: Source, windlass: Installation) -> Turn:
    size, times = crowd.pipelines, TIMES[crowd.pipelines]
    before = windlass.cpu()
    async with _standing_by(bystander) as answers:
        advanced = [await _advance(crowd, windlass) for _ in range(times)]
    used = windlass.cpu().since(before)
    steps = size * times * STEPS
    revisions = range(crowd.revision - times + 1, crowd.revision + 1)
    between = [gap for notes in crowd.notes() for gap in gaps(notes, revisions)]
    return Turn(advanced, used.own / steps, used.others / steps, between, answers)


async def _advance(crowd: Crowd, windlass: Installation) -> float:
    """Push, and return how many stages a second came to their end."""
    commits = crowd.commit()
    done = await windlass.runs.ended()
    began = time()
    await crowd.push(commits)
    await windlass.runs.end(done + crowd.pipelines, SECONDS_MAX)
    return crowd.pipelines / (await windlass.runs.last_end() - began)


@asynccontextmanager
async def _standing_by(bystander: Source) -> AsyncIterator[list[float]]:
    """Push from aside while the block lasts, once at least; give how long each took."""
    answers: list[float] = []
    first = asyncio.Event()
    pushing = asyncio.create_task(_push_aside(bystander, answers, first))
    pushing.add_done_callback(lambda _: first.set())
    try:
        yield answers
        await first.wait()
    finally:
        pushing.cancel()
        await asyncio.gather(pushing, return_exceptions=True)


async def _push_aside(bystander: Source, answers: list[float], first: asyncio.Event) -> None:
    while True:
        answers.append(await bystander.push(bystander.commit()))
        first.set()
        await asyncio.sleep(BYSTANDER_SECONDS)


def _series(size: int, turns: Sequence[Turn]) -> Sequence[Series]:
    """Return a crowd's series, in the order of `SUBJECTS`."""
    slots = DeployerSettings().deployer_slots
    advanced, cpu, processes, between, answered = SUBJECTS
    at = partial(Series, party=WINDLASS, at=float(size), along=ALONG)
    in_order = f"five steps a stage that only tell the time; {slots} steps side by side at most"
    return [
        at(advanced, unit="a second", rounds=tuple(tuple(turn.advanced) for turn in turns), note=in_order),
        at(
            cpu, unit="ms", rounds=one_each([turn.own_cpu * 1000 for turn in turns]), note="the server itself"
        ),
        at(processes, unit="ms", rounds=one_each([turn.others_cpu * 1000 for turn in turns])),
        at(between, unit="ms", rounds=in_milliseconds([turn.gaps for turn in turns])),
        at(answered, unit="ms", rounds=in_milliseconds([turn.answers for turn in turns])),
    ]
