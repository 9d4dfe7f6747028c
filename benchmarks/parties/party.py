"""What the suites need of whoever takes part: started, pushed to, asked, killed, ended."""

import asyncio
import sqlite3
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, closing
from itertools import pairwise
from pathlib import Path
from typing import Protocol

from benchmarks.parties.commits import Commits
from benchmarks.parties.forge import Push, answers
from benchmarks.parties.held import Held
from benchmarks.parties.work import Work
from benchmarks.suite import Bench, Unavailable

LOOK_SECONDS = 0.005  # how often what is waited for is looked at
READY_SECONDS_MAX = 120.0
DONE_SECONDS_MAX = 180.0


class Late(Exception):  # noqa: N818 - named for what is the case
    """A party did not come to an end in time."""


class Door(Protocol):
    """Where a party is told of pushes."""

    @property
    def port(self) -> int:
        """Return the port of 127.0.0.1."""
        ...

    def push(self, commit: str, before: str) -> Push:
        """Return what is sent there of a commit."""
        ...


class Party(Protocol):
    """A running installation of one system, with one pipeline of five steps."""

    name: str
    note: str  # how it is configured
    work: Work
    held: Held
    may_refuse: bool  # then it is asked again, and that is counted
    commits: Commits

    @property
    def hook(self) -> Door:
        """Return where it is told of pushes, once it has started."""
        ...

    async def start(self) -> float:
        """Start the program; return the seconds until it answers HTTP."""
        ...

    def rests_after(self, commit: str) -> bool:
        """Tell whether the commit's deployment has ended, and nothing else waits or runs."""
        ...

    def runs(self) -> int:
        """Return how many deployments were begun and have ended so far."""
        ...


Entering = Callable[[Bench, Work], AbstractAsyncContextManager[Party]]


async def until(holds: Callable[[], bool], what: str, seconds_max: float = DONE_SECONDS_MAX) -> None:
    """Wait until something is the case; raises `Late`."""
    try:
        async with asyncio.timeout(seconds_max):
            while not holds():  # noqa: ASYNC110 - files and processes outside do not tell of themselves
                await asyncio.sleep(LOOK_SECONDS)
    except TimeoutError:
        raise Late(f"{what}: not within {seconds_max:.0f} s") from None


async def answering(held: Held, port: int, path: str) -> float:
    """Wait until a program that was just started answers with a 200; return the seconds since its start."""
    while await answers(port, path) != 200:
        if not held.alive:
            raise Unavailable(f"{held.words[0]} ended before it answered: {held.log}")
        if time.monotonic() - held.begun > READY_SECONDS_MAX:
            raise Unavailable(f"{held.words[0]} does not answer on {path}: {held.log}")
        await asyncio.sleep(LOOK_SECONDS)
    return time.monotonic() - held.begun


async def done(party: Party, commit: str) -> None:
    """Wait until a commit went through all steps and the party has written that down."""
    what = f"{party.name}: the deployment of {commit}"
    await until(lambda: len(party.work.of(commit)) >= 5, what)
    await until(lambda: party.rests_after(commit), what)


def pushes(party: Party, number: int) -> list[Push]:
    """Return so many pushes, each of a commit of its own, ready to be sent."""
    before = party.commits.newest
    made = party.commits.made(number)
    return [party.hook.push(commit, old) for old, commit in pairwise([before, *made])]


def counted(database: Path, query: str, *values: str) -> int:
    """Return what a party has in its database, without bothering the party."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as reader:
        row = reader.execute(query, values).fetchone()
    return int(row[0])


def place(bench: Bench, name: str) -> Path:
    """Return a party's own folder of a suite."""
    folder = bench.folder / name.lower()
    folder.mkdir(parents=True)
    return folder
