"""The synthesizer's SQL. Whoever decides for a pipeline locks it by name: at first it has no row."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from uuid import UUID

import sqlalchemy as sa

from services.synthesizer import ancestry, tables
from services.synthesizer.ancestry import Mark
from shared.db import Reading, Transaction, hold
from shared.events import PlanRejected, RevisionPlanned, RevisionSkipped
from shared.faults import TryAgain
from shared.ids import Commit

_KNOWN = sa.select(tables.pipelines).where(tables.pipelines.c.pipeline == sa.bindparam("its_pipeline"))
_DECIDED = sa.select(tables.decisions.c.pipeline).where(tables.decisions.c.push == sa.bindparam("its_push"))
_MARKS = (
    sa.select(tables.marks)
    .where(tables.marks.c.pipeline == sa.bindparam("its_pipeline"))
    .order_by(tables.marks.c.revision.desc(), tables.marks.c.ref)
)
_INSERT_MARK = sa.insert(tables.marks)
_REMOVE_MARK = sa.delete(tables.marks).where(
    tables.marks.c.pipeline == sa.bindparam("its_pipeline"),
    tables.marks.c.ref == sa.bindparam("its_ref"),
    tables.marks.c.commit == sa.bindparam("its_commit"),  # it may have come further since it was seen
)
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
    marks: tuple[Mark, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """A decision for one pipeline, and what it rests on."""

    decided: Decided
    seen: Known | None
    tracks: str = ""  # as the plan's file says; only of a plan
    mark: Mark | None = None  # how far its branch or tag has come by it
    passed: tuple[Mark, ...] = ()  # marks that tell nothing more: they lie behind that, or nobody has them


@dataclass(frozen=True, slots=True)
class Store:
    """Writes inside one transaction."""

    tx: Transaction

    async def lock(self, pipelines: Iterable[str]) -> None:
        """Let nobody else decide for these until the transaction ends: their events keep this order."""
        await hold(self.tx, *(f"synthesizer pipeline {pipeline}" for pipeline in pipelines))

    async def keep(self, verdict: Verdict) -> None:
        """Write a decision and say it; a push that is decided for this pipeline is left as it is.

        The pipeline is locked. Raises `TryAgain` when another push moved it since it was seen: the commit
        may be contained in the newest revision by now, and then is neither planned nor rejected, or may
        differ from it. What was contained, is not tracked or has another's name stays so.
        """
        decided = verdict.decided
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
        settled = isinstance(decided, RevisionSkipped) and verdict.mark is None
        if not settled and await read_known(self.tx, decided.pipeline) != verdict.seen:
            raise TryAgain(f"another push gave pipeline {decided.pipeline} a revision meanwhile")
        if isinstance(decided, RevisionPlanned):
            await self._raise_newest(decided, verdict)
            plan = {"plan_hash": decided.plan_hash, "plan": decided.plan.canonical().decode()}
            await self.tx.insert_or_ignore(tables.plans, {**plan, "planned_at": self.tx.now})
        await self._mark(decided.pipeline, verdict)
        self.tx.emit(decided)

    async def _mark(self, pipeline: str, verdict: Verdict) -> None:
        mark, given_up = verdict.mark, set(verdict.passed)
        if mark:
            known = verdict.seen.marks if verdict.seen else ()
            given_up.update(each for each in known if each.ref == mark.ref)
            given_up.update(ancestry.surplus(known, mark.ref))
        for old in sorted(given_up, key=lambda old: old.ref):
            its = {"its_pipeline": pipeline, "its_ref": old.ref, "its_commit": old.commit}
            await self.tx.execute(_REMOVE_MARK, its)
        if mark:
            await self.tx.execute(_INSERT_MARK, {"pipeline": pipeline, **asdict(mark)})

    async def _raise_newest(self, planned: RevisionPlanned, verdict: Verdict) -> None:
        values = {
            "tracks": verdict.tracks,
            "newest_revision": planned.revision,
            "newest_commit": planned.commit,
        }
        if verdict.seen is None:
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
    rows = await reading.execute(_MARKS, {"its_pipeline": pipeline})
    marks = tuple(Mark(mark.ref, Commit(mark.commit), mark.revision, mark.untouched) for mark in rows)
    newest = (row.newest_revision, Commit(row.newest_commit))
    return Known(row.pipeline, row.repository, row.tracks, *newest, marks)


async def read_decided(reading: Reading, push: UUID) -> frozenset[str]:
    """Return the pipelines for which the push is decided."""
    return frozenset((await reading.execute(_DECIDED, {"its_push": push})).scalars())
