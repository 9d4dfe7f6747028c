"""A little of each, on one fleet: what starting ten processes four times costs is better spent on faults."""

from tests.distributed.scenarios import demo, duplicates, killing, outages
from tests.distributed.trial import Trial


async def play(trial: Trial, seconds: float) -> None:
    """Play the demo while all is well, then kill, then restart the database, then say everything twice."""
    await demo.play(trial, seconds)
    await killing.play(trial, seconds / 2)
    await outages.database_restarted(trial, seconds / 4)
    await duplicates.play(trial, seconds / 8)
