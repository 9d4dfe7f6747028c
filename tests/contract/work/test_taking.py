"""An order placed beside a free worker is claimed by the transaction that places it."""

import asyncio
from datetime import timedelta

import pytest
import sqlalchemy as sa

from shared.db import Cause, ServiceDatabase
from shared.db.tables import work
from shared.faults import TryAgain
from shared.work import Claim, Order, place
from tests.builders import named, order
from tests.contract.installation import Installation, rows, running
from tests.contract.notes import noted
from tests.contract.unreliable import Unreliable
from tests.contract.work.bench import Bench, Gate, call_off, until_cancelled

CLAIMS = sa.select(work.c.state, work.c.fence, work.c.worker).order_by(work.c.created_at, work.c.id)


async def ask_here(bench: Bench, *orders: Order, cause: str = "asking") -> None:
    """Place these as a handler of the same service does."""
    async with bench.db.transaction(Cause(named(cause)), "asking") as tx:
        for each in orders:
            await place(tx, each)


async def place_and_break(bench: Bench, broken: Order) -> None:
    async with bench.db.transaction(Cause(named("broken")), "asking") as tx:
        await place(tx, broken)
        raise ZeroDivisionError


async def test_an_order_is_claimed_with_the_commit_that_places_it(installation: Installation) -> None:
    bench = Bench(installation.database)
    bench.work_on = Gate()
    async with running(bench.run()):
        await installation.quiet()
        await ask_here(bench, order("a"))
        assert await rows(installation.database, CLAIMS) == [("claimed", 1, "here")]
        await installation.until(lambda: bench.tried == ["a"])


async def test_it_is_begun_without_asking_the_database_again(installation: Installation) -> None:
    database = Unreliable(installation.database)
    bench = Bench(database)
    bench.work_on = Gate()
    async with running(bench.run()):
        await installation.quiet()
        before = database.uses
        await ask_here(bench, order("a"))
        await installation.until(lambda: bench.tried == ["a"])
        await installation.quiet()
        assert database.uses == before + 1


async def test_a_claim_made_so_tells_the_order_as_any_other(installation: Installation) -> None:
    bench = Bench(installation.database)
    async with running(bench.run()):
        await installation.quiet()
        async with bench.db.transaction(Cause(named("x"), "shop@1", "00-ab-cd-01"), "asking") as tx:
            await place(tx, order("a"))
        await installation.until(lambda: bench.ended == ["a"])
    claim = bench.begun[0]
    told = claim.order
    assert (told.id, told.kind, told.share, told.payload) == (named("a"), "dig", "shop", {"name": "a"})
    assert (told.correlation, told.traceparent) == ("shop@1", "00-ab-cd-01")
    assert (claim.fence, claim.attempts, claim.cancelled.is_set()) == (1, 0, False)
    assert await noted(installation.database, "finished") == ["a"]


async def test_an_order_that_is_not_committed_is_not_begun_and_leaves_its_slot(
    installation: Installation,
) -> None:
    bench = Bench(installation.database, slots=1)
    async with running(bench.run()):
        await installation.quiet()
        with pytest.raises(ZeroDivisionError):
            await place_and_break(bench, order("never"))
        await installation.quiet()
        await ask_here(bench, order("a"))
        await installation.until(lambda: bench.ended == ["a"])
    assert bench.tried == ["a"]


async def test_an_order_placed_again_is_not_done_again(installation: Installation) -> None:
    bench = Bench(installation.database, slots=2)
    async with running(bench.run()):
        await installation.quiet()
        await ask_here(bench, order("a"), order("a"))
        await installation.until(lambda: bench.ended == ["a"])
        await ask_here(bench, order("a"))
        await ask_here(bench, order("b"))
        await installation.until(lambda: "b" in bench.ended)
        installation.clock.advance(60.0)
        await installation.quiet()
    assert bench.tried == ["a", "b"]


async def test_nothing_is_taken_past_the_slots(installation: Installation) -> None:
    bench = Bench(installation.database, slots=3)
    gate = Gate()
    bench.work_on = gate
    async with running(bench.run()):
        await installation.quiet()
        await ask_here(bench, *(order(f"order {number}") for number in range(8)))
        await installation.quiet()
        assert len(bench.begun) == 3
        gate.open()
        await installation.until(lambda: len(bench.ended) == 8)
    assert bench.side_by_side_most == 3


async def test_a_share_with_one_slot_still_goes_in_order(installation: Installation) -> None:
    bench = Bench(installation.database, slots=4, share_slots=1)
    gate = Gate()
    bench.work_on = gate
    async with running(bench.run()):
        await installation.quiet()
        for number in range(6):
            await ask_here(bench, order(f"slow {number}", "slow"), cause=f"ask {number}")
            installation.clock.advance(0.001)
        await ask_here(bench, order("other", "other"), cause="other")
        await installation.quiet()
        assert sorted(bench.tried) == ["other", "slow 0"]
        gate.open()
        await installation.until(lambda: len(bench.ended) == 7)
    assert [name for name in bench.ended if name != "other"] == [f"slow {number}" for number in range(6)]


async def test_who_waits_is_not_overtaken_by_an_order_placed_beside_a_slot_just_freed(
    installation: Installation,
) -> None:
    bench = Bench(installation.database, slots=1)

    async def order_more(claim: Claim) -> None:
        if claim.order.share == "eager" and len(bench.begun) < 20:
            await ask_here(bench, order(f"eager {len(bench.begun)}", "eager"), cause=str(len(bench.begun)))

    bench.work_on = order_more
    async with running(bench.run()):
        await installation.quiet()
        await ask_here(bench, order("eager 0", "eager"), order("patient", "patient"))
        await installation.until(lambda: "patient" in bench.ended)
    assert bench.tried.index("patient") <= 2


async def test_an_order_for_later_waits_for_its_time(installation: Installation) -> None:
    bench = Bench(installation.database)
    async with running(bench.run()):
        await installation.quiet()
        later = installation.clock.now() + timedelta(seconds=30)
        async with bench.db.transaction(Cause(named("x")), "asking") as tx:
            await place(tx, order("a"), later)
        await installation.quiet()
        assert bench.begun == []
        installation.clock.advance(31.0)
        await installation.until(lambda: bench.ended == ["a"])


async def test_nothing_is_taken_by_workers_that_do_not_run(installation: Installation) -> None:
    bench = Bench(installation.database)
    await ask_here(bench, order("early"))
    async with running(bench.run()):
        await installation.until(lambda: bench.ended == ["early"])
    await ask_here(bench, order("late"))
    assert ("ready", 0, None) in await rows(installation.database, CLAIMS)


async def test_an_order_of_a_kind_that_nobody_here_takes_is_left_to_others(
    installation: Installation,
) -> None:
    bench = Bench(installation.database)
    async with running(bench.run()):
        await installation.quiet()
        await ask_here(bench, order("a", kind="fly"))
        assert await rows(installation.database, CLAIMS) == [("ready", 0, None)]


async def test_it_can_be_called_off_at_once(installation: Installation) -> None:
    bench = Bench(installation.database)
    bench.work_on = until_cancelled
    async with running(bench.run()):
        await installation.quiet()
        await ask_here(bench, order("a"))
        assert await call_off(installation.database, "a", "not wanted")
        await installation.until(lambda: bench.ended == ["a"])
    assert bench.begun[0].cancel_reason == "not wanted"


async def test_what_a_killed_process_had_taken_is_taken_back_by_its_next_life(
    installation: Installation,
) -> None:
    before, after = Bench(installation.database), Bench(installation.another())
    before.work_on = Gate()
    async with running(before.run()):
        await installation.quiet()
        await ask_here(before, order("a"))
        await installation.until(lambda: bool(before.begun))
        async with running(after.run()):
            await installation.until(lambda: after.ended == ["a"])
    assert after.begun[0].fence == 2


async def test_what_one_process_takes_others_leave_alone(installation: Installation) -> None:
    here, there = Bench(installation.database, "here"), Bench(installation.another(), "there")
    here.work_on = Gate()
    async with running(here.run(), there.run()):
        await installation.quiet()
        await ask_here(here, order("a"))
        installation.clock.advance(5.0)
        await installation.quiet()
    assert (here.tried, there.tried) == (["a"], [])


async def test_an_order_whose_commit_got_no_answer_is_done_once_its_lease_has_lapsed(
    installation: Installation,
) -> None:
    database = Unreliable(installation.database)
    bench = Bench(database)
    async with running(bench.run()):
        await installation.quiet()
        database.answers_lost = 1
        with pytest.raises(TryAgain):
            await ask_here(bench, order("a"))
        await ask_here(bench, order("a"))  # as the message that asks for it is delivered again
        await installation.quiet()
        assert bench.begun == []
        installation.clock.advance(16.0)
        await installation.until(lambda: bench.ended == ["a"])
    assert await noted(installation.database, "finished") == ["a"]


async def test_an_order_placed_through_another_handle_is_found_all_the_same(
    installation: Installation,
) -> None:
    bench = Bench(installation.database)
    other = ServiceDatabase(installation.database, bench.db.service)
    async with running(bench.run()):
        await installation.quiet()
        async with other.transaction(Cause(named("x")), "asking") as tx:
            await place(tx, order("a"))
        await asyncio.wait_for(installation.until(lambda: bench.ended == ["a"]), 5)
