"""The synthesizer's SQL. Whoever decides for a pipeline locks it by name: at first it has no row."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from uuid import UUID

import sqlalchemy as sa

from services.synthesizer import ancestry, tables
from services.synthesizer.ancestry import Mark
from shared.db import Reading, Transaction, hold
from shared.events import PlanRejected, PushRefused, RevisionPlanned, RevisionSkipped
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

    def given_up(self) -> frozenset[Mark]:
        """Return the marks that the pipeline has no more."""
        if not self.mark:
            return frozenset(self.passed)
        known, ref = self.seen.marks if self.seen else (), self.mark.ref
        replaced = [each for each in known if each.ref == ref]
        return frozenset([*self.passed, *replaced, *ancestry.surplus(known, ref)])

    def left(self) -> Known | None:
        """Return the pipeline as the decision leaves it."""
        known, decided = self.seen, self.decided
        if isinstance(decided, RevisionPlanned):
            marks = known.marks if known else ()
            newest = (decided.revision, decided.commit)
            known = Known(decided.pipeline, decided.repository, self.tracks, *newest, marks)
        if known is None:
            return None
        given_up = self.given_up()
        marks = (*(mark for mark in known.marks if mark not in given_up), *([self.mark] if self.mark else ()))
        return replace(known, marks=tuple(sorted(marks, key=lambda mark: (-mark.revision, mark.ref))))


@dataclass(frozen=True, slots=True)
class Store:
    """Writes inside one transaction."""

    tx: Transaction
    _left: dict[str, Known | None] = field(default_factory=dict)  # as the decisions written so far leave them

    async def lock(self, pipelines: Iterable[str]) -> None:
        """Let nobody else decide for these until the transaction ends: their events keep this order."""
        await hold(self.tx, *(f"synthesizer pipeline {pipeline}" for pipeline in pipelines))

    async def write(self, answer: PushRefused | Sequence[Verdict]) -> None:
        """Write what a push is answered, for all pipelines; they are locked."""
        if isinstance(answer, PushRefused):
            self.tx.emit(answer)
            return
        for verdict in answer:
            await self.keep(verdict)

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
        if not settled:
            await self._check(decided.pipeline, verdict.seen)
        if isinstance(decided, RevisionPlanned):
            await self._raise_newest(decided, verdict)
            plan = {"plan_hash": decided.plan_hash, "plan": decided.plan.canonical().decode()}
            await self.tx.insert_or_ignore(tables.plans, {**plan, "planned_at": self.tx.now})
        await self._mark(decided.pipeline, verdict)
        self.tx.emit(decided)
        if settled:  # it rests on nothing that was looked at again
            self._left.pop(decided.pipeline, None)
        else:
            self._left[decided.pipeline] = verdict.left()

    async def _check(self, pipeline: str, seen: Known | None) -> None:
        if pipeline not in self._left:
            self._left[pipeline] = await read_known(self.tx, pipeline)
        if self._left[pipeline] != seen:
            raise TryAgain(f"another push gave pipeline {pipeline} a revision meanwhile")

    async def _mark(self, pipeline: str, verdict: Verdict) -> None:
        mark = verdict.mark
        for old in sorted(verdict.given_up(), key=lambda old: old.ref):
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
