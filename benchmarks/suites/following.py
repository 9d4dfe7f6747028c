"""From an event's commit to a browser that follows the history, while 1, 10 and 100 of them do.

A real `windlass up`, real connections, deployments of two steps through three stages. An event carries the
instant of its commit, and all is on one machine: the time until its last byte is read is their difference.
"""

import asyncio
import json
from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path

import httpx

from benchmarks.budgets import WINDLASS
from benchmarks.figures import Series, in_milliseconds
from benchmarks.recorded import FAILS, Quay
from benchmarks.suite import Bench, Effort
from tests.contract.git.repository import new_repository
from tests.e2e.program import Program
from tests.ports import free_port

FOLLOWERS, FOLLOWERS_IN_BRIEF = (1, 10, 100), (1, 10)
DEPLOYMENTS = 3  # in a round
SUBJECTS = ("event to browser",)
ALONG = "followers"
HEARD_SECONDS_MAX = 10.0  # the last of it, after a deployment is over


class Follower:
    """One browser: it reads what comes, and notes how old it is."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def follow(self, port: int, token: str, open_: asyncio.Semaphore) -> None:
        """Read until cancelled."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            asked = f"GET /api/v1/events HTTP/1.1\r\nHost: w\r\nAuthorization: Bearer {token}\r\n"
            writer.write(f"{asked}Accept: text/event-stream\r\n\r\n".encode())
            assert b" 200 " in await reader.readline()
            open_.release()
            while line := await reader.readline():
                if line.startswith(b"data: "):
                    said = datetime.fromisoformat(json.loads(line[6:])["time"])
                    self.seconds.append((datetime.now(UTC) - said).total_seconds())
        finally:
            writer.close()


async def measure(bench: Bench) -> Sequence[Series]:
    """Follow deployments with more and more of them."""
    found = []
    for count in FOLLOWERS_IN_BRIEF if bench.effort.brief else FOLLOWERS:
        rounds = await _followed(bench.folder / f"{count}", count, bench.effort)
        found.append(Series(SUBJECTS[0], WINDLASS, "ms", in_milliseconds(rounds), at=count, along=ALONG))
        bench.tell(f"{count} followed")
    return found


async def _followed(folder: Path, count: int, effort: Effort) -> list[list[float]]:
    program = Program(folder / "home", free_port())
    quay = Quay(program, new_repository(folder / "source"), folder / "effects", {})
    await program.start()
    try:
        quay.register()
        await _round(quay, count)  # which warms up, and is forgotten
        return [await _round(quay, count) for _ in range(effort.rounds)]
    finally:
        await program.end()


async def _round(quay: Quay, count: int) -> list[float]:
    """Return how old every event was when each follower had it."""
    token = json.loads((quay.program.data / "client.json").read_bytes())["token"]
    followers, open_ = [Follower() for _ in range(count)], asyncio.Semaphore(0)
    async with AsyncExitStack() as stack, httpx.AsyncClient() as http:
        tasks = [asyncio.create_task(each.follow(quay.program.port, token, open_)) for each in followers]
        stack.callback(lambda: [task.cancel() for task in tasks])
        for _ in followers:
            await open_.acquire()
        for _ in range(DEPLOYMENTS):
            await quay.post(http, quay.commit())
            if quay.pushes != FAILS:  # the next one takes its place where it waits
                await quay.deployed(quay.pushes)
        await _all_heard(followers)
    await asyncio.gather(*tasks, return_exceptions=True)
    return [seconds for each in followers for seconds in each.seconds]


async def _all_heard(followers: Sequence[Follower]) -> None:
    """Wait until nobody has heard more for a moment, and all the same."""
    async with asyncio.timeout(HEARD_SECONDS_MAX):
        before = -1
        while len({len(each.seconds) for each in followers}) > 1 or before != len(followers[0].seconds):
            before = len(followers[0].seconds)
            await asyncio.sleep(0.5)
