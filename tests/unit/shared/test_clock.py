import asyncio
from datetime import UTC, timedelta

from shared.clock import ManualClock, SystemClock
from tests.builders import START


async def turn() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_sleeper_wakes_when_its_time_has_come_and_not_before() -> None:
    clock, woken = ManualClock(START), list[float]()

    async def sleep(seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append(seconds)

    sleepers = [asyncio.ensure_future(sleep(seconds)) for seconds in (3, 1, 2, 0)]
    await turn()
    assert woken == [0]
    clock.advance(2.0)
    await turn()
    assert woken == [0, 1, 2]
    clock.advance(1.0)
    await asyncio.gather(*sleepers)
    assert woken == [0, 1, 2, 3]


async def test_a_sleeper_that_is_cancelled_is_passed_over() -> None:
    clock = ManualClock(START)
    impatient = asyncio.ensure_future(clock.sleep(1.0))
    await turn()
    impatient.cancel()
    clock.advance(2.0)
    await turn()
    assert impatient.cancelled()
    assert clock.now() == START + timedelta(seconds=2)


async def test_an_instant_that_has_passed_is_not_waited_for() -> None:
    clock = ManualClock(START)
    await clock.sleep_until(START)
    await clock.sleep_until(START - timedelta(days=1))
    await SystemClock().sleep_until(START - timedelta(days=10_000))


def test_the_machines_clock_is_aware_and_never_runs_backwards() -> None:
    clock = SystemClock()
    instants = [clock.now() for _ in range(1_000)]
    assert instants == sorted(instants)
    assert {instant.tzinfo for instant in instants} == {UTC}
