"""What the simulation found, each as small as it can be told."""

from datetime import timedelta

from shared.events import (
    AlarmChanged,
    BlockerLifted,
    BuildRequested,
    OperationAccepted,
    OperationRefused,
    RunCancelled,
    RunFailed,
    RunSucceeded,
    RunTimedOut,
    RunWaiting,
    StageBlocked,
    StepStarted,
)
from shared.events.alarms import AlarmState
from shared.plan import Plan
from shared.window import Opening, Window
from tests.integration.deployer.stand import EPOCH, Stand, plan, planned, step

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


async def out_of_time(stand: Stand) -> None:
    """Have revision 1 end in both stages because its deployment's time is over."""
    let_go = stand.carrier.hold("a")
    limited = plan(1, steps=(step("a"),)).model_copy(update={"timeout_seconds": 30.0})
    await stand.say(planned(1, limited))
    await stand.until_said(StepStarted)
    stand.clock.advance(31)
    await stand.until(lambda: len(stand.said(RunTimedOut)) == 2)
    let_go.set()


async def test_a_retry_is_no_part_of_the_deployment_whose_time_was_over(stand: Stand) -> None:
    async with stand.running():
        await out_of_time(stand)
        assert isinstance(await stand.answer("retry", "staging"), OperationAccepted)
        await stand.until(lambda: len(stand.said(RunSucceeded)) + len(stand.said(RunTimedOut)) == 3)
    assert stand.said(RunSucceeded, stage="staging", kind="retry")


async def test_two_retries_of_a_revision_do_not_meet_in_one_stage(stand: Stand) -> None:
    async with stand.running():
        await out_of_time(stand)
        await stand.answer("stop", "production")
        refused = await stand.answer("retry", "production")  # it waited, and the other one was sent to it
        assert isinstance(refused, OperationRefused)
        assert "has not come through staging, where it timed out: retry it there" in refused.message
        assert isinstance(await stand.answer("retry", "staging"), OperationAccepted)
        await stand.until_said(RunSucceeded, stage="staging", kind="retry")
        again = await stand.answer("retry", "production")  # its run there came back along
        assert isinstance(again, OperationRefused)
        assert "is Not Started in production already" in again.message
        await stand.answer("resume", "production")
        await stand.until_said(RunSucceeded, stage="production", kind="retry")
    assert len(stand.said(RunSucceeded, stage="production")) == 1


def alarm(state: AlarmState) -> AlarmChanged:
    return AlarmChanged(alarm="5xx", state=state, reason="above 1 %", source="grafana", at=EPOCH)


async def test_an_alarm_that_clears_opens_what_it_closed_though_the_newest_plan_names_none(
    stand: Stand,
) -> None:
    async with stand.running():
        await stand.say(planned(1, plan(1, stages=ONE_STAGE, alarm="5xx")))
        await stand.until_said(RunSucceeded, revision=1)
        await stand.say(alarm("firing"))
        await stand.until_said(StageBlocked)
        await stand.say(planned(2, plan(2, stages=ONE_STAGE)))
        await stand.until_waits("blocker")
        await stand.say(alarm("clear"))
        await stand.until_said(BlockerLifted)
        stand.clock.advance(61)
        await stand.until_said(RunSucceeded, revision=2)


async def test_an_alarm_that_clears_opens_what_it_closed_though_the_stages_were_moved_since(
    stand: Stand,
) -> None:
    def ordered(revision: int, *names: str) -> Plan:
        whole = plan(revision, stages=names)
        stages = [
            each.model_copy(update={"alarm": "5xx" if each.name == "staging" else ""})
            for each in whole.stages
        ]
        return whole.model_copy(update={"stages": tuple(stages)})

    async with stand.running():
        await stand.say(planned(1, ordered(1, "staging", "production")))
        await stand.until_said(RunSucceeded, revision=1, stage="production")
        await stand.say(alarm("firing"))
        await stand.until_said(StageBlocked, stage="production")
        await stand.say(planned(2, ordered(2, "production", "staging")))
        await stand.until_waits("blocker")
        await stand.say(alarm("clear"))
        await stand.until_said(BlockerLifted, stage="production")
        stand.clock.advance(61)
        await stand.until_said(RunSucceeded, revision=2, stage="production")
