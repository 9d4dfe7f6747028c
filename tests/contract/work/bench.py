"""A service's workers whose every move the test decides."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime

from shared.db import Cause, Database, ServiceDatabase
from shared.work import Claim, Order, Workers, cancel, place
from tests.builders import named
from tests.contract.notes import note

SERVICE = "builder"


class Bench:
    """One process's workers. Notes what it finishes and gives up, in the order's last transaction."""

    def __init__(self, database: Database, name: str = "here", slots: int = 2, share_slots: int = 0) -> None:
        self.db = ServiceDatabase(database, SERVICE)
        self.workers = Workers(self.db, name, slots, share_slots)
        self.work_on: Callable[[Claim], Awaitable[None]] = nothing
        self.giving_up: Callable[[Claim], Awaitable[None]] = nothing
        self.after: Callable[[Claim], Awaitable[None]] = nothing
        self.begun: list[Claim] = []
        self.ended: list[str] = []
        self.given_up: dict[str, str] = {}
        self.side_by_side_most = 0
        self._under_way = 0

    async def run(self) -> None:
        await self.workers.run({"dig": self})

    @property
    def tried(self) -> list[str]:
        return [name_of(claim) for claim in self.begun]

    async def work(self, claim: Claim) -> None:
        self.begun.append(claim)
        self._under_way += 1
        self.side_by_side_most = max(self.side_by_side_most, self._under_way)
        try:
            await self.work_on(claim)
        finally:
            self._under_way -= 1
        await self.finish(claim)
        await self.after(claim)

    async def finish(self, claim: Claim) -> None:
        async with self.workers.finishing(claim) as tx:
            await note(tx, "finished", name_of(claim))
        self.ended.append(name_of(claim))

    async def give_up(self, claim: Claim, why: str) -> None:
        await self.giving_up(claim)
        async with self.workers.finishing(claim) as tx:
            await note(tx, "given up", name_of(claim))
        self.given_up[name_of(claim)] = why


async def nothing(_claim: Claim) -> None:
    """Do nothing."""


async def until_cancelled(claim: Claim) -> None:
    """Go on until it is called off, as a build does."""
    await claim.cancelled.wait()


def raising(*faults: BaseException) -> Callable[[Claim], Awaitable[None]]:
    """Raise these in turn, whichever order it is; then do nothing."""
    left = list(faults)

    async def work(_claim: Claim) -> None:
        if left:
            raise left.pop(0)

    return work


class Gate:
    """Holds work up until it is opened."""

    def __init__(self) -> None:
        self._open = asyncio.Event()

    async def __call__(self, _claim: Claim) -> None:
        await self._open.wait()

    def open(self) -> None:
        self._open.set()


def name_of(claim: Claim) -> str:
    return str(claim.order.payload["name"])


async def ask_for(database: Database, *orders: Order, not_before: datetime | None = None) -> None:
    """Place these in one transaction."""
    cause = Cause(named(repr(orders)), "shop@1", "00-ab-cd-01")
    async with ServiceDatabase(database, SERVICE).transaction(cause, "asking") as tx:
        for each in orders:
            await place(tx, each, not_before)


async def call_off(database: Database, name: str, reason: str = "no longer wanted") -> bool:
    """Cancel the order of that name."""
    async with ServiceDatabase(database, SERVICE).transaction(Cause(named(reason)), "calling_off") as tx:
        return await cancel(tx, named(name), reason)
