"""Gives a run its steps as it begins, and with them what it takes over from a run before it.

Every function runs inside a transaction that has locked the pipeline.
"""

from uuid import UUID

from services.deployer.kept import given_by_left_out, last_that_did_all, need_not_be_done
from services.deployer.records import RunRecord
from services.deployer.step_state import StepTrigger, advance
from services.deployer.store import Store
from shared.events import StepKept
from shared.ids import Pipeline, Stage
from shared.plan import StagePlan


async def add_steps(store: Store, run: RunRecord, plan: StagePlan) -> None:
    """Insert the run's steps as its plan and the runs before it make them."""
    await store.add_steps(run.run, [step.id for step in plan.steps])
    if run.kind == "rollback":
        await _restore(store, run, plan)
    elif run.keeps:
        await _keep(store, run, plan)


async def begun_of(store: Store, tried: UUID | None) -> RunRecord | None:
    """Return the run that is tried again, or where that never began the one before it that did."""
    run = await store.run(tried) if tried else None
    while run is not None and not run.has_begun:
        run = await store.run(run.again_of) if run.again_of else None
    return run


async def acted_since(store: Store, run: RunRecord) -> RunRecord | None:
    """Return the last run that acted on the stage if it is not this one, which is over."""
    last = await store.last_begun(run.stage_key)
    return last if last is not None and last.run != run.run else None


async def _keep(store: Store, run: RunRecord, plan: StagePlan) -> None:
    """Take over what need not be done again; nothing if another run acted here while this one waited."""
    tried = await begun_of(store, run.again_of)
    if tried is None or await acted_since(store, tried):
        return
    before, own = await store.steps(tried.run), await store.steps(run.run)
    for step in need_not_be_done(plan, before):
        outputs = before[step.id].outputs
        state = advance(own[step.id].state, StepTrigger.KEPT)
        await store.change_step(own[step.id], state=state, outputs=outputs, finished_at=store.tx.now)
        kept = StepKept(
            pipeline=Pipeline(run.pipeline),
            stage=Stage(run.stage),
            run=run.run,
            revision=run.revision,
            step=step.id,
            attempt=0,
            outputs=outputs,
            of_run=tried.run,
        )
        store.tx.emit(kept, f"{run.run} {step.id}")


async def _restore(store: Store, run: RunRecord, plan: StagePlan) -> None:
    """Note with the steps that are left out what they gave: the others may use it as if they had run."""
    if all(step.on_rollback != "skip" for step in plan.steps):
        return
    done = last_that_did_all(await store.past_runs(run.stage_key), run.revision)
    before = await store.steps(done) if done else {}
    own = await store.steps(run.run)
    for id_, outputs in given_by_left_out(plan, before).items():
        await store.change_step(own[id_], outputs=dict(outputs))
