"""What a stage serves of runs that came to nothing: behind it only a rollback goes (S5).

A run may give a service its address, fail after that, and have nothing to be rolled back to. Its revision
never succeeded, and yet it is what users see: to put an older one in its place would be to go backwards, and
nobody would find a rollback recorded.
"""

from services.deployer.operations.request import Request
from services.deployer.records import RunRecord
from shared.step_types import STEP_TYPES


async def newest(request: Request) -> int:
    """Return the newest revision that was given an address here since anything was good; 0: none."""
    ended = await request.store.bad_ends(request.here)
    return max([run.revision for run in ended if await _switched(request, run)], default=0)


def behind(newest: int, revision: int, stage: str) -> str:
    """Return why a revision may not go out here, or the empty string."""
    if revision >= newest:
        return ""
    return (
        f"{stage} serves revision {newest}, which is newer, though its run came to nothing: "
        f"roll it back, try it again, or push a fix"
    )


async def _switched(request: Request, run: RunRecord) -> bool:
    revision = await request.store.revision(run.pipeline, run.revision)
    plan = next(stage for stage in revision.plan.stages if stage.name == run.stage)
    verified = {step.id for step in plan.steps if STEP_TYPES[step.type].verified}
    steps = await request.store.steps(run.run)
    return any("url" in step.outputs for id_, step in steps.items() if id_ in verified and step.attempt)
