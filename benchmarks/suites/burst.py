"""Two hundred pushes to one stage at once, each of a commit of its own, down one connection as fast as
answers come, while an earlier commit is being deployed.

What matters afterwards is how many deployments that became and which commit is live. Commits and
signatures are made beforehand, so the client does nothing but send.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, repeat

from benchmarks.figures import Series, one_each
from benchmarks.parties.buildbot import buildbot
from benchmarks.parties.forge import Line
from benchmarks.parties.party import Entering, Party, done, pushes, until
from benchmarks.parties.windlass import windlass
from benchmarks.parties.work import STEPS
from benchmarks.suite import Bench, in_turns
from benchmarks.suites.push import playing

PARTIES: Mapping[str, Entering] = {"Windlass": windlass, "Buildbot": buildbot}
PUSHES = 200
PUSHES_WARMING, PUSHES_BRIEF = 20, 50
SUBJECT = f"burst of {PUSHES} pushes"
QUICK = f"burst of {PUSHES} pushes, quick deployments"
ROWS = ("answered", "runs", "last commit live", "drained")
SUBJECTS: tuple[str, ...] = tuple(f"{subject}: {row}" for subject in (SUBJECT, QUICK) for row in ROWS)
HELD_SECONDS = 10.0  # the first step of the deployment that goes on meanwhile: as long as a short real one
QUICK_SECONDS = 1.0  # shorter than the burst: then whoever is quick deploys what is newest more than once


@dataclass(frozen=True, slots=True)
class Burst:
    """What became of one."""

    answered_a_second: float
    runs: int
    last_is_live: bool
    drained_seconds: float


async def measure(bench: Bench) -> Sequence[Series]:
    """Measure everybody in turns, with a deployment that outlasts the burst, and with one that does not."""
    return [*await _bursts(bench, SUBJECT, HELD_SECONDS), *await _bursts(bench, QUICK, QUICK_SECONDS)]


async def _bursts(bench: Bench, subject: str, held_seconds: float) -> list[Series]:
    folder = bench.folder / f"held-{held_seconds:g}"
    folder.mkdir()
    async with playing(replace(bench, folder=folder), PARTIES, held_seconds=held_seconds) as parties:
        turns = {party.name: partial(_turn, party, _sizes(bench)) for party in parties}
        given = await in_turns(turns, bench)
        return [
            each for party in parties for each in rows(subject, party.name, party.note, given[party.name])
        ]


def _sizes(bench: Bench) -> Iterator[int]:
    """Return how many pushes each turn has: the first one warms up and is forgotten."""
    return chain((PUSHES_WARMING,), repeat(PUSHES_BRIEF if bench.effort.brief else PUSHES))


async def _turn(party: Party, sizes: Iterator[int]) -> Burst:
    runs, number = party.runs(), next(sizes)
    first, *burst = pushes(party, 1 + number)
    if number != PUSHES_WARMING:
        party.work.hold.touch()
    async with Line(party.hook.port) as line:
        await line.deliver(first)
        await until(
            lambda: bool(party.work.of(first.commit)), f"{party.name}: the first deployment's first step"
        )
        party.work.hold.unlink(missing_ok=True)
        begun = time.monotonic()
        for push in burst:
            await line.deliver(push)
    answered = time.monotonic()
    await done(party, burst[-1].commit)
    drained = time.monotonic() - answered
    last = party.work.told[-len(STEPS) :]
    live = {each.commit for each in last} == {burst[-1].commit}
    return Burst(number / (answered - begun), party.runs() - runs, live, drained)


def rows(subject: str, party: str, configured: str, bursts: Sequence[Burst]) -> list[Series]:
    """Return what a party gave; the first says how it is configured."""
    values = (
        ("answered", "a second", [each.answered_a_second for each in bursts]),
        ("runs", "runs", [float(each.runs) for each in bursts]),
        ("last commit live", "of 1", [float(each.last_is_live) for each in bursts]),
        ("drained", "s", [each.drained_seconds for each in bursts]),
    )
    notes = {
        "answered": f"one connection, kept open; {configured}",
        "runs": "the one that went on beforehand is one of them",
        "last commit live": "the last five steps that took place were its",
        "drained": "from the last answer until nothing waits or runs",
    }
    return [
        Series(f"{subject}: {row}", party, unit, one_each(given), note=notes[row])
        for row, unit, given in values
    ]
