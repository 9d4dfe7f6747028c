"""A whole life of the kernel: an event, its order, the work, its result; and how often it may be killed.

As a program (`python -m tests.contract.work.life PAIR FOLDER`) it lives once to learn the crash points there
are, then dies at each of them in a child of its own, leaving each time the store as the crash left it.
"""

import asyncio
import os
import sys
from pathlib import Path

import sqlalchemy as sa
import structlog

from shared import crash
from shared.attempt_log import AttemptLog
from shared.bus import Subscription
from shared.db import Cause, Database, ServiceDatabase, Transaction, tables
from shared.events import LogAppended, LogLine, Message, PushReceived
from shared.work import Claim, Workers, place
from tests.builders import START, line, named, order, push
from tests.contract.installation import running
from tests.contract.notes import lay_out, note, noted
from tests.contract.pairs import PAIRS
from tests.contract.work.bench import name_of

SIDE_BY_SIDE = 4  # lives; most of the time they wait for servers
OUTPUT = [LogLine(at=START, text=f"line {number}") for number in range(3)]


class Life:
    """One process's."""

    def __init__(self, database: Database) -> None:
        self.db = ServiceDatabase(database, "deployer")
        self.workers = Workers(self.db, "here", slots=1)

    @property
    def subscription(self) -> Subscription:
        return Subscription(self.db, {LogAppended: self.log_appended, PushReceived: self.push_received})

    async def begin(self) -> None:
        """Say what everything follows from, unless an earlier life has."""
        async with self.db.transaction(Cause(named("speech")), "speech") as tx:
            if (await tx.execute(sa.select(tables.outbox.c.id).limit(1))).first() is None:
                tx.emit(line("begin", 0))

    async def log_appended(self, message: Message[LogAppended]) -> None:
        async with self.db.hearing(message) as tx:
            if tx.seen_before:
                return
            if message.key != "begin":
                await note_output(tx, message.body)
                return
            await note(tx, "heard", message.key)
            await place(tx, order("taken as it is placed"))  # the one slot's
            await place(tx, order("a"))  # claimed when that is free again

    async def work(self, claim: Claim) -> None:
        if name_of(claim) != "a":
            async with self.workers.finishing(claim):
                return
        output = AttemptLog("a/1", "shop", 1, "staging", "a")
        async with self.workers.holding(claim, "progress") as tx:
            await output.append(tx, OUTPUT[await output.next_line(tx) :])
        async with self.workers.finishing(claim) as tx:
            await note(tx, "done", "a")
            await output.append(tx, [], last=True)
            tx.emit(push("acme/shop"))

    async def give_up(self, claim: Claim, why: str) -> None:
        raise AssertionError(f"{claim.order.payload} was given up: {why}")

    async def push_received(self, message: Message[PushReceived]) -> None:
        async with self.db.hearing(message) as tx:
            if not tx.seen_before:
                await note(tx, "end", message.key)


async def note_output(tx: Transaction, said: LogAppended) -> None:
    for each in said.lines:
        await note(tx, "said", each.text)
    if said.last:
        await note(tx, "closed", said.log)


async def live(pair: str, folder: Path) -> None:
    """Go on from wherever the store is, until the end is noted."""
    installation = await PAIRS[pair].at(folder)
    await lay_out(installation.database)
    life = Life(installation.database)
    await life.begin()
    bus = installation.bus([life.subscription])
    async with running(bus.run(), life.workers.run({"dig": life})):
        for _ in range(2_000):
            if await noted(installation.database, "end"):
                break
            await installation.quiet()
        await installation.quiet()
    await installation.close()


def live_and_die(pair: str, folder: Path, crash_at: str) -> int:
    """Begin a life in a child process; return its id."""
    folder.mkdir()
    child = os.fork()
    if child == 0:
        crash.arm(crash_at, str(folder / "trace"))
        asyncio.run(live(pair, folder))
        os._exit(0)
    return child


def end_of_one() -> tuple[int, int]:
    """Wait for a child to end; return its id and what it ended with."""
    child, status = os.wait()
    return child, os.waitstatus_to_exitcode(status)


def main(pair: str, lives: Path) -> None:
    """Tell each point and how the life that was to die there ended."""
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    undisturbed = live_and_die(pair, lives / "undisturbed", "")
    assert end_of_one() == (undisturbed, 0)
    points = (lives / "undisturbed" / "trace").read_text().split()
    under_way: dict[int, str] = {}
    while points or under_way:
        while points and len(under_way) < SIDE_BY_SIDE:
            point = points.pop()
            under_way[live_and_die(pair, lives / point, point)] = point
        child, end = end_of_one()
        sys.stdout.write(f"{under_way.pop(child)} {end}\n")
        sys.stdout.flush()  # or the next child has it too


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
