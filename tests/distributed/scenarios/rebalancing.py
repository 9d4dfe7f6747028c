"""Replicas of random services join and leave, so that partitions wander all the time."""

import asyncio
import time

from tests.distributed.fleet import Replica, end
from tests.distributed.trial import Trial

EVERY_SECONDS = 2.0
REPLICAS_MAX = 3


async def play(trial: Trial, seconds: float) -> None:
    """Push all the while, and have somebody join or leave every two seconds."""
    await trial.first_pushes()
    leaving: list[asyncio.Task[None]] = []
    async with trial.under_load():
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            service = trial.chance.choice(sorted(trial.fleet.roster))
            _join_or_leave(trial, service, leaving)
            await asyncio.sleep(EVERY_SECONDS)
        await asyncio.gather(*leaving)
    for replica in trial.fleet.replicas:
        if replica.number <= trial.fleet.roster[replica.service] and not replica.process.running:
            replica.process.launch()
    await trial.fleet.ready()


def _join_or_leave(trial: Trial, service: str, leaving: list[asyncio.Task[None]]) -> None:
    known = trial.fleet.of(service)
    busy = {task.get_name() for task in leaving if not task.done()}
    there = [each for each in known if each.process.running and each.name not in busy]
    absent = [each for each in known if not each.process.running and each.name not in busy]
    if len(there) > 1 and ((len(known) >= REPLICAS_MAX and not absent) or trial.chance.random() < 0.5):
        leaver = trial.chance.choice(there)
        leaving.append(asyncio.create_task(_leave(trial, leaver), name=leaver.name))
    elif absent or len(known) < REPLICAS_MAX:
        joiner = trial.chance.choice(absent) if absent else trial.fleet.add(service, len(known) + 1)
        joiner.process.launch()
        trial.counts["joins"] += 1


async def _leave(trial: Trial, replica: Replica) -> None:
    trial.counts["leaves"] += 1
    if complaint := await end(replica):
        trial.complaints.append(complaint)
