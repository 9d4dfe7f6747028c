"""Pushes taken as fast as they are answered, and the books in which a party must have each exactly once."""

import asyncio
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks.parties.forge import Line, NotTaken, Push
from benchmarks.parties.party import Party, counted, pushes, until

LINES = 16  # connections kept open at once


@dataclass(frozen=True, slots=True)
class Books:
    """What a party has written down of pushes, read without bothering it."""

    database: Path
    undecided: Sequence[str]  # queries: of how many pushes it is not written down yet what follows
    once: Sequence[str]  # queries: commits, each with how often it is there

    async def settled(self) -> None:
        """Wait until nothing is left to be decided."""
        await until(lambda: not any(counted(self.database, each) for each in self.undecided), "decisions")

    def wrong(self, given: Sequence[Push]) -> int:
        """Return how many pushes are not everywhere exactly once."""
        found = [self.often(query) for query in self.once]
        return sum(any(often[push.commit] != 1 for often in found) for push in given)

    def often(self, query: str) -> Counter[str]:
        """Return how often each commit is there."""
        with closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)) as reader:
            return Counter(dict(reader.execute(query)))


@dataclass(frozen=True, slots=True)
class Turn:
    """What one turn gave."""

    answered: Sequence[float]  # seconds
    accepted_a_second: float
    cpu: float  # seconds of the party a push, while it was accepting
    digested_seconds: float  # from the last answer until each push is decided
    wrong: int


@dataclass(frozen=True, slots=True)
class Taking:
    """A party that is to take pushes, turn by turn."""

    party: Party
    books: Books
    sizes: Iterator[tuple[int, int]]  # of each turn: pushes one by one, then pushes down all lines

    async def turn(self) -> Turn:
        """Have it take pushes one by one, then as many at once as there are lines."""
        alone, many = next(self.sizes)
        answered = await one_by_one(self.party, pushes(self.party, alone))
        await self.books.settled()
        burst = pushes(self.party, many)
        used, begun = self.party.held.cpu_seconds, time.monotonic()
        taken = await together(self.party, burst)
        ended = time.monotonic()
        used = self.party.held.cpu_seconds - used
        await self.books.settled()
        wrong = many - len(taken) + self.books.wrong(taken)
        return Turn(answered, many / (ended - begun), used / many, time.monotonic() - ended, wrong)


async def one_by_one(party: Party, given: Sequence[Push]) -> list[float]:
    """Deliver each when the one before is answered; return the seconds."""
    answered = []
    async with Line(party.hook.port) as line:
        for push in given:
            sent = time.perf_counter()
            await line.deliver(push)
            answered.append(time.perf_counter() - sent)
    return answered


async def together(party: Party, given: Sequence[Push]) -> list[Push]:
    """Deliver down many lines, each as fast as answers come; return what was accepted, in that order."""
    waiting, taken = iter(given), list[Push]()

    async def send() -> None:
        with suppress(OSError, EOFError, NotTaken):  # the program was killed, or asks to come again
            async with Line(party.hook.port) as line:
                for push in waiting:
                    await line.deliver(push)
                    taken.append(push)

    await asyncio.gather(*(send() for _ in range(LINES)))
    return taken
