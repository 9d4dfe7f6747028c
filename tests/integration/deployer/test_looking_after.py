"""What the deployer's rows tell the local target: which candidates nobody will come back for."""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import sqlalchemy as sa

from services.deployer import tables
from services.deployer.adapters.local_target import LocalTarget
from services.deployer.looking_after import LookingAfter
from shared.clock import SystemClock
from shared.db import ServiceDatabase, metadata
from shared.db.sqlite import SqliteDatabase
from shared.residence import Residence
from tests.builders import START

ACTIVE, ENDED = UUID(int=1), UUID(int=2)


@dataclass
class FakeTarget:
    """A target with a candidate of each run."""

    abandoned: frozenset[str] = frozenset()
    lost: list[str] = field(default_factory=list)
    closed: bool = False

    async def resume(self) -> datetime:
        return START

    def candidates(self) -> list[str]:
        return [f"{ACTIVE}.1", f"{ACTIVE}.2", f"{ENDED}.1"]

    def take_away(self, abandoned: frozenset[str]) -> None:
        self.abandoned = abandoned

    def note_lost(self, attempts: list[str]) -> None:
        self.lost = attempts

    async def close(self) -> None:
        self.closed = True


async def add_step(database: SqliteDatabase, run: UUID, state: str, attempt: int) -> None:
    row = {
        "run": run,
        "step": "web",
        "state": state,
        "attempt": attempt,
        "verification_state": "",
    }
    async with database.begin() as (connection, _):
        await connection.execute(sa.insert(tables.steps), row)


async def test_candidates_of_attempts_that_are_over_are_taken_away_and_no_others(tmp_path: Path) -> None:
    database = SqliteDatabase(tmp_path / "windlass.db", SystemClock())
    metadata.create_all(database.writer)
    await add_step(database, ACTIVE, "Verifying", 2)
    await add_step(database, ENDED, "Failed", 1)
    target: Any = FakeTarget()
    db = ServiceDatabase(database, "deployer")
    looking_after = LookingAfter(db, cast("LocalTarget", target), Residence(db, tmp_path / "data"))
    assert await looking_after.resume() == START
    assert target.abandoned == {f"{ACTIVE}.1", f"{ENDED}.1"}
    async with looking_after.at_home():
        assert target.lost == []
    other = Residence(db, tmp_path / "elsewhere", (tmp_path / "data/identity").read_text().strip())
    async with LookingAfter(db, cast("LocalTarget", target), other).at_home():
        assert target.lost == [f"{ACTIVE}/web/2"]
    assert target.closed
    await database.close()
