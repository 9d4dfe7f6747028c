import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import pytest
import structlog

from shared.clock import ManualClock
from shared.faults import TryAgain
from shared.timers import AGAIN_SECONDS, SWEEP_SECONDS, Ticker
from tests.builders import START
from tests.contract.installation import running

Answer = datetime | None | Exception


class Rows:
    """Deadlines as rows: answers each `resume` in turn, then with nothing."""

    def __init__(self, *answers: Answer) -> None:
        self.clock = ManualClock(START)
        self.ticker = Ticker(self.clock, self.resume)
        self.answers = list(answers)
        self.resumed_after: list[float] = []  # seconds since the start
        self.meanwhile: Callable[[], Awaitable[None]] | None = None

    async def resume(self) -> datetime | None:
        self.resumed_after.append((self.clock.now() - START).total_seconds())
        answer = self.answers.pop(0) if self.answers else None
        if self.meanwhile:
            await self.meanwhile()
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def pass_time(self, *pauses: float) -> None:
        await settle()
        for pause in pauses:
            self.clock.advance(pause)
            await settle()


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


async def test_it_resumes_at_the_start() -> None:
    rows = Rows()
    async with running(rows.ticker.run()):
        await settle()
    assert rows.resumed_after == [0.0]


async def test_it_resumes_at_the_deadline_and_not_before() -> None:
    rows = Rows(after(10))
    async with running(rows.ticker.run()):
        await rows.pass_time(9.9, 0.1)
    assert rows.resumed_after == [0.0, 10.0]


async def test_it_sweeps_also_without_a_deadline() -> None:
    rows = Rows()
    async with running(rows.ticker.run()):
        await rows.pass_time(SWEEP_SECONDS - 1, 1, SWEEP_SECONDS)
    assert rows.resumed_after == [0.0, SWEEP_SECONDS, 2 * SWEEP_SECONDS]


async def test_a_far_deadline_does_not_put_off_the_sweep() -> None:
    rows = Rows(after(3_600), after(3_600))
    async with running(rows.ticker.run()):
        await rows.pass_time(SWEEP_SECONDS)
    assert rows.resumed_after == [0.0, SWEEP_SECONDS]


async def test_a_nearer_deadline_wakes_it() -> None:
    rows = Rows(after(20))
    async with running(rows.ticker.run()):
        await settle()
        rows.ticker.due(after(5))
        await rows.pass_time(4, 1)
    assert rows.resumed_after == [0.0, 5.0]


@pytest.mark.parametrize("at", [None, after(25)], ids=["none", "a later one"])
async def test_what_is_no_nearer_changes_nothing(at: datetime | None) -> None:
    rows = Rows(after(20))
    async with running(rows.ticker.run()):
        await settle()
        rows.ticker.due(at)
        await rows.pass_time(19, 1)
    assert rows.resumed_after == [0.0, 20.0]


async def test_what_is_due_already_is_done_without_time_passing() -> None:
    rows = Rows()
    async with running(rows.ticker.run()):
        await settle()
        rows.ticker.due(after(-1))
        await settle()
    assert rows.resumed_after == [0.0, 0.0]


async def test_of_many_deadlines_the_nearest_counts() -> None:
    rows = Rows()
    async with running(rows.ticker.run()):
        await settle()
        for seconds in (12, 7, 9, 25):
            rows.ticker.due(after(seconds))
        await rows.pass_time(6, 1)
    assert rows.resumed_after == [0.0, 7.0]


async def test_a_deadline_that_comes_in_while_it_looks_is_not_lost() -> None:
    rows = Rows(after(20))

    async def meanwhile() -> None:
        rows.meanwhile = None
        rows.ticker.due(after(5))

    rows.meanwhile = meanwhile
    async with running(rows.ticker.run()):
        await rows.pass_time(5)
    assert rows.resumed_after == [0.0, 5.0]


async def test_what_is_not_possible_now_is_tried_again_soon() -> None:
    rows = Rows(TryAgain("the database is away"), TryAgain("the database is away"), after(10))
    async with running(rows.ticker.run()):
        await rows.pass_time(AGAIN_SECONDS, AGAIN_SECONDS, 8)
    assert rows.resumed_after == [0.0, AGAIN_SECONDS, 2 * AGAIN_SECONDS, 10.0]


async def test_an_outage_is_told_once_and_its_end_once() -> None:
    rows = Rows(*[TryAgain("the database is away")] * 30)
    with structlog.testing.capture_logs() as logged:
        async with running(rows.ticker.run()):
            await rows.pass_time(*[AGAIN_SECONDS] * 40)
    assert [line["event"] for line in logged] == ["resume.failed", "resume.possible_again"]
    assert (logged[0]["reason"], logged[1]["lasted_seconds"]) == ("the database is away", 30 * AGAIN_SECONDS)


async def test_a_bug_in_resume_costs_one_sweep() -> None:
    rows = Rows(ZeroDivisionError())
    async with running(rows.ticker.run()):
        await rows.pass_time(SWEEP_SECONDS - 1, 1)
    assert rows.resumed_after == [0.0, SWEEP_SECONDS]


async def test_a_deadline_that_stays_past_does_not_keep_it_busy() -> None:
    rows = Rows(*[after(-5)] * 1_000)
    async with running(rows.ticker.run()):
        await rows.pass_time(1.0, 1.0)
    assert rows.resumed_after == [0.0, 1.0, 2.0]


async def test_it_ends_when_it_is_stopped_whatever_it_is_at() -> None:
    for turns in range(30):
        rows = Rows(after(20))
        async with running(rows.ticker.run()) as (task,):
            for turn in range(turns):
                rows.ticker.due(after(20 - turn))
                await asyncio.sleep(0)
            task.cancel()
            await settle()
            assert task.cancelled()
