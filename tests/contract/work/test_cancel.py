"""Calling work off, wherever it has got to."""

from shared.faults import TryAgain
from shared.work import Claim
from tests.builders import order
from tests.contract.installation import Installation, running
from tests.contract.notes import noted
from tests.contract.work.bench import Bench, Gate, ask_for, call_off, until_cancelled


async def test_work_is_told_at_once_by_its_own_process(installation: Installation) -> None:
    bench = Bench(installation.database)
    bench.work_on = until_cancelled
    async with running(bench.run()):
        await ask_for(installation.database, order("a"))
        await installation.until(lambda: bool(bench.begun))
        assert await call_off(installation.database, "a", "superseded")
        await installation.until(lambda: bench.ended == ["a"])
    assert bench.begun[0].cancel_reason == "superseded"


async def test_work_is_told_by_another_process_within_a_heartbeat(installation: Installation) -> None:
    bench = Bench(installation.another())
    bench.work_on = until_cancelled
    async with running(bench.run()):
        await ask_for(installation.database, order("a"))
        installation.clock.advance(1.0)
        await installation.until(lambda: bool(bench.begun))
        await installation.quiet()
        await call_off(installation.database, "a")
        await installation.quiet()
        installation.clock.advance(1.0)
        await installation.until(lambda: bench.ended == ["a"])


async def test_what_nobody_has_claimed_is_ended_by_the_worker_that_claims_it(
    installation: Installation,
) -> None:
    bench = Bench(installation.database)
    bench.work_on = until_cancelled
    await ask_for(installation.database, order("a"))
    assert await call_off(installation.database, "a", "superseded")
    async with running(bench.run()):
        await installation.until(lambda: bench.ended == ["a"])
    assert bench.begun[0].cancel_reason == "superseded"


async def test_what_is_called_off_does_not_wait_for_its_time(installation: Installation) -> None:
    bench = Bench(installation.database)
    bench.work_on = _busy_unless_cancelled
    async with running(bench.run()):
        await ask_for(installation.database, order("a"))
        for _ in range(5):
            await installation.quiet()
            installation.clock.advance(1.0)
        await installation.until(lambda: len(bench.begun) > 1)
        await installation.quiet()
        await call_off(installation.database, "a")
        await installation.until(lambda: bench.ended == ["a"])


async def test_what_is_called_off_and_then_not_possible_is_given_up(installation: Installation) -> None:
    bench = Bench(installation.database)

    async def stubborn(claim: Claim) -> None:
        await claim.cancelled.wait()
        raise TryAgain("the disk is away")

    bench.work_on = stubborn
    async with running(bench.run()):
        await ask_for(installation.database, order("a"))
        await call_off(installation.database, "a")
        await installation.until(lambda: "a" in bench.given_up)
    assert len(bench.begun) == 1
    assert "the disk is away" in bench.given_up["a"]


async def test_a_call_off_that_crosses_a_handing_back_waits_for_no_pause(installation: Installation) -> None:
    bench = Bench(installation.database)

    async def crossed(claim: Claim) -> None:
        if not claim.cancelled.is_set():
            await call_off(installation.database, "a")
            raise TryAgain("busy")

    bench.work_on = crossed
    async with running(bench.run()):
        await ask_for(installation.database, order("a"))
        await installation.until(lambda: bench.ended == ["a"])
    assert len(bench.begun) == 2


async def test_the_first_reason_stands_and_asking_again_is_no_refusal(installation: Installation) -> None:
    bench = Bench(installation.database)
    await ask_for(installation.database, order("a"))
    assert await call_off(installation.database, "a", "first")
    assert await call_off(installation.database, "a", "second")
    async with running(bench.run()):
        await installation.until(lambda: bench.ended == ["a"])
    assert bench.begun[0].cancel_reason == "first"


async def test_what_is_done_or_was_never_ordered_cannot_be_called_off(installation: Installation) -> None:
    bench = Bench(installation.database)
    async with running(bench.run()):
        await ask_for(installation.database, order("a"))
        await installation.until(lambda: bench.ended == ["a"])
        assert not await call_off(installation.database, "a")
        assert not await call_off(installation.database, "never")
        await installation.quiet()
    assert await noted(installation.database, "finished") == ["a"]


async def test_one_that_is_called_off_leaves_the_others_alone(installation: Installation) -> None:
    bench = Bench(installation.database)
    gate = Gate()
    bench.work_on = gate
    async with running(bench.run()):
        await ask_for(installation.database, order("a"), order("b"))
        await installation.until(lambda: len(bench.begun) == 2)
        await call_off(installation.database, "a")
        await installation.quiet()
        assert {claim.order.payload["name"]: claim.cancelled.is_set() for claim in bench.begun} == {
            "a": True,
            "b": False,
        }
        gate.open()
        await installation.until(lambda: len(bench.ended) == 2)


async def test_a_call_off_survives_a_restart(installation: Installation) -> None:
    before, after = Bench(installation.database), Bench(installation.another())
    before.work_on, after.work_on = Gate(), until_cancelled
    async with running(before.run()):
        await ask_for(installation.database, order("a"))
        await installation.until(lambda: bool(before.begun))
        await call_off(installation.database, "a")
    async with running(after.run()):
        await installation.until(lambda: after.ended == ["a"])


async def _busy_unless_cancelled(claim: Claim) -> None:
    if not claim.cancelled.is_set():
        raise TryAgain("busy")
