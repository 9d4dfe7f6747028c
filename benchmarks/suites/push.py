"""One signed push through five steps: Windlass, Buildbot, Prefect where it can, and nothing at all, in turns.

A forge opens a connection for each delivery, so the client does too, the same one for every party; its
clock runs from before it connects until the answer is read. Everything later is read from the clocks of
the steps' own processes. Rows of the same name are of the same work; what Prefect does is not, and is
named otherwise.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from uuid import UUID, uuid5

from benchmarks.figures import Series, in_milliseconds
from benchmarks.parties import bare
from benchmarks.parties.buildbot import buildbot
from benchmarks.parties.party import Entering, Party
from benchmarks.parties.prefect import prefect
from benchmarks.parties.turn import Turn, taken
from benchmarks.parties.windlass import windlass
from benchmarks.parties.work import Work, gaps
from benchmarks.suite import Bench, Unavailable, in_turns


@dataclass(frozen=True, slots=True)
class Words:
    """What the figures of a turn are called."""

    answered: str
    first: str
    between: str
    done: str
    cpu: str
    memory: str = "memory"

    @property
    def all(self) -> tuple[str, ...]:
        """Return them, in the order of the table."""
        return (self.answered, self.first, self.between, self.done, self.cpu, self.memory)


PUSHED = Words(
    "webhook answered", "push to first step", "step to next step", "push to done", "CPU a deployment"
)
CALLED = Words(
    "API call answered", "API call to first step", "step to next step, not durable", "API call to done",
    "CPU a flow run",
)  # fmt: skip
SUBJECTS: tuple[str, ...] = tuple(dict.fromkeys((*PUSHED.all, *CALLED.all)))
PARTIES: Mapping[str, Entering] = {"Windlass": windlass, "Buildbot": buildbot}
IF_AVAILABLE: Mapping[str, Entering] = {"Prefect": prefect}
PUSHES, PUSHES_BRIEF = 10, 3  # a turn
ROOT = UUID(int=77)


async def measure(bench: Bench) -> Sequence[Series]:
    """Measure everybody in turns."""
    number = PUSHES_BRIEF if bench.effort.brief else PUSHES
    async with playing(bench, PARTIES, if_available=IF_AVAILABLE) as parties:
        turns: dict[str, Callable[[], Awaitable[Turn]]] = {
            party.name: partial(_frozen_after if party.name in IF_AVAILABLE else taken, party, number)
            for party in parties
        }
        turns[bare.NAME] = partial(_bare_turn, bench, number)
        given = await in_turns(turns, bench)
    notes = {party.name: party.note for party in parties} | {bare.NAME: bare.NOTE}
    return [each for name, made in given.items() for each in series(name, notes[name], made)]


@asynccontextmanager
async def playing(
    bench: Bench,
    entering: Mapping[str, Entering],
    *,
    if_available: Mapping[str, Entering] | None = None,
    pause_seconds: float = 0.0,
    held_seconds: float = 0.0,
) -> AsyncIterator[list[Party]]:
    """Run an installation of each for as long as this is entered."""
    async with AsyncExitStack() as stack:
        parties = []
        for name, enter in {**entering, **(if_available or {})}.items():
            work = Work(bench.folder / f"told-by-{name}", pause_seconds, held_seconds)
            try:
                party = await stack.enter_async_context(enter(bench, work))
                parties.append(party)
                if name not in entering:
                    party.held.freeze()
            except Unavailable as why:
                if name in entering:
                    raise
                bench.tell(f"{name} takes no part: {why}")
        yield parties


async def _frozen_after(party: Party, number: int) -> Turn:
    """Let a party take its turn, and nothing beside: one that looks for work all the time costs others."""
    party.held.thaw()
    turn = await taken(party, number)
    party.held.freeze()
    return turn


async def _bare_turn(bench: Bench, number: int) -> Turn:
    turn, work = Turn(), Work(bench.folder / "told-by-nobody")
    commits = [uuid5(ROOT, str(len(work.told) + each)).hex for each in range(number)]
    costs = {commit: bare.passed(work, commit, bench.folder / "bare") for commit in commits}
    for commit, cost in costs.items():
        told = work.of(commit)
        turn.first.append(told[0].at - cost.begun)
        turn.between += gaps(told)
        turn.done.append(told[-1].at - cost.begun)
    turn.cpu = sum(cost.cpu_seconds for cost in costs.values()) / number
    return turn


def series(party: str, note: str, turns: Sequence[Turn]) -> list[Series]:
    """Return what a party gave, by subject; nothing of what it has not. The first one has its note."""
    words = CALLED if party in IF_AVAILABLE else PUSHED
    refused = sum(turn.refused for turn in turns)
    timed = {
        words.answered: (_answers(refused), [turn.answered for turn in turns]),
        words.first: ("", [turn.first for turn in turns]),
        words.between: ("from process to process", [turn.between for turn in turns]),
        words.done: ("until the last step's process begins", [turn.done for turn in turns]),
        words.cpu: ("user and system time of all its processes", [[turn.cpu] for turn in turns]),
    }
    found = [
        Series(subject, party, "ms", in_milliseconds(rounds), note=said)
        for subject, (said, rounds) in timed.items()
        if all(rounds)
    ]
    first = replace(found[0], note="; ".join(filter(None, (found[0].note, note))))
    return [first, *found[1:], *_memory(party, words.memory, turns)]


def _answers(refused: int) -> str:
    asked_again = f", {refused} asked again" if refused else ""
    return f"a connection for each{asked_again}"


def _memory(party: str, subject: str, turns: Sequence[Turn]) -> list[Series]:
    kept = [turn.memory for turn in turns if turn.memory is not None]
    if not kept:
        return []
    resident = max(each.resident for each in kept)
    note = f"proportional (PSS) of all its processes; resident (RSS) summed {resident:.0f} MB"
    return [Series(subject, party, "MB", tuple((each.proportional,) for each in kept), note=note)]
