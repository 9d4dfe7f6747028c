"""The synthesizer's SQL. Whoever decides for a pipeline locks it by name: at first it has no row."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa

from services.synthesizer import tables
from shared.db import Reading, Transaction, hold
from shared.events import PlanRejected, RevisionPlanned, RevisionSkipped
from shared.faults import TryAgain
from shared.ids import Commit

_KNOWN = sa.select(tables.pipelines).where(tables.pipelines.c.pipeline == sa.bindparam("its_pipeline"))
_DECIDED = sa.select(tables.decisions.c.pipeline).where(tables.decisions.c.push == sa.bindparam("its_push"))
_INSERT_PIPELINE = sa.insert(tables.pipelines)
_RAISE_NEWEST = (
    sa.update(tables.pipelines)
    .where(tables.pipelines.c.pipeline == sa.bindparam("its_pipeline"))
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

    async def lock(self, pipelines: Iterable[str]) -> None:
        """Let nobody else decide for these until the transaction ends: their events keep this order."""
        await hold(self.tx, *(f"synthesizer pipeline {pipeline}" for pipeline in pipelines))

    async def keep(self, decided: Decided, tracks: str, seen: Known | None) -> None:
        """Write a decision and say it; a push that is decided for this pipeline is left as it is.

        The pipeline is locked. Raises `TryAgain` when another push moved it since `seen` was read: the
        commit may be contained in the newest revision by now, and then is neither planned nor rejected.
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
        if not isinstance(decided, RevisionSkipped) and await read_known(self.tx, decided.pipeline) != seen:
            raise TryAgain(f"another push gave pipeline {decided.pipeline} a revision meanwhile")
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
            await self.tx.execute(_INSERT_PIPELINE, row)
        else:
            changed = {f"its_{name}": value for name, value in values.items()}
            await self.tx.execute(_RAISE_NEWEST, {"its_pipeline": planned.pipeline, **changed})


async def read_known(reading: Reading, pipeline: str) -> Known | None:
    """Return the pipeline as its newest revision left it."""
    row = (await reading.execute(_KNOWN, {"its_pipeline": pipeline})).first()
    if row is None:
        return None
    return Known(row.pipeline, row.repository, row.tracks, row.newest_revision, Commit(row.newest_commit))


async def read_decided(reading: Reading, push: UUID) -> frozenset[str]:
    """Return the pipelines for which the push is decided."""
    return frozenset((await reading.execute(_DECIDED, {"its_push": push})).scalars())
