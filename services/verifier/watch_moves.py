"""What happens to watches: a run begins, a run is over, a look was made. Each in one transaction."""

from dataclasses import replace

from services.verifier import health_alarm, watched_stage
from services.verifier.sample import Look
from services.verifier.store import watches
from services.verifier.watch import Watch, after_look, begun, ended, sampled
from services.verifier.watched_stage import Heard, WatchedStage
from shared.db import Transaction
from shared.events import Event, RunFinished, RunStarted, RunSucceeded
from shared.events.runs import RunEvent

WATCHES = "watches"  # what a commit touched, for whoever looks


async def run_began(tx: Transaction, body: RunStarted, heard: Heard) -> None:
    """Note that a run changes what is in the stage."""
    stage = await watches.lock_stage(tx, _stage_of(body))
    await watches.keep_stage(tx, watched_stage.run_began(stage, body.run, heard))


async def run_over(tx: Transaction, body: RunFinished, heard: Heard) -> None:
    """Note that it changes nothing any more, and watch what it brought."""
    stage = await watches.lock_stage(tx, _stage_of(body))
    after = watched_stage.run_over(stage, body.run, heard)
    if isinstance(body, RunSucceeded) and (live := watched_stage.brings(after, heard)):
        after = await _watch_what_is_live(tx, live, body)
        tx.noted.add(WATCHES)
    await watches.keep_stage(tx, after)


async def looked(tx: Transaction, watch: Watch, look: Look) -> Watch | None:
    """Write what a look made of its watch; None when the watch was taken by another since, or is over."""
    stage = await watches.lock_stage(tx, WatchedStage(watch.pipeline, watch.stage))
    busy = watch.busy or stage.busy
    told = after_look(watch, look, tx.now, busy=busy)
    after = told.watch
    if not await watches.put(tx, watch, after):
        return None
    for event in told.says:
        _say(tx, event, after)
    if health_alarm.raises(after.health, stage.alarm, busy=busy):
        fires = health_alarm.firing(after.pipeline, after.stage, after.service, after.reason, tx.now)
        _say(tx, fires, after)
        await watches.keep_stage(tx, replace(stage, alarm=fires.state))
    elif health_alarm.clears({after.health}, stage.alarm):
        cleared = await _cleared(tx, stage, f"{after.run} {after.service} {after.version}")
        if cleared is not stage:
            await watches.keep_stage(tx, cleared)
    return after


async def _watch_what_is_live(tx: Transaction, stage: WatchedStage, body: RunSucceeded) -> WatchedStage:
    """Begin the watches of what a run deployed, end those of what the stage deploys no more.

    A deployer of an earlier release tells addresses and nothing else: by that nothing begins or ends.
    """
    if body.urls and not body.services:
        return stage
    before = await watches.of_stage(tx, stage)
    brought = {target.service: target for target in body.targets}
    for service, watch in before.items():
        if service in brought or service not in body.services:
            await _end(tx, watch, for_good=service not in brought)
    for service in sorted(brought):
        watch = Watch(
            pipeline=body.pipeline,
            stage=body.stage,
            run=body.run,
            revision=body.revision,
            target=brought[service],
            private_addresses=body.private_addresses,
            next_at=tx.now,
        )
        await watches.add(tx, begun(watch, tx.now))
    return await _cleared(tx, stage, "after a run")


async def _end(tx: Transaction, watch: Watch, *, for_good: bool) -> None:
    for event in sampled(watch):
        tx.emit(event, watch.service)
    if for_good:
        tx.emit(ended(watch), watch.service)
    await watches.forget(tx, watch)


async def _cleared(tx: Transaction, stage: WatchedStage, role: str) -> WatchedStage:
    """Say that the stage's alarm is clear, if all of its services being healthy makes it so."""
    if not health_alarm.clears(await watches.healths(tx, stage), stage.alarm):
        return stage
    cleared = health_alarm.clear(stage.pipeline, stage.stage, tx.now)
    tx.emit(cleared, role)
    return replace(stage, alarm=cleared.state)


def _say(tx: Transaction, event: Event, watch: Watch) -> None:
    """Have it said under an id that no other look's event has: a version is written once."""
    tx.emit(event, f"{watch.run} {watch.service} {watch.version}")


def _stage_of(body: RunEvent) -> WatchedStage:
    return WatchedStage(body.pipeline, body.stage)
