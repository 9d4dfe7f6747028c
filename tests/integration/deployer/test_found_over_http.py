"""What the stateful tests over HTTP found, each in the shortest way there is to it."""

from datetime import timedelta

from shared.events import AlarmChanged, BlockerLifted, OperationAccepted, RunSucceeded, StageBlocked
from tests.integration.deployer.stand import Stand, plan, planned
from tests.integration.deployer.test_alarms import live, say, watched


async def fires_and_is_lifted(stand: Stand) -> None:
    await say(stand, "firing", "5xx")
    await stand.until_said(StageBlocked, stage="production")
    for stage in ("staging", "production"):
        answer = await stand.answer("lift_blocker", stage, reason="a false alarm")
        assert isinstance(answer, OperationAccepted), answer


async def test_what_a_person_lifted_stays_lifted_for_the_revisions_to_come(stand: Stand) -> None:
    async with stand.running():
        await live(stand, 1)
        await fires_and_is_lifted(stand)
        await live(stand, 2)
    assert len(stand.said(StageBlocked)) == 2


async def test_what_a_person_lifted_is_blocked_when_the_alarm_fires_again(stand: Stand) -> None:
    async with stand.running():
        await live(stand, 1)
        await fires_and_is_lifted(stand)
        await say(stand, "clear")
        stand.clock.advance(61)
        await say(stand, "firing", "5xx again")
        await stand.say(watched(2))
        await stand.until_waits("blocker", revision=2)
    assert sorted(event.stage for event in stand.said(StageBlocked)) == ["production"] * 2 + ["staging"] * 2


async def test_a_person_need_not_wait_until_a_cleared_alarm_was_quiet_for_long_enough(stand: Stand) -> None:
    async with stand.running():
        await live(stand, 1)
        await say(stand, "firing", "5xx")
        await stand.until_said(StageBlocked, stage="production")
        await stand.say(watched(2))
        await say(stand, "clear")
        lifted = await stand.until_said(BlockerLifted, stage="production")
        assert lifted.at == stand.clock.now() + timedelta(seconds=60)
        for stage in ("staging", "production"):
            answer = await stand.answer("lift_blocker", stage, reason="it is well")
            assert isinstance(answer, OperationAccepted), answer
        await stand.until_said(RunSucceeded, revision=2, stage="production")


async def test_two_alarms_that_fire_when_a_plan_first_names_them_both_block(stand: Stand) -> None:
    async with stand.running():
        await live(stand, 1)
        await say(stand, "firing", "5xx")
        await stand.until_said(StageBlocked, stage="production")
        other = AlarmChanged(
            alarm="queue", state="firing", reason="long", source="monitor", at=stand.clock.now()
        )
        await stand.say(other)
        staging, production = plan(2).stages
        both = (
            staging.model_copy(update={"alarm": "queue"}),
            production.model_copy(update={"alarm": "queue-2"}),
        )
        await stand.say(other.model_copy(update={"alarm": "queue-2"}))
        await stand.say(planned(2, plan(2).model_copy(update={"stages": both})))
        await stand.until_waits("blocker", revision=2)
    blocked = {(event.stage, event.blocker) for event in stand.said(StageBlocked)}
    assert {("production", "alarm queue"), ("production", "alarm queue-2")} <= blocked
