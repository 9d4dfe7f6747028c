"""The synthesizer's SQL."""

from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa

from services.synthesizer import tables
from shared.db import Reading, Transaction
from shared.events import PlanRejected, RevisionPlanned, RevisionSkipped
from shared.faults import TryAgain
from shared.ids import Commit

_KNOWN = sa.select(tables.pipelines).where(tables.pipelines.c.pipeline == sa.bindparam("its_pipeline"))
_DECIDED = sa.select(tables.decisions.c.pipeline).where(tables.decisions.c.push == sa.bindparam("its_push"))
_RAISE_NEWEST = (
    sa.update(tables.pipelines)
    .where(
        tables.pipelines.c.pipeline == sa.bindparam("its_pipeline"),
        tables.pipelines.c.newest_revision == sa.bindparam("seen_revision"),
    )
    .values(
        tracks=sa.bindparam("its_tracks"),
        newest_revision=sa.bindparam("its_newest_revision"),
        newest_commit=sa.bindparam("its_newest_commit"),
    )
)

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
            unmoved = {"its_pipeline": planned.pipeline, "seen_revision": seen.newest_revision}
            result = await self.tx.execute(
                _RAISE_NEWEST, unmoved | {f"its_{k}": v for k, v in values.items()}
            )
            moved = result.rowcount == 0
        if moved:
            raise TryAgain(f"another push gave pipeline {planned.pipeline} a revision meanwhile")


async def read_known(reading: Reading, pipeline: str) -> Known | None:
    """Return the pipeline as its newest revision left it."""
    row = (await reading.execute(_KNOWN, {"its_pipeline": pipeline})).first()
    if row is None:
        return None
    return Known(row.pipeline, row.repository, row.tracks, row.newest_revision, Commit(row.newest_commit))


async def read_decided(reading: Reading, push: UUID) -> frozenset[str]:
    """Return the pipelines for which the push is decided."""
    return frozenset((await reading.execute(_DECIDED, {"its_push": push})).scalars())
