"""One order, one worker: claims, leases, fences, restarts."""

import asyncio
from datetime import timedelta

import pytest
import sqlalchemy as sa

from shared.db import Cause
from shared.db.tables import work
from shared.faults import TryAgain
from shared.work import Claim, FenceLost
from tests.builders import named, order
from tests.contract.installation import Installation, every, running
from tests.contract.notes import note, noted
from tests.contract.unreliable import Unreliable
from tests.contract.work.bench import (
    SERVICE,
    Bench,
    Gate,
    ask_for,
    call_off,
    name_of,
    raising,
    until_cancelled,
)

A_LEASE_LAPSES = 16.0  # seconds


async def test_what_is_ordered_is_done_without_time_passing(installation: Installation) -> None:
    bench = Bench(installation.database)
    async with running(bench.run()):
        await installation.quiet()
        await ask_for(installation.database, order("a"))
        await installation.until(lambda: bench.ended == ["a"])
    assert await noted(installation.database, "finished") == ["a"]


async def test_what_was_done_long_ago_is_forgotten_and_what_is_open_is_not(
    installation: Installation,
) -> None:
    bench = Bench(installation.database)
    async with running(bench.run()):
        await ask_for(installation.database, order("a"))
        await installation.until(lambda: bench.ended == ["a"])
        bench.work_on = until_cancelled
        await ask_for(installation.database, order("b"))
        await installation.until(lambda: bench.tried == ["a", "b"])
        installation.clock.advance(8 * 24 * 3600.0)
        await installation.quiet()
        async with installation.database.reading() as reading:
            left = (await reading.execute(sa.select(work.c.id))).scalars().all()
    assert left == [named("b")]


async def test_what_was_ordered_before_the_start_is_done_after_it(installation: Installation) -> None:
    bench = Bench(installation.database)
    await ask_for(installation.database, order("a"), order("b"))
    async with running(bench.run()):
        await installation.until(lambda: sorted(bench.ended) == ["a", "b"])


async def test_an_order_placed_twice_is_done_once(installation: Installation) -> None:
    bench = Bench(installation.database)
    async with running(bench.run()):
        await ask_for(installation.database, order("a"), order("a"))
        await installation.until(lambda: bench.ended == ["a"])
        await ask_for(installation.database, order("a"))
        await installation.quiet()
        installation.clock.advance(60.0)
        await installation.quiet()
    assert bench.tried == ["a"]


async def test_a_claim_tells_the_order_as_it_was_placed(installation: Installation) -> None:
    bench = Bench(installation.database)
    async with running(bench.run()):
        await ask_for(installation.database, order("päckchen"))
        await installation.until(lambda: bool(bench.ended))
    claim = bench.begun[0]
    assert claim.order.payload == {"name": "päckchen"}
    assert (claim.order.correlation, claim.order.traceparent) == ("shop@1", "00-ab-cd-01")
    assert (claim.order.id, claim.order.share) == (order("päckchen").id, "shop")
    assert (claim.fence, claim.attempts, claim.cancelled.is_set()) == (1, 0, False)


async def test_an_order_of_a_kind_nobody_takes_waits(installation: Installation) -> None:
    bench = Bench(installation.database)
    async with running(bench.run()):
        await ask_for(installation.database, order("unknown", kind="fly"), order("a"))
        await installation.until(lambda: bench.ended == ["a"])
        await installation.quiet()
    assert bench.tried == ["a"]


async def test_two_processes_share_orders_and_do_none_twice(installation: Installation) -> None:
    here, there = Bench(installation.database, "here"), Bench(installation.another(), "there")
    names = [f"order {number}" for number in range(40)]
    await ask_for(installation.database, *map(order, names))
    async with running(here.run(), there.run()):
        await installation.until(lambda: len(here.ended) + len(there.ended) == 40)
        await installation.quiet()
    assert sorted(await noted(installation.database, "finished")) == sorted(names)
    assert sorted(here.tried + there.tried) == sorted(names)
    assert here.ended
    assert there.ended


async def test_an_order_of_another_process_is_found_within_a_second(installation: Installation) -> None:
    there = Bench(installation.another(), "there")
    async with running(there.run()):
        await installation.quiet()
        await ask_for(installation.database, order("a"))
        await installation.quiet()
        installation.clock.advance(1.0)
        await installation.until(lambda: there.ended == ["a"])


async def test_a_worker_that_falls_silent_is_relieved_and_its_result_refused(
    installation: Installation,
) -> None:
    here, there = Bench(installation.database, "here"), Bench(installation.another(), "there")
    here.work_on = Gate()
    async with running(here.run()) as (silent,):
        await ask_for(installation.database, order("a"))
        await installation.until(lambda: bool(here.begun))
        silent.cancel()  # as good as dead, but for what its claim still holds
        await installation.quiet()
    async with running(there.run()):
        installation.clock.advance(A_LEASE_LAPSES)
        await installation.until(lambda: there.ended == ["a"])
    assert there.begun[0].fence > here.begun[0].fence
    with pytest.raises(FenceLost):
        await here.finish(here.begun[0])
    assert await noted(installation.database, "finished") == ["a"]


async def test_nothing_of_a_late_worker_is_written(installation: Installation) -> None:
    here, there = Bench(installation.database, "here"), Bench(installation.another(), "there")
    gate = Gate()
    here.work_on = there.work_on = gate
    async with running(here.run(), there.run()):
        await installation.quiet()  # or the other one has it as it begins
        await ask_for(installation.database, order("a"))
        await installation.until(lambda: bool(here.begun))
        await take_over(installation, there)
        for late in (here.workers.finishing(here.begun[0]), here.workers.holding(here.begun[0], "progress")):
            with pytest.raises(FenceLost):
                async with late as tx:
                    await note(tx, "finished", "late")
        gate.open()
        await installation.until(lambda: there.ended == ["a"])
    assert await noted(installation.database, "finished") == ["a"]


async def test_a_worker_that_lost_its_claim_is_stopped_at_its_next_heartbeat(
    installation: Installation,
) -> None:
    here, there = Bench(installation.database, "here"), Bench(installation.another(), "there")
    stopped = asyncio.Event()

    async def oblivious(_claim: Claim) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()

    here.work_on, there.work_on = oblivious, until_cancelled
    async with running(here.run(), there.run()):
        await installation.quiet()  # or the other one has it as it begins
        await ask_for(installation.database, order("a"))
        await installation.until(lambda: bool(here.begun))
        await take_over(installation, there)
        installation.clock.advance(1.0)
        await installation.until(stopped.is_set)
        await installation.quiet()
        assert there.begun[-1].fence == 2
        assert not there.begun[-1].cancelled.is_set()


async def take_over(installation: Installation, bench: Bench) -> None:
    """Have `bench` claim what another holds, as after a lapse that the holder slept through."""
    lapsed = installation.clock.now() - timedelta(seconds=1)
    async with bench.db.transaction(Cause(named("lapse")), "lapse") as tx:
        await tx.execute(sa.update(work).values(lease_until=lapsed))
        tx.noted.add(f"work:{SERVICE}")
    await installation.until(lambda: bool(bench.begun))


async def test_a_lease_is_renewed_for_as_long_as_the_work_lasts(installation: Installation) -> None:
    here, there = Bench(installation.database, "here"), Bench(installation.another(), "there")
    gate = Gate()
    here.work_on = gate
    async with running(here.run()):
        await ask_for(installation.database, order("a"))
        await installation.until(lambda: bool(here.begun))
        async with running(there.run()):
            for _ in range(60):
                installation.clock.advance(1.0)
                await installation.quiet()
            gate.open()
            await installation.until(lambda: here.ended == ["a"])
    assert there.begun == []


async def test_a_restart_under_the_same_name_takes_its_orders_back_at_once(
    installation: Installation,
) -> None:
    before, after = Bench(installation.database), Bench(installation.another())
    before.work_on = Gate()
    async with running(before.run()):
        await ask_for(installation.database, order("a"), order("b"))
        await installation.until(lambda: len(before.begun) == 2)
        # The first life is still there, and unaware: as after kill -9, nothing was handed back.
        async with running(after.run()):
            await installation.until(lambda: sorted(after.ended) == ["a", "b"])
    assert {claim.fence for claim in after.begun} == {2}
    assert sorted(await noted(installation.database, "finished")) == ["a", "b"]


async def test_a_restart_takes_nothing_from_other_names(installation: Installation) -> None:
    here, there = Bench(installation.database, "here"), Bench(installation.another(), "there")
    gate = Gate()
    here.work_on = gate
    async with running(here.run()):
        await ask_for(installation.database, order("a"))
        await installation.until(lambda: bool(here.begun))
        async with running(there.run()):
            await installation.quiet()
        gate.open()
        await installation.until(lambda: here.ended == ["a"])
    assert there.begun == []


async def test_a_graceful_stop_hands_back_what_is_in_hand(installation: Installation) -> None:
    here, there = Bench(installation.database, "here"), Bench(installation.another(), "there")
    here.work_on = Gate()
    async with running(here.run()):
        await ask_for(installation.database, order("a"), order("b"))
        await installation.until(lambda: len(here.begun) == 2)
    async with running(there.run()):  # no time passes: it waits for no lease
        await installation.until(lambda: sorted(there.ended) == ["a", "b"])
    assert here.ended == []
    assert {claim.attempts for claim in there.begun} == {0}


async def test_what_is_finished_stays_finished_when_its_worker_breaks_afterwards(
    installation: Installation,
) -> None:
    bench = Bench(installation.database)
    bench.after = raising(ZeroDivisionError("after the end"), TryAgain("after the end"))
    async with running(bench.run()):
        await ask_for(installation.database, order("a"), order("b"))
        for _ in range(10):
            await installation.quiet()
            installation.clock.advance(20.0)
        await installation.quiet()
    assert sorted(bench.tried) == ["a", "b"]
    assert bench.given_up == {}
    assert sorted(await noted(installation.database, "finished")) == ["a", "b"]


async def test_what_is_finished_is_not_given_up_when_its_worker_breaks_afterwards(
    installation: Installation,
) -> None:
    bench, asked_to_give_up = Bench(installation.database), list[Claim]()

    async def giving_up(claim: Claim) -> None:
        asked_to_give_up.append(claim)

    bench.work_on, bench.giving_up = until_cancelled, giving_up
    bench.after = raising(ZeroDivisionError("after the end"))
    async with running(bench.run()):
        await ask_for(installation.database, order("a"))
        await call_off(installation.database, "a")
        await installation.until(lambda: bench.ended == ["a"])
        await installation.quiet()
    assert asked_to_give_up == []


async def test_an_order_in_hand_is_not_claimed_again_when_its_lease_has_lapsed(
    installation: Installation,
) -> None:
    database = Unreliable(installation.database)
    bench, gate = Bench(database), Gate()
    bench.work_on = gate
    async with running(bench.run()):
        await ask_for(installation.database, order("a"))
        await installation.until(lambda: bool(bench.begun))
        database.away = True
        installation.clock.advance(A_LEASE_LAPSES)
        await installation.quiet()
        database.away = False
        await ask_for(installation.database, order("b"))
        await installation.until(lambda: "b" in bench.tried)
        await installation.quiet()
        assert bench.tried == ["a", "b"]
        gate.open()
        await installation.until(lambda: sorted(bench.ended) == ["a", "b"])


async def test_a_result_that_cannot_be_written_is_tried_again_whole(installation: Installation) -> None:
    bench = Bench(installation.database)
    fail = [ZeroDivisionError("while writing")]

    async def finish(claim: Claim) -> None:
        async with bench.workers.finishing(claim) as tx:
            await note(tx, "finished", name_of(claim))
            if fail:
                raise fail.pop()
        bench.ended.append(name_of(claim))

    bench.finish = finish  # type: ignore[method-assign]
    async with running(bench.run()):
        await ask_for(installation.database, order("a"))
        await installation.quiet()
        assert await noted(installation.database, "finished") == []
        installation.clock.advance(1.0)
        await installation.until(lambda: bench.ended == ["a"])
    assert await noted(installation.database, "finished") == ["a"]


async def test_an_order_waits_for_its_time(installation: Installation) -> None:
    bench = Bench(installation.database)
    async with running(bench.run()):
        later = installation.clock.now() + timedelta(seconds=30)
        await ask_for(installation.database, order("a"), not_before=later)
        for _ in range(29):
            await installation.quiet()
            installation.clock.advance(1.0)
        await installation.quiet()
        assert bench.begun == []
        for _ in range(2):
            installation.clock.advance(1.0)
            await installation.quiet()
        await installation.until(lambda: bench.ended == ["a"])


async def test_claims_that_cross_each_other_never_share_an_order(installation: Installation) -> None:
    databases = [Unreliable(installation.another()) for _ in range(3)]
    for database in databases:
        database.hesitates = True
    benches = [Bench(database, f"process {n}", slots=3) for n, database in enumerate(databases)]
    await ask_for(installation.database, *(order(f"order {number}") for number in range(30)))
    async with running(*(bench.run() for bench in benches)):
        await every(*(ask_for(installation.database, order(f"late {number}")) for number in range(10)))
        for _ in range(3):
            await installation.quiet()
            installation.clock.advance(1.0)
        await installation.until(lambda: sum(len(bench.ended) for bench in benches) == 40)
    assert sum(len(bench.begun) for bench in benches) == 40
    assert len(set(await noted(installation.database, "finished"))) == 40
    assert all(bench.ended for bench in benches)


async def test_an_order_that_was_handed_back_since_it_was_looked_at_is_not_claimed_by_that_look(
    installation: Installation,
) -> None:
    slow = Unreliable(installation.another())
    here, there = Bench(installation.database, "here"), Bench(slow, "there")
    here.work_on = raising(TryAgain("the disk is away"))
    async with running(there.run()):
        await installation.quiet()
        slow.may_write = asyncio.Event()
        await ask_for(installation.database, order("a"))
        installation.clock.advance(1.0)
        await installation.until(lambda: slow.waits_to_write > 0)
        async with running(here.run()):
            await installation.until(lambda: bool(here.begun))
            await installation.quiet()  # it is back by now, for later
            slow.may_write.set()
            await installation.quiet()
            assert (len(here.begun), there.begun) == (1, [])
