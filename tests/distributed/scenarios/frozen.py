"""A deployer is frozen in the middle of a transaction, for longer than anybody waits for it.

What happened to Spinnaker (its issue 7921): a handler that slept past its session woke up and wrote over
what another one had finished meanwhile.
"""

import asyncio
import signal
import time
from datetime import UTC, datetime
from typing import Any

import asyncpg

from tests.distributed.barge import STAGES, Barge
from tests.distributed.fleet import Replica
from tests.distributed.reckoning import arrived
from tests.distributed.trial import Trial

FIRST_RUNS_SECONDS_MAX = 180.0
CAUGHT_SECONDS_MAX = 60.0
TAKEN_OVER_SECONDS_MAX = 150.0  # session, idle transaction, lease: each lapses in turn
AWAKE_SECONDS_MAX = 60.0
LOOK_SECONDS = 0.05
PASSING_NANOSECONDS = 500_000_000  # for what the frozen one had begun and others do not hold up

# Which deployer's transaction waits for the lock that we hold.
_BLOCKED = (
    "SELECT pid, application_name FROM pg_stat_activity "
    "WHERE $1 = ANY(pg_blocking_pids(pid)) AND application_name LIKE '%deployer%'"
)
_HOLD = "SELECT 1 FROM stages WHERE key = $1 FOR UPDATE"
_HEARD = (
    "SELECT count(*) FROM inbox JOIN status_history ON status_history.id = inbox.event "
    "WHERE consumer_group = 'deployer' AND heard_at > $1 AND pipeline = $2"
)
_THERE = "SELECT count(*) FROM pg_stat_activity WHERE pid = $1"
_RUN_OF = "SELECT run, state FROM runs WHERE pipeline = $1 AND stage = $2 ORDER BY revision DESC LIMIT 1"


async def play(trial: Trial, seconds: float) -> None:
    """Freeze one in the middle of a message about a barge, time and again, with others under load."""
    await trial.first_pushes()
    async with asyncio.timeout(FIRST_RUNS_SECONDS_MAX):
        while not all(arrived(barge) for barge in trial.barges):
            await asyncio.sleep(LOOK_SECONDS * 10)
    rounds = max(int(seconds // 30), 1)
    async with trial.under_load():
        for number in range(rounds):
            await _freeze_one(trial, trial.barges[number % len(trial.barges)])
    await trial.fleet.ready()


async def _freeze_one(trial: Trial, barge: Barge) -> None:
    looking = await asyncpg.connect(trial.ground.database, timeout=10)
    try:
        replica, backend = await _catch(trial, barge, looking)
        frozen_at = datetime.now(UTC)
        try:
            await _taken_over(trial, barge, looking)
            if not await looking.fetchval(_HEARD, frozen_at, barge.name):
                trial.complaints.append(f"nobody took over from {replica.name} while it was frozen")
            # The server has undone its transaction: whatever it writes when it wakes up is refused.
            if await looking.fetchval(_THERE, backend):
                trial.complaints.append(f"the transaction of {replica.name} outlived its freezing")
            trial.counts["late writes refused"] += 1
        finally:
            replica.process.signal(signal.SIGCONT)
        await replica.process.ready(AWAKE_SECONDS_MAX)
    finally:
        await looking.close()


async def _catch(trial: Trial, barge: Barge, looking: "asyncpg.Connection[Any]") -> tuple[Replica, int]:
    """Hold the stage's row until a deployer waits for it in its transaction; freeze that one; let go."""
    holding = await asyncpg.connect(trial.ground.database, timeout=10)
    pushing = asyncio.create_task(_push_when_held(trial, barge, holding))
    try:
        async with asyncio.timeout(CAUGHT_SECONDS_MAX):
            while (found := await looking.fetchrow(_BLOCKED, holding.get_server_pid())) is None:
                await asyncio.sleep(LOOK_SECONDS)
        replica = next(r for r in trial.fleet.of("deployer") if r.name in found["application_name"])
        replica.process.signal(signal.SIGSTOP)
        trial.counts["freezes"] += 1
    finally:
        await holding.close()  # the server gives the lock to one who does not know it
    await pushing
    return replica, found["pid"]


async def _push_when_held(trial: Trial, barge: Barge, holding: "asyncpg.Connection[Any]") -> None:
    await holding.execute("BEGIN")
    assert await holding.fetchval(_HOLD, f"{barge.name}/{STAGES[0]}"), "it had a run before"
    await trial.forge.push(barge)


async def _taken_over(trial: Trial, barge: Barge, connection: "asyncpg.Connection[Any]") -> None:
    """Wait until somebody else has carried a run of the stage through, from its beginning."""
    since = time.monotonic_ns() + PASSING_NANOSECONDS
    try:
        async with asyncio.timeout(TAKEN_OVER_SECONDS_MAX):
            while not _carried_through(barge, since):
                await asyncio.sleep(LOOK_SECONDS * 10)
        trial.counts["taken over"] += 1
    except TimeoutError:
        row = await connection.fetchrow(_RUN_OF, barge.name, STAGES[0])
        trial.complaints.append(f"{barge.name} did not go on beside a frozen deployer: {row}")


def _carried_through(barge: Barge, since: int) -> bool:
    here = [effect for effect in barge.effects() if effect.stage == STAGES[0] and effect.at > since]
    begun = {effect.commit for effect in here if effect.did == (barge.shape.steps[0], "begin")}
    return any(effect.commit in begun and effect.did == (barge.shape.steps[-1], "end") for effect in here)
