"""The runs as the deployer's rows have them, read beside it: nothing asks the process that is measured."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import asyncpg

LOOK_SECONDS = 0.05
COUNTED = "SELECT count(*) FROM runs WHERE finished_at IS NOT NULL"
BADLY = "SELECT count(*) FROM runs WHERE finished_at IS NOT NULL AND state <> 'Succeeded'"
LAST = "SELECT max(finished_at) FROM runs"


class WentBadly(AssertionError):  # noqa: N818 - named for what is the case
    """A run did not come to its end, or to a good one: what was measured means nothing."""


@dataclass(frozen=True, slots=True)
class Runs:
    """A database of either kind."""

    ask: Callable[[str], Awaitable[object]]

    async def ended(self) -> int:
        """Return how many have ended, well or badly."""
        return int(str(await self.ask(COUNTED)))

    async def end(self, count: int, seconds_max: float) -> None:
        """Wait until so many have ended, all of them well; raises `WentBadly`."""
        try:
            async with asyncio.timeout(seconds_max):
                while await self.ended() < count:  # noqa: ASYNC110 - rows of another process
                    await asyncio.sleep(LOOK_SECONDS)
        except TimeoutError:
            seen = await self.ended()
            raise WentBadly(f"{seen} of {count} runs ended within {seconds_max:g} s") from None
        if badly := await self.ask(BADLY):
            raise WentBadly(f"{badly} of {count} runs ended otherwise than well")

    async def last_end(self) -> float:
        """Return when the last one ended, in seconds of the machine's clock."""
        return datetime.fromisoformat(str(await self.ask(LAST))).timestamp()


def in_file(database: Path) -> Runs:
    """Return the runs of an embedded Windlass."""

    async def ask(query: str) -> object:
        with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
            answer: object = connection.execute(query).fetchone()[0]
        return answer

    return Runs(ask)


@asynccontextmanager
async def on_server(database: str) -> AsyncIterator[Runs]:
    """Give the runs of a distributed Windlass, over one connection."""
    connection = await asyncpg.connect(database)
    try:
        yield Runs(connection.fetchval)
    finally:
        await connection.close()
