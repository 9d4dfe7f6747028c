"""Whose turn it is, and how many at a time."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from shared.work import Claim, Order
from shared.work.workers import HEARTBEAT_SECONDS
from tests.builders import order
from tests.contract.installation import Installation, running
from tests.contract.unreliable import Unreliable
from tests.contract.work.bench import Bench, Gate, ask_for


async def test_no_more_is_in_hand_than_there_are_slots(installation: Installation) -> None:
    bench = Bench(installation.database, slots=3)
    gate = Gate()
    bench.work_on = gate
    async with running(bench.run()):
        await ask_for(installation.database, *(order(f"order {number}") for number in range(20)))
        await installation.quiet()
        assert len(bench.begun) == 3
        gate.open()
        await installation.until(lambda: len(bench.ended) == 20)
    assert bench.side_by_side_most == 3


async def test_a_share_is_served_oldest_first(installation: Installation) -> None:
    bench = Bench(installation.database, slots=1)
    for number in range(10):
        await ask_for(installation.database, order(f"order {number}"))
        installation.clock.advance(0.001)
    async with running(bench.run()):
        await installation.until(lambda: len(bench.ended) == 10)
    assert bench.ended == [f"order {number}" for number in range(10)]


async def test_a_crowd_is_not_gone_through_for_each_claim(installation: Installation) -> None:
    searched = 0
    bench = Bench(installation.database, slots=8)
    search = bench.workers._search

    async def counted(full: Sequence[str]) -> Sequence[sa.Row[Any]]:
        nonlocal searched
        searched += 1
        return await search(full)

    bench.workers._search = counted  # type: ignore[method-assign]
    await ask_for(installation.database, *(order(f"{number}", f"{number}") for number in range(180)))
    async with running(bench.run()):
        await installation.until(lambda: len(bench.ended) >= 80)
    assert searched <= 80 / 8 + 2


@pytest.mark.parametrize(
    "late", [order("late", "one"), order("late", "many")], ids=["of another share", "that waits longer"]
)
async def test_what_another_process_has_is_seen_behind_a_crowd_once_a_beat(
    installation: Installation, late: Order
) -> None:
    bench = Bench(installation.database, slots=8)
    ends = asyncio.Semaphore(0)

    async def until_it_may_end(_claim: Claim) -> None:
        await ends.acquire()

    async def one_more_is_begun() -> str:
        begun = len(bench.begun)
        ends.release()
        await installation.until(lambda: len(bench.begun) > begun)
        return bench.tried[-1]

    bench.work_on = until_it_may_end
    due = installation.clock.now() + timedelta(seconds=HEARTBEAT_SECONDS)
    await ask_for(installation.another(), late, not_before=due)  # before the crowd, and due after it
    installation.clock.advance(0.001)
    await ask_for(installation.database, *(order(f"{number}", "many") for number in range(180)))
    async with running(bench.run()):
        await installation.until(lambda: len(bench.begun) == 8)
        assert await one_more_is_begun() != "late"  # there was a search for it, which does for 8
        installation.clock.advance(HEARTBEAT_SECONDS)
        assert await one_more_is_begun() == "late"


@pytest.mark.parametrize("slots", [1, 2, 4])
@pytest.mark.parametrize("crowd", [100, 400], ids=["a crowd", "more than is looked at"])
async def test_one_order_does_not_wait_for_a_crowd_of_another_share(
    installation: Installation, slots: int, crowd: int
) -> None:
    bench = Bench(installation.database, slots=slots)
    await ask_for(installation.database, *(order(f"many {number}", "many") for number in range(crowd)))
    async with running(bench.run()):
        await installation.until(lambda: bool(bench.begun))
        installation.clock.advance(0.5)
        await ask_for(installation.database, order("one", "one"))
        begun = len(bench.begun)
        await installation.until(lambda: "one" in bench.tried)
    assert bench.tried.index("one") <= begun + slots


@pytest.mark.parametrize("slots", [1, 3])
async def test_shares_take_turns(installation: Installation, slots: int) -> None:
    bench = Bench(installation.database, slots=slots)
    for share in ("a", "b", "c"):
        await ask_for(installation.database, *(order(f"{share}{number}", share) for number in range(10)))
        installation.clock.advance(1.0)
    async with running(bench.run()):
        await installation.until(lambda: len(bench.ended) == 30)
    shares = [claim.order.share for claim in bench.begun]
    for turn in range(0, 30, 3):
        assert sorted(shares[turn : turn + 3]) == ["a", "b", "c"]


async def test_a_share_with_one_slot_goes_in_order_and_leaves_the_others_to_the_rest(
    installation: Installation,
) -> None:
    bench = Bench(installation.database, slots=4, share_slots=1)
    gate = Gate()
    bench.work_on = gate
    for number in range(6):
        await ask_for(installation.database, order(f"slow {number}", "slow"))
        installation.clock.advance(0.001)
    await ask_for(installation.database, order("other", "other"))
    async with running(bench.run()):
        await installation.quiet()
        assert sorted(bench.tried) == ["other", "slow 0"]
        gate.open()
        await installation.until(lambda: len(bench.ended) == 7)
    assert [name for name in bench.ended if name != "other"] == [f"slow {number}" for number in range(6)]


async def test_a_share_whose_work_never_ends_leaves_slots_to_others(installation: Installation) -> None:
    bench = Bench(installation.database, slots=2)
    gate = Gate()
    bench.work_on = gate
    async with running(bench.run()):
        await ask_for(installation.database, *(order(f"slow {number}", "slow") for number in range(2)))
        await ask_for(installation.database, order("quick", "quick"))
        await installation.quiet()
        assert len(bench.begun) == 2
        gate.open()
        await installation.until(lambda: len(bench.ended) == 3)


async def test_idle_workers_ask_the_database_once_a_second(installation: Installation) -> None:
    database = Unreliable(installation.database)
    bench = Bench(database)
    async with running(bench.run()):
        await installation.quiet()
        before = database.uses
        await installation.quiet()
        assert database.uses == before
        installation.clock.advance(1.0)
        await installation.quiet()
        assert database.uses <= before + 2
