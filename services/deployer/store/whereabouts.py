"""Where a revision stands in a stage, read in a transaction that has locked the pipeline."""

from dataclasses import dataclass

import sqlalchemy as sa

from services.deployer import tables
from services.deployer.records import RunRecord, run_record
from services.deployer.run_state import RETRIED, State
from services.deployer.store import statements as ask
from services.deployer.store.pipeline import Store
from services.deployer.whereabouts import Whereabouts

_runs, _revisions = tables.runs.c, tables.revisions.c
LAST_OF = (  # what is open comes last, and what gave way counts only where there is nothing else
    sa.select(tables.runs)
    .where(_runs.stage_key == sa.bindparam("here"), _runs.revision == sa.bindparam("number"))
    .order_by(
        sa.case((tables.runs.c.state == State.SUPERSEDED.value, 1), else_=0),
        sa.case((_runs.finished_at.is_(None), 0), else_=1),
        _runs.finished_at.desc(),
        _runs.started_at.desc(),
        _runs.created_at.desc(),
        _runs.kind.desc(),
        _runs.run.desc(),
    )
    .limit(1)
)
PLANNED = sa.select(_revisions.revision).where(
    _revisions.pipeline == sa.bindparam("of"), _revisions.revision == sa.bindparam("number")
)


@dataclass(frozen=True, slots=True)
class WhereaboutsStore:
    """Reads of what became of the revisions of a pipeline."""

    store: Store
    pipeline: str

    async def is_planned(self, revision: int) -> bool:
        """Tell whether there is a revision of that number."""
        row = await self.store.tx.execute(PLANNED, {"of": self.pipeline, "number": revision})
        return row.first() is not None

    async def has_come_through(self, key: str, revision: int) -> bool:
        """Tell whether the revision ever ended in place in the stage."""
        row = await self.store.tx.execute(ask.GOOD_RUN, {"here": key, "number": revision})
        return row.first() is not None

    async def last_run(self, key: str, revision: int) -> RunRecord | None:
        """Return the run in the stage that says last how the revision fared there."""
        row = (await self.store.tx.execute(LAST_OF, {"here": key, "number": revision})).first()
        return run_record(row) if row else None

    async def of(self, key: str, revision: int) -> Whereabouts:
        """Return where a revision stands in a stage that it has not come through."""
        stage = key.rpartition("/")[2]
        run = await self.last_run(key, revision)
        if run is None:
            return Whereabouts(stage, State.NOT_STARTED)
        steps = await self.store.steps(run.run)
        given = [each.verdict for step in steps.values() for each in step.given]
        return Whereabouts(
            stage,
            run.state,
            wait=run.wait,
            is_ready=run.ready,
            is_rejected=run.state in RETRIED and "rejected" in given,
            is_held=revision in await self.store.held_revisions(key),
            is_behind=any(good.revision > revision for good in await self.store.past_runs(key)),
        )
