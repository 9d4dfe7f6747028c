"""What a plan says of its stages, written to their rows.

A plan that nobody has let through yet brings what it adds, so that its runs have somewhere to wait, and
changes nothing that is there: an alarm that it takes away still rolls back.
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
            bare = stage.model_copy(update={"alarm": "", "queue": "newest"})
            await store.declare_stage(plan.pipeline, bare, place)
            _say(store, plan, stage, place)


async def declare_stages(store: Store, plan: Plan) -> None:
    """Let the stages be what the plan says; no alarm is about stages that it does not have."""
    before = {stage.stage: stage for stage in await store.stages(plan.pipeline)}
    await store.forget_alarms(plan.pipeline, [stage.name for stage in plan.stages])
    for place, stage in enumerate(plan.stages):
        await store.declare_stage(plan.pipeline, stage, place)
        if not _is_told(before[stage.name], stage, place):
            _say(store, plan, stage, place)


def _is_told(before: StageRecord, stage: StagePlan, place: int) -> bool:
    return (before.place, before.target) == (place, stage.target)


def _say(store: Store, plan: Plan, stage: StagePlan, place: int) -> None:
    declared = StageDeclared(pipeline=plan.pipeline, stage=stage.name, place=place, target=stage.target)
    store.tx.emit(declared, plan.commit)  # two revisions may be let through at once
