"""Looks after the local target: what it needs to know of the rows, and who may be in its folder."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.deployer.adapters.local_target import LocalTarget
from services.deployer.store import read_active_steps
from shared.db import ServiceDatabase
from shared.residence import Residence


@dataclass(frozen=True, slots=True)
class LookingAfter:
    """Keeps the target where rows and disk say it should be."""

    db: ServiceDatabase
    target: LocalTarget
    residence: Residence

    @asynccontextmanager
    async def at_home(self) -> AsyncIterator[None]:
        """Be in the one folder that is ours for as long as the block lasts; else `Refused`."""
        async with self.residence.taken_up(self._note_lost):
            try:
                yield
            finally:
                await self.target.close()

    async def resume(self) -> datetime:
        """Do what the disk asks for, and end candidates that nobody will come back for."""
        at = await self.target.resume()
        # In this order: an attempt is active for as long as its candidate may come to be.
        if there := self.target.candidates():
            active = {f"{row.run}.{row.attempt}" for row in await self._active()}
            self.target.take_away(frozenset(there) - active)
        return at

    async def _note_lost(self) -> None:
        """Note whose processes went with the folder that ours replaces."""
        self.target.note_lost([f"{row.run}/{row.step}/{row.attempt}" for row in await self._active()])

    async def _active(self) -> Sequence[Any]:
        async with self.db.reading() as reading:
            return await read_active_steps(reading)
