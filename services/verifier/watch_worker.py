"""Looks after everything that is live, each service in its time. Nothing polls: a ticker knows the next look.

Replicas need not know of one another. Whoever takes a look says so first, in a short transaction; it looks
outside of any; and what it saw is written only if nobody has taken the watch since. A crash in between
costs that one sample. Looks are made side by side, and those that took long the last time have half of the
slots at most, so that what hangs delays only its like.
"""

import asyncio
from dataclasses import replace
from datetime import datetime
from uuid import UUID

import structlog

from services.verifier import watch_moves
from services.verifier.look_worker import Looker
from services.verifier.store import watches
from services.verifier.store.watches import Lanes
from services.verifier.watch import Watch
from shared.crash import point
from shared.db import Cause, Noted, ServiceDatabase
from shared.delivery import failure_of
from shared.faults import TryAgain
from shared.ids import derive
from shared.outage import Outage
from shared.timers import Ticker

WATCHING = derive(UUID(int=0), "windlass verifier health")  # roles tell its events apart by run and version

log = structlog.get_logger()


class WatchWorker:
    """The looks of one process."""

    def __init__(self, db: ServiceDatabase, looker: Looker, slots: int) -> None:
        self._db = db
        self._looker = looker
        self._slots = slots
        self._in_hand: list[Watch] = []
        self._waiting_for_room = False
        self._writing = Outage(db.clock, "watch.write_failed", "watch.written_again")
        self._ticker = Ticker(db.clock, self.resume)
        self._tasks: asyncio.TaskGroup | None = None
        db.database.on_commit(self._hear)

    async def run(self) -> None:
        """Look until cancelled."""
        async with asyncio.TaskGroup() as self._tasks:
            self._tasks.create_task(self._ticker.run())

    async def resume(self) -> datetime | None:
        """Begin the looks that are due, as far as there is room; returns when the next one is."""
        if taken := await self._take():
            assert self._tasks is not None, "looks are begun by whoever runs"
            for watch in taken:
                self._in_hand.append(watch)
                self._tasks.create_task(self._look_and_write(watch))
        lanes = Lanes(quick=self._room > 0, lingering=self._room_to_linger > 0)
        self._waiting_for_room = not (lanes.quick and lanes.lingering)
        async with self._db.reading() as reading:
            return await watches.next_due(reading, lanes)

    @property
    def _room(self) -> int:
        return self._slots - len(self._in_hand)

    @property
    def _room_to_linger(self) -> int:
        lingering = sum(watch.lingers for watch in self._in_hand)
        return min(self._room, max(self._slots // 2, 1) - lingering)

    async def _take(self) -> list[Watch]:
        """Take the looks that are due; another replica may have been quicker."""
        now = self._db.clock.now()
        async with self._db.reading() as reading:
            quick = await watches.due(reading, now, Lanes(lingering=False), self._room)
            left = max(min(self._room_to_linger, self._room - len(quick)), 0)
            lingering = await watches.due(reading, now, Lanes(quick=False), left)
        due = sorted([*quick, *lingering], key=lambda watch: (watch.pipeline, watch.stage, watch.service))
        if not due:
            return []
        async with self._db.transaction(Cause(WATCHING), "watch.taken") as tx:
            return [replace(each, version=each.version + 1) for each in due if await watches.take(tx, each)]

    async def _look_and_write(self, watch: Watch) -> None:
        error = await failure_of(self._carry_out(watch))
        self._in_hand.remove(watch)
        if isinstance(error, TryAgain):
            self._writing.failed(str(error))
        elif error is not None:
            log.error("watch.look_broke", **_about(watch), exc_info=error)
        else:
            self._writing.over()
        if self._waiting_for_room:
            self._ticker.due(self._db.clock.now())

    async def _carry_out(self, watch: Watch) -> None:
        look = await self._looker.look(watch)
        point("verifier.watch.looked")
        async with self._db.transaction(Cause(WATCHING), "watch.looked") as tx:
            after = await watch_moves.looked(tx, watch, look)
        if after is None:
            return
        self._ticker.due(after.next_at)
        if after.health != watch.health:
            log.info("health.changed", **_about(after), health=after.health, reason=after.reason)

    def _hear(self, noted: Noted) -> None:
        if watch_moves.WATCHES in noted:
            self._ticker.due(self._db.clock.now())


def _about(watch: Watch) -> dict[str, str]:
    return {"pipeline": watch.pipeline, "stage": watch.stage, "service": watch.service, "run": str(watch.run)}
