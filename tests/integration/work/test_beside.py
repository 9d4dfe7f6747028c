"""Orders done along with one that is in hand, while other replicas want them too."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from shared.db import Cause, Database, ServiceDatabase, Transaction
from shared.db.tables import work
from shared.faults import TryAgain
from shared.work import Beside, Claim, Order, Workers, cancel
from tests.builders import named, order
from tests.contract.work.bench import SERVICE, ask_for
from tests.integration.replicas import Replicas, read

STATES = sa.select(work.c.payload, work.c.state, work.c.fence).order_by(work.c.id)


def beside(database: Database, orders_max: int = 10) -> Beside:
    db = ServiceDatabase(database, SERVICE)
    return Beside(db, Workers(db, "a", 1), orders_max)


async def finish(database: Database, orders: list[Order]) -> None:
    async with ServiceDatabase(database, SERVICE).transaction(Cause(named("end")), "ending") as tx:
        await beside(database).finish(tx, orders)


async def change(database: Database, name: str, **values: object) -> None:
    async with database.begin() as (connection, _):
        await connection.execute(sa.update(work).where(work.c.id == named(name)).values(**values))


def names(orders: list[Order]) -> set[str]:
    return {each.payload["name"] for each in orders}


async def test_only_what_waits_of_its_kind_and_share_is_done_along(replicas: Replicas) -> None:
    database = replicas.database
    others = [order("other share", share="blog"), order("other kind", kind="fill")]
    await ask_for(database, *map(order, ["mine", "waits", "claimed", "handed back", "called off", "later"]))
    await ask_for(database, *others)
    await change(database, "mine", state="claimed", fence=1)
    await change(database, "claimed", state="claimed", fence=1)
    await change(database, "handed back", attempts=1)
    await change(database, "later", not_before=database.clock.now() + timedelta(hours=1))
    async with ServiceDatabase(database, SERVICE).transaction(Cause(named("call off")), "act") as tx:
        await cancel(tx, named("called off"), "no longer wanted")
    assert names(await beside(database).waiting(Claim(order("mine"), 1, 0))) == {"waits"}
    assert await beside(database).waiting(Claim(order("mine"), 1, attempts=1)) == []


async def test_no_more_than_so_many_are_done_along(replicas: Replicas) -> None:
    await ask_for(replicas.database, *[order(str(number)) for number in range(5)])
    claim = Claim(order("mine"), 1, 0)
    assert len(await beside(replicas.database, orders_max=3).waiting(claim)) == 3


async def test_what_is_done_along_is_done_and_was_never_claimed(replicas: Replicas) -> None:
    await ask_for(replicas.database, order("1"), order("2"))
    await finish(replicas.database, [order("1"), order("2")])
    rows = await read(replicas.database, STATES)
    assert [(state, fence) for _, state, fence in rows] == [("done", 0)] * 2


async def test_when_another_has_claimed_one_nothing_is_written(replicas: Replicas) -> None:
    await ask_for(replicas.database, order("1"), order("2"))
    await change(replicas.another(), "2", state="claimed", fence=1)
    with pytest.raises(TryAgain):
        await finish(replicas.database, [order("1"), order("2")])
    rows = await read(replicas.database, STATES)
    assert sorted(state for _, state, _ in rows) == ["claimed", "ready"]


async def test_of_two_who_want_the_same_along_one_gets_it_and_neither_waits(replicas: Replicas) -> None:
    await ask_for(replicas.database, order("1"), order("2"))
    await finish(replicas.database, [order("2")])
    with pytest.raises(TryAgain):
        await finish(replicas.another(), [order("1"), order("2")])
    await finish(replicas.another(), [order("1")])


def test_nothing_along_asks_nothing_of_the_database() -> None:
    tx: Transaction = Transaction(None, None, None, "", set())  # type: ignore[arg-type]
    sent = Beside(None, None, 1).finish(tx, [])  # type: ignore[arg-type]
    with pytest.raises(StopIteration):
        sent.send(None)
