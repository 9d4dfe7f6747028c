"""Roll-forward: a newer revision whose artifacts exist, put into a stage past its queue, window, blockers."""

from services.deployer.operations import definition, in_place
from services.deployer.operations.request import Done, Outcome, Refusal, Request
from services.deployer.run_course import USABLE
from services.deployer.store import GateStore
from shared.ids import derive


async def roll_forward(request: Request) -> Outcome:
    """Make the run, unless something holds the stage or a person has stopped it."""
    asked = request.asked
    holder = await request.holder()
    if holder:
        return Refusal(
            f"revision {holder.revision} is {holder.state} in {asked.stage}: wait for its end, or cancel it"
        )
    gates = await GateStore(request.store.tx).gates(asked.pipeline, asked.stage, None)
    if gates.stop:
        return Refusal(f"{gates.stop.actor} stopped {asked.stage}: resume it first")
    revision = await _meant(request)
    if isinstance(revision, Refusal):
        return revision
    run = await request.runs.forward(derive(asked.operation, "run"), revision)
    return Done(f"revision {revision} goes out in {asked.stage} now, past its queue and window", run.run)


async def _meant(request: Request) -> int | Refusal:
    """Return the revision: the one named, or the newest that is built."""
    asked = request.asked
    past = await request.store.past_runs(request.here)
    live = past[0].revision if past else 0
    newer = [number for number in await request.store.revision_numbers(asked.pipeline) if number > live]
    held = await request.store.held_revisions(request.here)
    if asked.revision in held:
        return Refusal(f"revision {asked.revision} is on hold in {asked.stage}: release the hold first")
    reached = await in_place.newest(request)
    if asked.revision and (refusal := in_place.behind(reached, asked.revision, asked.stage)):
        return Refusal(refusal)
    newer = [number for number in newer if number not in held and number >= reached]
    if asked.revision and asked.revision not in newer:
        return Refusal(
            f"revision {asked.revision} is not newer than {live}, which {asked.stage} runs: "
            "ask for a rollback"
        )
    if asked.revision and (refusal := await definition.kept_back(request, asked.revision)):
        return Refusal(refusal)
    for number in [asked.revision] if asked.revision else sorted(newer, reverse=True):
        if await _is_built(request, number):
            return number
    return Refusal(
        f"revision {asked.revision} is not built"
        if asked.revision
        else f"nothing newer than revision {max(live, reached)} is built: push it, or wait for its build"
    )


async def _is_built(request: Request, number: int) -> bool:
    revision = await request.store.revision(request.asked.pipeline, number)
    if request.asked.stage not in [stage.name for stage in revision.plan.stages]:
        return False
    if await definition.kept_back(request, number):
        return False
    artifacts = await request.store.artifacts(request.asked.pipeline, number)
    return all(artifact.state in USABLE for artifact in artifacts.values())
