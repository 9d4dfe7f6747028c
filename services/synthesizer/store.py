"""The synthesizer's SQL."""

from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa

from services.synthesizer import tables
from shared.db import Reading, Transaction
from shared.events import PlanRejected, RevisionPlanned, RevisionSkipped
from shared.faults import TryAgain
from shared.ids import Commit

Decided = RevisionPlanned | PlanRejected | RevisionSkipped


@dataclass(frozen=True, slots=True)
class Known:
    """A pipeline that has at least one revision."""

    pipeline: str
    repository: str
    tracks: str
    newest_revision: int
    newest_commit: Commit


@dataclass(frozen=True, slots=True)
class Store:
    """Writes inside one transaction."""

    tx: Transaction

    async def keep(self, decided: Decided, tracks: str, seen: Known | None) -> None:
        """Write a decision and say it; a push that is decided for this pipeline is left as it is.

        Raises `TryAgain` when another push moved the pipeline since `seen` was read.
        """
        revision = decided.revision if isinstance(decided, RevisionPlanned) else None
        row = {
            "push": decided.push,
            "pipeline": decided.pipeline,
            "decision": type(decided).type.split(".")[2],
            "revision": revision,
            "decided_at": self.tx.now,
        }
        if not await self.tx.insert_or_ignore(tables.decisions, row):
            return
        if isinstance(decided, RevisionPlanned):
            await self._raise_newest(decided, tracks, seen)
            plan = {"plan_hash": decided.plan_hash, "plan": decided.plan.canonical().decode()}
            await self.tx.insert_or_ignore(tables.plans, {**plan, "planned_at": self.tx.now})
        self.tx.emit(decided)

    async def _raise_newest(self, planned: RevisionPlanned, tracks: str, seen: Known | None) -> None:
        values = {
            "tracks": tracks,
            "newest_revision": planned.revision,
            "newest_commit": planned.commit,
        }
        if seen is None:
            row = {"pipeline": planned.pipeline, "repository": planned.repository, **values}
            moved = not await self.tx.insert_or_ignore(tables.pipelines, row)
        else:
            table = tables.pipelines.c
            unmoved = sa.and_(
                table.pipeline == planned.pipeline, table.newest_revision == seen.newest_revision
            )
            result = await self.tx.execute(sa.update(tables.pipelines).where(unmoved).values(values))
            moved = result.rowcount == 0
        if moved:
            raise TryAgain(f"another push gave pipeline {planned.pipeline} a revision meanwhile")


async def read_known(reading: Reading, pipeline: str) -> Known | None:
    """Return the pipeline as its newest revision left it."""
    query = sa.select(tables.pipelines).where(tables.pipelines.c.pipeline == pipeline)
    row = (await reading.execute(query)).first()
    if row is None:
        return None
    return Known(row.pipeline, row.repository, row.tracks, row.newest_revision, Commit(row.newest_commit))


async def read_decided(reading: Reading, push: UUID) -> frozenset[str]:
    """Return the pipelines for which the push is decided."""
    query = sa.select(tables.decisions.c.pipeline).where(tables.decisions.c.push == push)
    return frozenset((await reading.execute(query)).scalars())
