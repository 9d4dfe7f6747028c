"""What a plan says of its stages, written to their rows.

A plan that nobody has let through yet brings what it adds, so that its runs have somewhere to wait, and
changes nothing that is there: an alarm that it takes away still rolls back. Its new stages are not told of,
and count as none of the pipeline's, until it is let through. Those that a newer plan leaves out stay as rows
for what once ran there, and are none of the pipeline's any more either.
"""

from services.deployer.records import StageRecord
from services.deployer.store import Store
from shared.events import StageDeclared
from shared.plan import Plan, StagePlan


async def add_stages(store: Store, plan: Plan) -> None:
    """Make sure that every stage of a plan has a row; a new one has the usual queue and no alarm yet."""
    known = {stage.stage for stage in await store.stages(plan.pipeline)}
    for place, stage in enumerate(plan.stages):
        if stage.name not in known:
            await store.add_stage(plan.pipeline, stage, place)


async def declare_stages(store: Store, plan: Plan) -> None:
    """Let the pipeline's stages be those of the plan, as it says."""
    before = {stage.stage: stage for stage in await store.stages(plan.pipeline)}
    await store.drop_stages(plan.pipeline, [stage.name for stage in plan.stages])
    for place, stage in enumerate(plan.stages):
        was = before[stage.name]
        if not (_is_told(was, stage, place) and (was.alarm, was.queue) == (stage.alarm, stage.queue)):
            await store.declare_stage(plan.pipeline, stage, place)
        if not _is_told(was, stage, place):
            _say(store, plan, stage, place)


def _is_told(before: StageRecord, stage: StagePlan, place: int) -> bool:
    return before.in_plan and (before.place, before.target) == (place, stage.target)


def _say(store: Store, plan: Plan, stage: StagePlan, place: int) -> None:
    declared = StageDeclared(pipeline=plan.pipeline, stage=stage.name, place=place, target=stage.target)
    store.tx.emit(declared, plan.commit)  # two revisions may be let through at once
