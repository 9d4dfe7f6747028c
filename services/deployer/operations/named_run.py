"""The run that somebody names: found, or said truthfully why it is none that could be meant here."""

from services.deployer.operations.request import Refusal, Request
from services.deployer.records import RunRecord


async def named_run(request: Request) -> RunRecord | Refusal | None:
    """Return the run of this stage that is named; None: none is named."""
    asked = request.asked
    if asked.run is None:
        return None
    here = f"{asked.pipeline}/{asked.stage}"
    run = await request.store.run(asked.run)
    if run is None:
        known = f"`windlass runs {asked.pipeline} {asked.stage}` lists those of {here}"
        return Refusal(f"there is no run {asked.run}: {known}")
    if run.stage_key != request.here:
        return Refusal(f"run {asked.run} is one of {run.stage_key}, not of {here}: name that stage")
    return run
