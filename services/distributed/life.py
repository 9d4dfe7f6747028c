"""A process's life: it waits for what it needs, works, and ends in order.

The HTTP side runs around it all the time, so that whoever looks is told what is missing.
"""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

import structlog

from services.distributed.schema import why_unsuitable
from shared.bus import Bus
from shared.db import lock_key
from shared.db.postgres import PostgresDatabase
from shared.faults import TryAgain
from shared.metrics import POOL
from shared.service import Service
from shared.web.faults import CannotStart
from shared.web.program import Part, forever, side_by_side
from shared.work.workers import LEASE_SECONDS

LOOK_SECONDS = 1.0  # between looks for what is missing
OLD_LIFE_SECONDS = 2 * LEASE_SECONDS  # for the session of whoever had our name, on a host that vanished

log = structlog.get_logger()


class Consuming(Bus, Protocol):
    """A bus that tells how it is."""

    @property
    def ready(self) -> str:
        """Return why it does not carry or consume everything, or the empty string."""
        ...


@dataclass(slots=True)
class Life:
    """The work of one process; `closed` says why it has not begun, and is empty once it has."""

    database: PostgresDatabase
    bus: Consuming
    services: Sequence[Service]
    replica: str
    closed: str = "it has just begun"

    async def run(self) -> None:
        """Begin when all is there, work until cancelled, then end what is in hand or hand it back."""
        await self._wait_for_schema()
        async with AsyncExitStack() as names:
            for service in self.services:
                await self._take_name(names, service.name)
            self.closed = ""
            log.info("program.begun", services=[each.name for each in self.services], replica=self.replica)
            await self._work()

    async def why_not_begun(self) -> str:
        """Return what is missing, or the empty string."""
        return self.closed

    async def why_not_consuming(self) -> str:
        """Return what is the matter with the bus, or the empty string; nothing is before we begin."""
        return "" if self.closed else self.bus.ready

    def count(self) -> None:
        """Bring this process's gauges up to date."""
        POOL.set(self.database.connections_in_use, "in use")

    async def _wait_for_schema(self) -> None:
        while reason := await self._schema():
            self._say(reason)
            await self.database.clock.sleep(LOOK_SECONDS)

    async def _schema(self) -> str:
        """Return why the schema does not suit us, or the empty string."""
        try:
            return await why_unsuitable(self.database)
        except TryAgain as fault:
            return str(fault)

    def _say(self, reason: str) -> None:
        if reason != self.closed:
            log.warning("program.waiting", reason=reason)
        self.closed = reason

    async def _take_name(self, names: AsyncExitStack, service: str) -> None:
        """Be the only one of this name; whoever died under it a moment ago is waited for."""
        clock = self.database.clock
        until: datetime | None = None
        while True:
            try:
                if await self._is_ours(names, service):
                    return
            except TryAgain as fault:
                self._say(str(fault))
                until = None  # nobody knows who is there
            else:
                self._say(
                    f"another {service} runs as replica {self.replica}: give this one a name of its own with "
                    "WINDLASS_REPLICA, or wait, if that one has just died, until its name is free"
                )
                until = until or clock.now() + timedelta(seconds=OLD_LIFE_SECONDS)
            if until and clock.now() >= until:
                raise CannotStart(
                    f"Another {service} runs as replica {self.replica!a}. Give this one a name of its own "
                    "with WINDLASS_REPLICA, or end the other one first."
                )
            await clock.sleep(LOOK_SECONDS)

    async def _is_ours(self, names: AsyncExitStack, service: str) -> bool:
        async with AsyncExitStack() as trial:
            name = f"{service}/{self.replica}"
            ours = await trial.enter_async_context(self.database.advisory(lock_key(name), name))
            if ours:
                names.push_async_exit(trial.pop_all())
        return ours

    async def _work(self) -> None:
        """Work until cancelled; then first those who take messages end, at last those who tell others."""
        parts = [part for service in self.services for part in service.background]
        own: list[Part] = [partial(side_by_side, parts)] if parts else []  # the classifier only hears
        in_order: list[Part] = [self.bus.run, *own, self.database.run]
        tasks = [asyncio.create_task(forever(part)) for part in in_order]
        try:
            ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in ended:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
                await asyncio.wait([task])
