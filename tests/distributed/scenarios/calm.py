"""Nothing goes wrong: what the others are measured against."""

import asyncio
import time

from tests.distributed.trial import Trial


async def play(trial: Trial, seconds: float) -> None:
    """Push to one after the other, each when the one before has had time to get through."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for barge in trial.barges:
            await trial.forge.push(barge)
            await asyncio.sleep(1 / trial.load.pushes_per_second)
