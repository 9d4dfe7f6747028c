"""Stop and resume, a hold's release, a window's override: what a person opens and shuts."""

from services.deployer.operations.request import Done, Outcome, Refusal, Request
from services.deployer.store import GateStore
from shared.events import BlockerLifted, HoldReleased, StageResumed, StageStopped, WindowOverridden
from shared.ids import WHOLE

OVERRIDE_HOURS_MAX = 7 * 24


async def stop(request: Request) -> Outcome:
    """Let the stage begin nothing more; what runs goes on."""
    asked = request.asked
    if not await GateStore(request.store.tx).stop(asked.pipeline, asked.stage, asked.actor, asked.reason):
        return Done(f"{_shown(request)} was stopped already")
    request.store.tx.emit(
        StageStopped(pipeline=asked.pipeline, stage=asked.stage, actor=asked.actor, reason=asked.reason)
    )
    return Done(f"{_shown(request)} begins nothing more; what runs goes on to its end")


async def resume(request: Request) -> Outcome:
    """Let it begin runs again."""
    asked = request.asked
    if not await GateStore(request.store.tx).resume(asked.pipeline, asked.stage):
        return Refusal(f"{_shown(request)} is not stopped itself: look at what `windlass why` says")
    request.store.tx.emit(
        StageResumed(pipeline=asked.pipeline, stage=asked.stage, actor=asked.actor, reason=asked.reason)
    )
    return Done()


async def release_hold(request: Request) -> Outcome:
    """Let a revision that was rolled back from be deployed here again."""
    asked = request.asked
    held = sorted(await request.store.held_revisions(request.here))
    revision = asked.revision or (held[0] if len(held) == 1 else None)
    if revision is None or revision not in held:
        if not held:
            return Refusal(f"no revision is on hold in {asked.stage}: whatever is newest may be deployed")
        which = f"on hold are {', '.join(map(str, held))}"
        return Refusal(f"say which revision of {asked.stage} to release: {which}")
    await release(request, revision)
    what = f"revision {revision} may be deployed to {asked.stage} again"
    past = await request.store.past_runs(request.here)
    live = past[0].revision if past else 0
    if revision == live:
        return Done(f"{what}; it is what {asked.stage} runs")
    command = "roll-forward" if revision > live else "rollback"
    return Done(
        f"{what}: `windlass {command} {asked.pipeline} {asked.stage} --to {revision}` brings it there"
    )


async def release(request: Request, revision: int) -> None:
    """Take the hold of a revision away, and say so."""
    asked = request.asked
    await GateStore(request.store.tx).release_hold(request.here, revision)
    released = HoldReleased(
        pipeline=asked.pipeline,
        stage=asked.stage,
        revision=revision,
        actor=asked.actor,
        reason=asked.reason,
    )
    request.store.tx.emit(released, str(asked.operation))


async def lift_blocker(request: Request) -> Outcome:
    """Let the stage begin runs though what blocks it is not over."""
    asked, now = request.asked, request.store.tx.now
    standing = await GateStore(request.store.tx).standing(request.here)
    name = asked.blocker or (standing[0] if len(standing) == 1 else "")
    if name not in standing:
        if not standing:
            return Refusal(f"{asked.stage} is not blocked: look at what `windlass why` says")
        return Refusal(f"{asked.stage} is blocked by {', '.join(standing)}: say which")
    await GateStore(request.store.tx).lift(request.here, name, now)
    request.store.tx.emit(
        BlockerLifted(
            pipeline=asked.pipeline,
            stage=asked.stage,
            blocker=name,
            actor=asked.actor,
            reason=asked.reason,
            at=now,
        )
    )
    return Done(f"{name} no longer keeps {asked.stage} closed, until it fires again")


async def override_window(request: Request) -> Outcome:
    """Let the stage begin runs though its window is closed."""
    asked, now = request.asked, request.store.tx.now
    if asked.until is None or asked.until <= now:
        return Refusal("say until when the window is overridden: an instant that lies ahead")
    if (asked.until - now).total_seconds() > OVERRIDE_HOURS_MAX * 3600:
        return Refusal(
            f"a window is overridden for at most {OVERRIDE_HOURS_MAX} hours; change it in the file"
        )
    if not asked.reason:
        return Refusal("say why the window is overridden")
    await GateStore(request.store.tx).override_window(request.here, asked.until, asked.actor, asked.reason)
    request.store.tx.emit(
        WindowOverridden(
            pipeline=asked.pipeline,
            stage=asked.stage,
            until=asked.until,
            actor=asked.actor,
            reason=asked.reason,
        )
    )
    return Done(f"{asked.stage} begins runs until {asked.until:%Y-%m-%d %H:%M} UTC, whatever its window says")


def _shown(request: Request) -> str:
    asked = request.asked
    return f"pipeline {asked.pipeline}" if asked.stage == WHOLE else f"{asked.pipeline}/{asked.stage}"
