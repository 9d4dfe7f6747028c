"""What a suite is, how much effort it may make, and rounds taken in turns."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from benchmarks.figures import Series

V = TypeVar("V")

Tell = Callable[[str], None]  # says what goes on, a line at a time


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is measured."""

    rounds: int = 5
    brief: bool = False  # a look whether it works: sizes and repetitions cut, figures worth little


@dataclass(frozen=True, slots=True)
class Bench:
    """What a suite is given."""

    folder: Path  # empty, for this suite alone, removed afterwards; on the disk that is measured
    tools: Path  # kept from one `make bench` to the next: peers' own environments
    effort: Effort
    tell: Tell


class Suite(Protocol):
    """Measures one subject."""

    async def __call__(self, bench: Bench) -> Sequence[Series]:
        """Measure. What it starts it also ends, when it is cancelled too.

        Raises `Unavailable` where something cannot be installed or started here.
        """
        ...


class Unavailable(Exception):  # noqa: N818 - named for what is the case
    """A party cannot take part; says why and the way out."""


async def in_turns(parties: Mapping[str, Callable[[], Awaitable[V]]], bench: Bench) -> dict[str, list[V]]:
    """Let each party take a turn in each round: A B A B; a first round warms up and is forgotten.

    Every other round goes through them backwards, so that none always follows the same one.
    """
    given: dict[str, list[V]] = {party: [] for party in parties}
    for number in range(bench.effort.rounds + 1):
        order = list(parties.items())
        for party, turn in reversed(order) if number % 2 else order:
            value = await turn()
            if number:
                given[party].append(value)
        bench.tell(f"round {number} of {bench.effort.rounds}" if number else "warmed up")
    return given
