"""Killed as by a power cut in the third of five steps, and started again.

The main process alone is killed, as an operator's `kill -9` or the kernel short of memory does it; what it
had started is left to whatever the system makes of that. Each step tells of itself once, then takes a
moment: what is told more than once was done more than once.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from benchmarks.figures import Series, one_each
from benchmarks.parties.buildbot import buildbot
from benchmarks.parties.forge import Line
from benchmarks.parties.party import Entering, Party, done, pushes, until
from benchmarks.parties.windlass import windlass
from benchmarks.parties.work import STEPS, repeated
from benchmarks.suite import Bench, in_turns
from benchmarks.suites.push import playing

PARTIES: Mapping[str, Entering] = {"Windlass": windlass, "Buildbot": buildbot}
READY, REPEATED, DONE = (
    "ready again after kill -9",
    "effects repeated by kill -9",
    "deployment done after kill -9",
)
SUBJECTS: tuple[str, ...] = (READY, REPEATED, DONE)
PAUSE_SECONDS, PAUSE_SECONDS_BRIEF = 1.0, 0.4  # that each step takes
KILLED_IN = 3  # the number of the step


@dataclass(frozen=True, slots=True)
class Restart:
    """What became of one."""

    ready_seconds: float
    repeated: int
    done_seconds: float


async def measure(bench: Bench) -> Sequence[Series]:
    """Measure everybody in turns."""
    pause = PAUSE_SECONDS_BRIEF if bench.effort.brief else PAUSE_SECONDS
    async with playing(bench, PARTIES, pause_seconds=pause) as parties:
        given = await in_turns({party.name: partial(_turn, party, pause) for party in parties}, bench)
        return [each for party in parties for each in rows(party.name, party.note, pause, given[party.name])]


async def _turn(party: Party, pause: float) -> Restart:
    [push] = pushes(party, 1)
    async with Line(party.hook.port) as line:
        await line.deliver(push)
    await until(lambda: len(party.work.of(push.commit)) >= KILLED_IN, f"{party.name}: step {KILLED_IN}")
    await asyncio.sleep(pause / 2)  # into the middle of the step
    killed = time.monotonic()
    party.held.kill()
    await until(lambda: not party.held.alive, f"{party.name}: its end")
    ready = await party.start()
    await done(party, push.commit)
    return Restart(ready, repeated(party.work.of(push.commit)), time.monotonic() - killed)


def rows(party: str, configured: str, pause: float, restarts: Sequence[Restart]) -> list[Series]:
    """Return what a party gave, by subject; the first has how it is configured."""
    ready = one_each([each.ready_seconds for each in restarts])
    doubled = one_each([each.repeated for each in restarts])
    ended = one_each([each.done_seconds for each in restarts])
    left = pause * (len(STEPS) - KILLED_IN + 0.5)
    return [
        Series(READY, party, "s", ready, note=f"from exec to the first answer with 200; {configured}"),
        Series(REPEATED, party, "effects", doubled, note=f"killed in step {KILLED_IN} of {len(STEPS)}"),
        Series(DONE, party, "s", ended, note=f"from the kill; {left:.1f} s of it the steps left take"),
    ]
