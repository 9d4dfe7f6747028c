"""Roll-forward: a newer revision put into a stage past its queue, window and blockers, and past nothing else.

It must have come through the stage before, as whatever is promoted has. In its first stage it need not be
built: its run asks for that as any run does.
"""

from dataclasses import dataclass

from services.deployer.operations import definition, in_place
from services.deployer.operations.request import Done, Outcome, Refusal, Request
from services.deployer.run_state import RETRIED
from services.deployer.store import GateStore, WhereaboutsStore
from services.deployer.whereabouts import ENDED, key_before, not_through
from shared.ids import derive

TOLD_MAX = 3  # revisions of which it is said what is in their way, the newest first


@dataclass(frozen=True, slots=True)
class _Here:
    """What a revision is held against."""

    live: int  # 0: nothing ever ended well
    reached: int  # behind it only a rollback goes, though its run came to nothing
    held: frozenset[int]


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
    """Return the revision: the one named, or the newest that nothing is in the way of."""
    past = await request.store.past_runs(request.here)
    held = await request.store.held_revisions(request.here)
    here = _Here(past[0].revision if past else 0, await in_place.newest(request), held)
    named = request.asked.revision
    if named is None:
        return await _newest(request, here)
    why = await _not_newer(request, here, named) or await _in_the_way(request, here, named)
    return Refusal(why) if why else named


async def _newest(request: Request, here: _Here) -> int | Refusal:
    stage, told = request.asked.stage, list[str]()
    for number in await request.store.revision_numbers(request.asked.pipeline):
        if number <= here.live:
            break
        why = await _in_the_way(request, here, number) or await _ended_badly(request, number)
        if not why:
            return number
        told.append(why)
    if not told:
        return Refusal(f"nothing newer than revision {here.live}, which {stage} runs, is there: push it")
    what = f"nothing newer than revision {here.live}" if here.live else "nothing"
    return Refusal(f"{what} can go out in {stage}: {'; '.join(told[:TOLD_MAX])}")


async def _not_newer(request: Request, here: _Here, revision: int) -> str:
    """Return why a revision that was named is none that could go forward, or the empty string."""
    pipeline = request.asked.pipeline
    if not await WhereaboutsStore(request.store, pipeline).is_planned(revision):
        newest = max(await request.store.revision_numbers(pipeline))
        return f"there is no revision {revision} of {pipeline}: the newest is {newest}"
    if revision <= here.live and revision not in here.held:
        stage = request.asked.stage
        return f"revision {revision} is not newer than {here.live}, which {stage} runs: ask for a rollback"
    return ""


async def _in_the_way(request: Request, here: _Here, revision: int) -> str:
    """Return what keeps a revision out of the stage whoever asks for it, or the empty string."""
    asked = request.asked
    if revision in here.held:
        return f"revision {revision} is on hold in {asked.stage}: release the hold first"
    if behind := in_place.behind(here.reached, revision, asked.stage):
        return behind
    if kept_back := await definition.kept_back(request, revision):
        return kept_back
    plan = (await request.store.revision(asked.pipeline, revision)).plan
    if asked.stage not in [stage.name for stage in plan.stages]:
        return f"revision {revision} has no stage {asked.stage} in its pipeline file: push one that has"
    before = key_before(plan, asked.stage)
    there = WhereaboutsStore(request.store, asked.pipeline)
    if not before or await there.has_come_through(before, revision):
        return ""
    return not_through(revision, await there.of(before, revision))


async def _ended_badly(request: Request, revision: int) -> str:
    """Return that nobody should get it unasked, because its last run here came to nothing."""
    last = await WhereaboutsStore(request.store, request.asked.pipeline).last_run(request.here, revision)
    if last is None or last.state not in RETRIED:
        return ""
    return f"revision {revision} {ENDED[last.state]} here: name it to insist, retry it, or push a fix"
