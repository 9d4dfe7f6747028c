"""What is left when a worker gives a step up, and when one pipeline's rows cannot be read."""

import asyncio

import sqlalchemy as sa

from services.deployer import tables
from services.deployer.step_order import StepAnswer, StepOrder
from shared.events import RunFailed, RunSucceeded, RunTimedOut, StepFailed, StepStarted
from shared.faults import TryAgain
from shared.ids import Pipeline
from tests.integration.deployer import promises
from tests.integration.deployer.stand import Stand, plan, planned


async def until_backoff_is_over(stand: Stand, waiting_for: asyncio.Event) -> None:
    """Let time go on until the worker has tried to the limit."""
    while not waiting_for.is_set():
        stand.clock.advance(5)
        await asyncio.sleep(0)


async def test_a_step_that_is_given_up_leaves_no_candidate(stand: Stand) -> None:
    come_up = stand.carrier.run

    async def comes_up_and_loses_sight(order: StepOrder, called_off: asyncio.Event) -> StepAnswer:
        answer = await come_up(order, called_off)
        if order.step.id == "web":
            raise TryAgain("the candidate does not answer")
        return answer

    stand.carrier.run = comes_up_and_loses_sight  # type: ignore[method-assign]
    async with stand.running():
        await stand.say(planned(1))
        await stand.until_said(StepStarted, step="web")
        over = asyncio.Event()
        going_on = asyncio.create_task(until_backoff_is_over(stand, over))
        failed = await stand.until_said(StepFailed, step="web")
        await stand.until_said(RunFailed)
        over.set()
        await going_on
        await promises.rest(stand)
    assert "could not be carried out" in failed.evidence.message
    promises.kept(stand)


async def test_a_pipeline_whose_rows_are_damaged_keeps_no_other_from_its_limits(stand: Stand) -> None:
    stand.carrier.hold("migrate")
    other = plan(1).model_copy(update={"pipeline": Pipeline("zoo")})
    async with stand.running():
        await stand.say(planned(1), planned(1, other))
        await stand.until(lambda: len(stand.said(StepStarted)) == 2)
        change = sa.update(tables.runs).where(tables.runs.c.pipeline == "shop")
        stand.store.write(change.values(kind="nonsense", verification_state="nonsense"))
        stand.clock.advance(61)
        timed_out = await stand.until_said(RunTimedOut)
    assert timed_out.pipeline == "zoo"
    assert not stand.said(RunSucceeded)
