"""The broker is away, or one of three is lost for good; the database cuts connections and restarts."""

import asyncio
import time

import asyncpg

from tests.distributed.trial import Trial

BEFORE_SECONDS = 5.0  # of load before the fault, and after it
CUTS_AT_ONCE = 4  # connections
LOST_NODE = 2

_OTHERS = (
    "SELECT pid FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
)
_CUT = "SELECT pg_terminate_backend($1)::int"


async def broker_restarted(trial: Trial, seconds: float) -> None:
    """Push while there is no broker: it is acknowledged, and delivered afterwards."""
    await trial.first_pushes()
    async with trial.under_load():
        await asyncio.sleep(BEFORE_SECONDS)
        await asyncio.to_thread(trial.servers.cluster.stop)
        trial.counts["broker stopped"] += 1
        acknowledged = len(trial.forge.acknowledged)
        await asyncio.sleep(seconds)
        during = len(trial.forge.acknowledged) - acknowledged
        trial.counts["pushes acknowledged meanwhile"] = during
        if not during:
            trial.complaints.append("no push was acknowledged while the broker was away")
        await asyncio.to_thread(trial.servers.cluster.start)
        await asyncio.sleep(BEFORE_SECONDS)
    await trial.fleet.ready()


async def broker_lost(trial: Trial, seconds: float) -> None:
    """Lose one of three nodes for good, under load."""
    await trial.first_pushes()
    async with trial.under_load():
        await asyncio.sleep(BEFORE_SECONDS)
        await asyncio.to_thread(trial.servers.cluster.kill, LOST_NODE)
        trial.counts["brokers killed"] += 1
        await asyncio.sleep(seconds)
    await trial.fleet.ready()


async def connections_cut(trial: Trial, seconds: float) -> None:
    """Have the database end random connections, every second."""
    await trial.first_pushes()
    async with trial.under_load():
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            await _cut_some(trial)
            await asyncio.sleep(1.0)
    await trial.fleet.ready()


async def database_restarted(trial: Trial, seconds: float) -> None:
    """Restart the database, twice: once it sends its clients away, once it is killed."""
    server = trial.servers.postgres
    await trial.first_pushes()
    async with trial.under_load():
        for end in (server.stop, server.kill):
            await asyncio.sleep(seconds / 4)
            await asyncio.to_thread(end)
            trial.counts["database stopped"] += 1
            await asyncio.sleep(1.0)
            await asyncio.to_thread(server.start)
            await asyncio.sleep(seconds / 4)
    await trial.fleet.ready()


async def _cut_some(trial: Trial) -> None:
    connection = await asyncpg.connect(trial.ground.database, timeout=10)
    try:
        pids = sorted(row["pid"] for row in await connection.fetch(_OTHERS))
        for pid in trial.chance.sample(pids, min(CUTS_AT_ONCE, len(pids))):
            trial.counts["connections cut"] += await connection.fetchval(_CUT, pid)
    finally:
        await connection.close()
