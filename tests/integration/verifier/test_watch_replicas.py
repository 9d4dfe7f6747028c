"""Replicas that look after the same services: one takes each look, and writes it only where it belongs."""

import asyncio

import pytest
import sqlalchemy as sa
import structlog

from services.verifier import watch_moves
from services.verifier.sample import Look
from services.verifier.store import watches
from services.verifier.store.watches import Lanes
from services.verifier.tables import watches as rows
from services.verifier.watch import Watch
from shared.db import Cause, Database, ServiceDatabase
from shared.events import HealthSampled, ProbeResult
from tests.builders import named
from tests.integration.replicas import PATIENCE_SECONDS, Halting, Replicas, meet, until
from tests.integration.verifier.lookout import GOOD, Lookout, succeeded, target, url

SERVICES = tuple(f"s{n}" for n in range(8))


@pytest.fixture
def lookout(replicas: Replicas) -> Lookout:
    lookout = Lookout(replicas)
    for service in ("web", *SERVICES):
        lookout.answers(GOOD, service)
    return lookout


async def due(lookout: Lookout) -> Watch:
    """Return the one watch, which is due."""
    lookout.clock.advance(60)
    async with lookout.store.database.reading() as reading:
        (watch,) = await watches.due(reading, lookout.clock.now(), Lanes(), 9)
    return watch


async def take(database: Database, watch: Watch) -> bool:
    db = ServiceDatabase(database, "verifier")
    async with db.transaction(Cause(named("take")), "watch.taken") as tx:
        return await watches.take(tx, watch)


async def write(database: Database, watch: Watch) -> Watch | None:
    now = database.clock.now()
    good = ProbeResult(at=now, url=url(), passed=True, latency_seconds=0.01)
    db = ServiceDatabase(database, "verifier")
    async with db.transaction(Cause(named("write")), "watch.looked") as tx:
        return await watch_moves.looked(tx, watch, Look(now, [good], None))


async def test_a_look_is_taken_by_one_of_two(lookout: Lookout) -> None:
    await lookout.hear(succeeded(1))
    watch = await due(lookout)
    halting = Halting(lookout.store.database, "UPDATE watches SET")
    taken = await meet(lookout.store, halting, take(halting, watch), take(lookout.store.another(), watch))
    assert taken == [True, False]


async def test_a_look_is_written_beside_a_newer_run(lookout: Lookout) -> None:
    await lookout.hear(succeeded(1))
    watch = await due(lookout)
    halting = Halting(lookout.store.database, "UPDATE watches SET")
    message = lookout.message(succeeded(2), position=2)
    written, heard = await meet(
        lookout.store, halting, write(halting, watch), lookout.deliver(message, lookout.store.another())
    )
    assert (written is not None, heard) == (True, None)
    assert (lookout.run_of(), lookout.health()) == (named("run 2"), "unknown")
    assert [each.counts.looks for each in lookout.said(HealthSampled)] == [1]


async def test_a_newer_run_beside_a_look_that_is_then_not_written(lookout: Lookout) -> None:
    await lookout.hear(succeeded(1))
    watch = await due(lookout)
    halting = Halting(lookout.store.database, "INSERT INTO watches")
    lookout.position = 7
    heard, written = await meet(
        lookout.store,
        halting,
        lookout.deliver(lookout.message(succeeded(2), position=7), halting),
        write(lookout.store.another(), watch),
    )
    assert (heard, written) == (None, None)
    assert (lookout.run_of(), lookout.health()) == (named("run 2"), "unknown")
    assert lookout.said(HealthSampled) == []


async def test_a_look_that_was_taken_again_is_written_by_the_later_one_alone(lookout: Lookout) -> None:
    await lookout.hear(succeeded(1))
    watch = await due(lookout)
    assert await take(lookout.store.database, watch)
    again = await due(lookout)
    assert await take(lookout.store.another(), again)
    assert await write(lookout.store.database, watch) is None
    (row,) = lookout.store.look(sa.select(rows.c.version))
    assert row.version == again.version + 1


async def test_looks_that_are_taken_together_and_the_end_of_their_services_wait_in_no_ring(
    lookout: Lookout,
) -> None:
    await lookout.hear(succeeded(1, *(target(name) for name in SERVICES)))
    lookout.clock.advance(60)
    halting = Halting(lookout.store.database, "UPDATE watches SET", times=4)
    lookout.position = 9
    with structlog.testing.capture_logs() as logs:
        async with lookout.watching(lookout.worker(halting)):
            await halting.halted.wait()
            newer = lookout.message(succeeded(2), position=9)
            ending = asyncio.ensure_future(lookout.deliver(newer, lookout.store.another()))
            await lookout.store.stuck(ending)
            halting.go_on.set()
            async with asyncio.timeout(PATIENCE_SECONDS):
                await ending
            await until(lambda: all(lookout.looks(name) for name in SERVICES))
    assert [each["event"] for each in logs] == []
    assert [row.service for row in lookout.store.look(sa.select(rows.c.service))] == ["web"]


async def test_two_replicas_share_the_looks_and_make_none_twice(lookout: Lookout) -> None:
    await lookout.hear(succeeded(1, *(target(name) for name in SERVICES)))
    one, two = lookout.worker(), lookout.worker(lookout.store.another())
    async with lookout.watching(one, two):
        for looks in range(1, 4):
            lookout.clock.advance(6)
            await until(lambda looks=looks: all(len(kept(lookout, name)) == looks for name in SERVICES))  # type: ignore[misc]
    assert [lookout.looks(name) for name in SERVICES] == [3] * len(SERVICES)


def kept(lookout: Lookout, service: str) -> list[object]:
    found = lookout.store.look(sa.select(rows.c.seen_so_far).where(rows.c.service == service))
    return list(found[0].seen_so_far["samples"])
