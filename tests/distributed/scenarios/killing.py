"""A random process dies every second and is started again."""

import asyncio
import time

from tests.distributed.trial import Trial

EVERY_SECONDS = 1.0


async def play(trial: Trial, seconds: float) -> None:
    """Push to everybody, and go on pushing while one after the other is killed."""
    await trial.first_pushes()
    async with trial.under_load():
        began = time.monotonic()
        for second in range(int(seconds / EVERY_SECONDS)):
            await asyncio.sleep(began + second * EVERY_SECONDS - time.monotonic())
            replica = trial.chance.choice(trial.fleet.replicas)
            await replica.process.kill()
            replica.process.launch()
            trial.counts["kills"] += 1
    await trial.fleet.ready()
