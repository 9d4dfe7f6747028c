"""What the simulation found, each as small as it can be told."""

from datetime import timedelta

from shared.events import (
    BuildRequested,
    OperationAccepted,
    RunCancelled,
    RunFailed,
    RunSucceeded,
    RunWaiting,
)
from shared.window import Opening, Window
from tests.integration.deployer.stand import EPOCH, Stand, plan, planned

ONE_STAGE = ("staging",)


async def test_a_retry_after_a_failed_build_has_it_built_again(stand: Stand) -> None:
    stand.failing_builds = {1}
    async with stand.running():
        await stand.say(planned(1, plan(1, stages=ONE_STAGE)))
        await stand.until_said(RunFailed)
        stand.failing_builds = set()
        assert isinstance(await stand.answer("retry", "staging"), OperationAccepted)
        await stand.until(lambda: len(stand.said(RunSucceeded)) + len(stand.said(RunFailed)) == 2)
    assert len(stand.said(BuildRequested)) == 2
    assert stand.said(RunSucceeded, kind="retry")


async def test_a_retry_after_a_build_was_called_off_has_it_built_again(stand: Stand) -> None:
    stand.silent_builder = True
    async with stand.running():
        await stand.say(planned(1, plan(1, stages=ONE_STAGE)))
        await stand.until_said(BuildRequested)
        await stand.cancel("staging")
        await stand.until_said(RunCancelled)  # upon which the builder forgets who asked
        stand.silent_builder = False
        assert isinstance(await stand.answer("retry", "staging"), OperationAccepted)
        await stand.until_said(RunSucceeded, kind="retry")


async def test_a_run_that_waits_for_its_window_says_so_once(stand: Stand) -> None:
    opens = Window(name="later", openings=(Opening(day="thu", opens="10:00", closes="11:00"),))
    async with stand.running():
        await stand.say(planned(1, plan(1, stages=ONE_STAGE, window=opens)))
        waits = await stand.until_waits("window")
        stand.clock.advance(3600)
        await stand.answer("resume", "staging")  # refused, and everything is looked at again
    assert waits.deadline == EPOCH + timedelta(hours=10)
    assert len(stand.said(RunWaiting)) == 1
