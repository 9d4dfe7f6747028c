"""Workers of several replicas on the same orders."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import structlog
from sqlalchemy.dialects.postgresql import asyncpg

from shared.access import Access
from shared.db import Cause, Database, ServiceDatabase, Transaction, hold
from shared.db.tables import work
from shared.work import Claim, Workers, cancel, place, statement
from tests.builders import named, order
from tests.contract.installation import running
from tests.contract.work.bench import SERVICE, Bench, ask_for, until_cancelled
from tests.integration.replicas import Halting, OnPostgres, Replicas, meet, read, until

STATES = sa.select(work.c.state, work.c.worker)
NAMES = ("a", "b")


async def call_off_all(database: Database, *names: str) -> None:
    """Cancel several in one transaction, as the end of a run does."""
    async with ServiceDatabase(database, SERVICE).transaction(Cause(named("end")), "ending") as tx:
        for name in names:
            await cancel(tx, named(name), "no longer wanted")


async def held_by(database: Database, worker: str, *names: str) -> None:
    """Place orders as if `worker` had claimed them long ago."""
    await ask_for(database, *[order(name) for name in names])
    claimed = {"state": "claimed", "fence": 1, "worker": worker}
    async with database.begin() as (connection, _):
        until = database.clock.now() + timedelta(seconds=5)
        await connection.execute(sa.update(work).values(lease_until=until, **claimed))


@pytest.mark.parametrize("names", [NAMES, NAMES[::-1]])
async def test_a_worker_that_starts_does_not_wait_for_one_who_cancels_its_orders(
    replicas: Replicas, names: tuple[str, ...]
) -> None:
    await held_by(replicas.database, "here", *NAMES)
    halting = Halting(replicas.database, "UPDATE work SET not_before")
    bench = Bench(replicas.another())

    async def start() -> None:
        async with running(bench.run()):
            await until(lambda: len(bench.ended) == len(NAMES))

    assert await meet(replicas, halting, call_off_all(halting, *names), start()) == [None, None]


@pytest.mark.parametrize("names", [NAMES, NAMES[::-1]])
async def test_a_heartbeat_does_not_wait_for_one_who_cancels_what_is_in_hand(
    replicas: Replicas, names: tuple[str, ...]
) -> None:
    bench = Bench(replicas.another())
    bench.work_on = until_cancelled
    with structlog.testing.capture_logs() as logged:
        await _beat_beside_a_cancel(replicas, bench, names)
    assert not [line for line in logged if line["log_level"] == "warning"]


async def _beat_beside_a_cancel(replicas: Replicas, bench: Bench, names: tuple[str, ...]) -> None:
    async with running(bench.run()):
        await ask_for(replicas.database, *[order(name) for name in NAMES])
        await until(lambda: len(bench.begun) == len(NAMES), lambda: replicas.clock.advance(1))
        halting = Halting(replicas.database, "UPDATE work SET not_before")

        async def beat() -> None:
            for _ in range(8):
                replicas.clock.advance(1)
                await asyncio.sleep(0.02)

        assert await meet(replicas, halting, call_off_all(halting, *names), beat()) == [None, None]
        await until(lambda: len(bench.ended) == len(NAMES), lambda: replicas.clock.advance(1))


async def claim(database: Database, name: str) -> int:
    """Claim order `a` as `name` does who has just found it; tell how many were claimed."""
    now = database.clock.now() + timedelta(seconds=6)
    values = {"its_id": named("a"), "its_fence": 1, "now": now, "name": name, "until": now}
    async with database.begin() as (connection, _):
        return (await connection.execute(statement.CLAIM, values)).rowcount


async def test_an_order_is_claimed_by_one_of_two(replicas: Replicas) -> None:
    await held_by(replicas.database, "gone", "a")
    halting = Halting(replicas.database, "UPDATE work SET state")
    assert await meet(replicas, halting, claim(halting, "here"), claim(replicas.another(), "there")) == [1, 0]
    assert await read(replicas.database, STATES) == [("claimed", "here")]


async def test_whoever_renews_first_keeps_an_order_whose_lease_is_about_to_lapse(replicas: Replicas) -> None:
    await held_by(replicas.database, "here", "a")
    now = replicas.clock.now() + timedelta(seconds=6)
    halting = Halting(replicas.database, "UPDATE work SET lease_until")

    async def renew() -> None:
        mine = {"held": [named("a")], "name": "here", "until": now + timedelta(seconds=15)}
        async with halting.begin() as (connection, _):
            await connection.execute(statement.RENEW, mine)

    assert await meet(replicas, halting, renew(), claim(replicas.another(), "there")) == [None, 0]
    assert await read(replicas.database, STATES) == [("claimed", "here")]


async def test_an_order_that_is_finished_by_its_worker_is_not_cancelled_any_more(replicas: Replicas) -> None:
    await held_by(replicas.database, "here", "a")
    halting = Halting(replicas.database, "UPDATE work SET state")

    async def finish() -> None:
        mine = {"its_id": named("a"), "its_fence": 1, "now": replicas.clock.now()}
        async with halting.begin() as (connection, _):
            assert (await connection.execute(statement.FINISH, mine)).rowcount == 1

    async def call_off() -> bool:
        async with ServiceDatabase(replicas.another(), SERVICE).transaction(Cause(named("x")), "x") as tx:
            return await cancel(tx, named("a"), "too late")

    assert await meet(replicas, halting, finish(), call_off()) == [None, False]


async def test_an_order_placed_by_two_at_once_is_placed_once(replicas: Replicas) -> None:
    halting = Halting(replicas.database, "INSERT INTO work")

    async def ask(database: Database) -> None:
        async with ServiceDatabase(database, SERVICE).transaction(Cause(named("x")), "x") as tx:
            await place(tx, order("a"))

    assert await meet(replicas, halting, ask(halting), ask(replicas.another())) == [None, None]
    assert await read(replicas.database, STATES) == [("ready", None)]


async def test_the_locks_of_an_ending_are_taken_before_its_order(replicas: Replicas) -> None:
    """Who decides about a thing locks it and then cancels; who ends an order must not do the reverse."""
    await held_by(replicas.database, "here", "a")
    workers = Workers(ServiceDatabase(replicas.another(), SERVICE), "here", slots=1)
    halting = Halting(replicas.database, "hold_until_the_transaction_ends")

    async def decide() -> bool:
        async with ServiceDatabase(halting, SERVICE).transaction(Cause(named("decision")), "deciding") as tx:
            await hold(tx, "thing")
            return await cancel(tx, named("a"), "decided otherwise")

    async def end() -> None:
        async def lock(tx: Transaction) -> None:
            await hold(tx, "thing")

        async with workers.finishing(Claim(order("a"), fence=1, attempts=0), lock):
            pass

    assert await meet(replicas, halting, decide(), end()) == [True, None]


async def test_of_two_tokens_granted_at_once_one_is_worth_something(replicas: Replicas) -> None:
    halting = Halting(replicas.database, "INSERT INTO access_tokens")
    first, second = Access(halting), Access(replicas.another())
    assert await meet(replicas, halting, first.grant("ann", "1"), second.grant("ann", "2")) == [None, None]
    assert [await second.holder(token) for token in ("1", "2")] == [None, "ann"]


@pytest.mark.parametrize("name", ["OLDEST_OF_EACH_SHARE", "MINE"])
async def test_open_orders_are_found_without_reading_those_that_are_done(tmp_path: Path, name: str) -> None:
    """Also by the plan that knows no values: a statement that is often run gets that one."""
    store = await OnPostgres.at(tmp_path)
    query: sa.Select[Any] = getattr(statement, name)
    names = query.compile().params
    told = query.params({name: ["x"] if name in {"kinds", "held"} else None for name in names})
    postgres = asyncpg.dialect()  # type: ignore[no-untyped-call]
    compiled = told.compile(dialect=postgres, compile_kwargs={"render_postcompile": True})
    connection = await store.database.connect_alone()
    await connection.execute(f"{_PLACE_MANY}; ANALYZE work; SET plan_cache_mode = force_generic_plan")
    await connection.execute(f"PREPARE query AS {compiled}")
    nothing = ", ".join("NULL" for _ in compiled.positiontup or ())
    plan = await connection.fetch(f"EXPLAIN EXECUTE query({nothing})")
    await connection.execute("DEALLOCATE query; DELETE FROM work")
    await connection.close()
    await store.close()
    assert any("ix_work_open" in line for (line,) in plan), plan
    assert not any("Seq Scan" in line for (line,) in plan), plan


_PLACE_MANY = """
INSERT INTO work (id, service, kind, share, payload, correlation, traceparent, state, fence, attempts,
                  not_before, created_at)
SELECT gen_random_uuid(), 'builder', 'dig', 'shop', '{}', '', '', 'done', 1, 0, now(), now()
FROM generate_series(1, 10000)
"""
