"""A whole life of the kernel: an event, its order, the work, its result; and how often it may be killed.

As a program (`python -m tests.contract.work.life FOLDER`) it lives once to learn the crash points there
are, then dies at each of them in a child of its own, leaving each time the store as the crash left it.
"""

import asyncio
import os
import sys
from pathlib import Path

import sqlalchemy as sa

from shared import crash
from shared.attempt_log import AttemptLog
from shared.bus import Subscription
from shared.db import Cause, Database, ServiceDatabase, tables
from shared.events import LogAppended, LogLine, Message, PushReceived
from shared.work import Claim, Workers, place
from tests.builders import START, line, named, order, push
from tests.contract.installation import Embedded, running
from tests.contract.notes import lay_out, note, noted
from tests.contract.work.bench import name_of

OUTPUT = [LogLine(at=START, text=f"line {number}") for number in range(3)]
PAIRS = {"embedded+sqlite": Embedded}


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
            if tx.seen_before or message.key != "begin":
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


async def live(pair: str, folder: Path) -> None:
    """Go on from wherever the store is, until the end is noted."""
    installation = PAIRS[pair](folder)
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
    """Live in a child process; return what it ended with."""
    folder.mkdir()
    child = os.fork()
    if child == 0:
        crash.arm(crash_at, str(folder / "trace"))
        asyncio.run(live(pair, folder))
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def main(pair: str, lives: Path) -> None:
    """Tell each point and how the life that was to die there ended."""
    assert live_and_die(pair, lives / "undisturbed", "") == 0
    for point in (lives / "undisturbed" / "trace").read_text().split():
        sys.stdout.write(f"{point} {live_and_die(pair, lives / point, point)}\n")
        sys.stdout.flush()  # or the next child has it too


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
