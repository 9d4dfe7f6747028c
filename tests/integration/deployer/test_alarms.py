"""Alarms: what fires while a run brings something new undoes it, and blocks; what cleared lets go later."""

from datetime import timedelta
from typing import Literal

import pytest

from shared.events import (
    AlarmChanged,
    BlockerLifted,
    Event,
    OperationRefused,
    RevisionPlanned,
    RunCancelled,
    RunFailed,
    RunStarted,
    RunSucceeded,
    StageBlocked,
    StepStarted,
)
from tests.integration.deployer.stand import SERVICE, Stand, plan, planned, step

ALARM = "shop-5xx"


def watched(revision: int) -> RevisionPlanned:
    return planned(revision, plan(revision, steps=(step("a"), step("web", SERVICE, "a")), alarm=ALARM))


async def say(stand: Stand, state: Literal["firing", "clear", "unknown"], reason: str = "") -> None:
    said = AlarmChanged(alarm=ALARM, state=state, reason=reason, source="monitor", at=stand.clock.now())
    await stand.say(said)


async def live(stand: Stand, revision: int) -> None:
    await stand.say(watched(revision))
    await stand.until_said(RunSucceeded, revision=revision, stage="production")


async def test_an_alarm_while_a_run_is_in_progress_cancels_it_and_rolls_it_back(stand: Stand) -> None:
    async with stand.running():
        await live(stand, 1)
        let_go = stand.carrier.hold("a", "staging")
        await stand.say(watched(2))
        await stand.until_said(StepStarted, revision=2)
        await say(stand, "firing", "5xx above 1 %")
        cancelled = await stand.until_said(RunCancelled, revision=2, stage="staging")
        assert (cancelled.actor, cancelled.reason, cancelled.rollback) == (
            "alarm shop-5xx", "5xx above 1 %", "started",
        )  # fmt: skip
        let_go.set()
        restored = await stand.until_said(RunSucceeded, kind="rollback")
        assert (restored.stage, restored.revision) == ("staging", 1)
    assert {event.stage for event in stand.said(StageBlocked)} == {"staging", "production"}


async def test_after_success_an_alarm_only_blocks_and_what_waits_says_so(stand: Stand) -> None:
    async with stand.running():
        await live(stand, 1)
        await say(stand, "firing", "5xx")
        await stand.until_said(StageBlocked)
        await stand.say(watched(2))
        wait = await stand.until_waits("blocker", revision=2)
        assert wait.blocked_by == "alarm shop-5xx: 5xx"
        assert wait.released_by == "alarm shop-5xx clearing, or somebody who lifts it"
    assert not stand.said(RunCancelled)
    assert not stand.said(RunStarted, revision=2)


async def test_a_cleared_alarm_lets_the_queue_go_on_after_it_was_quiet_for_a_while(stand: Stand) -> None:
    async with stand.running():
        await live(stand, 1)
        await say(stand, "firing")
        await stand.until_said(StageBlocked)
        await stand.say(watched(2))
        await stand.until_waits("blocker", revision=2)
        await say(stand, "clear")
        lifted = await stand.until_said(BlockerLifted)
        assert lifted.at == stand.clock.now() + timedelta(seconds=60)
        assert not stand.said(RunStarted, revision=2)
        stand.clock.advance(61)
        await stand.until_said(RunSucceeded, revision=2, stage="production")


async def test_an_alarm_that_flaps_keeps_the_stage_closed(stand: Stand) -> None:
    async with stand.running():
        await live(stand, 1)
        await say(stand, "firing")
        await stand.until_said(StageBlocked)
        await stand.say(watched(2))
        await stand.until_waits("blocker", revision=2)
        for number in range(1, 4):
            await say(stand, "clear")
            await until_count(stand, BlockerLifted, number)
            stand.clock.advance(30)
            await say(stand, "firing")
            await until_count(stand, StageBlocked, number + 1)
        stand.clock.advance(600)
        await stand.say(planned(9, plan(9, stages=("elsewhere",))))
        await stand.until_said(RunSucceeded, stage="elsewhere")
    assert not stand.said(RunStarted, revision=2)


async def test_what_is_not_known_of_an_alarm_changes_nothing(stand: Stand) -> None:
    async with stand.running():
        await live(stand, 1)
        await say(stand, "unknown", "no data")
        await live(stand, 2)
    assert not stand.said(StageBlocked)


async def test_an_alarm_that_fires_already_blocks_a_stage_that_newly_names_it(stand: Stand) -> None:
    async with stand.running():
        await say(stand, "firing", "old news")
        await stand.say(watched(1))
        wait = await stand.until_waits("blocker", stage="staging")
        assert wait.blocked_by == "alarm shop-5xx: old news"
    assert not stand.said(RunStarted)


async def test_without_anything_to_go_back_to_the_cancelled_run_says_so(stand: Stand) -> None:
    stand.carrier.hold("a", "staging")
    async with stand.running():
        await stand.say(watched(1))
        await stand.until_said(StepStarted)
        await say(stand, "firing")
        cancelled = await stand.until_said(RunCancelled)
    assert cancelled.rollback == "no_candidate"


async def test_a_rollback_that_fails_leaves_the_stage_blocked(stand: Stand) -> None:
    async with stand.running():
        await live(stand, 1)
        let_go = stand.carrier.hold("a", "staging")
        await stand.say(watched(2))
        await stand.until_said(StepStarted, revision=2)
        stand.carrier.failing = {"web"}
        await say(stand, "firing")
        await stand.until_said(RunCancelled)
        let_go.set()
        await stand.until_said(RunFailed, kind="rollback")
        await stand.say(watched(3))
        await stand.until_waits("blocker", revision=3)


async def test_a_person_may_lift_a_blocker(stand: Stand) -> None:
    async with stand.running():
        await live(stand, 1)
        await say(stand, "firing")
        await stand.until_said(StageBlocked, stage="production")
        await stand.say(watched(2))
        await stand.until_waits("blocker", revision=2)
        unknown = await stand.answer("lift_blocker", "staging", blocker="alarm other")
        assert isinstance(unknown, OperationRefused)
        await stand.answer("lift_blocker", "staging", reason="a false alarm")
        await stand.answer("lift_blocker", "production", reason="a false alarm")
        await stand.until_said(RunSucceeded, revision=2, stage="production")


@pytest.mark.parametrize("state", ["firing", "clear"])
async def test_an_alarm_heard_twice_is_as_if_once(stand: Stand, state: Literal["firing", "clear"]) -> None:
    stand.heard_twice = True
    async with stand.running():
        await live(stand, 1)
        await say(stand, "firing")
        await stand.until_said(StageBlocked, stage="production")
        await say(stand, state)
        await live_or_blocked(stand, state)
    assert len(stand.said(StageBlocked)) == 2


async def until_count(stand: Stand, kind: type[Event], count: int) -> None:
    await stand.until(lambda: len(stand.said(kind, stage="staging")) == count)


async def live_or_blocked(stand: Stand, state: str) -> None:
    await stand.say(watched(2))
    await stand.until_waits("blocker", revision=2)
    if state == "clear":
        await stand.until_said(BlockerLifted)
        stand.clock.advance(61)
        await stand.until_said(RunSucceeded, revision=2, stage="production")


async def test_what_is_not_known_of_an_alarm_changes_nothing_while_a_run_is_in_progress(stand: Stand) -> None:
    let_go = stand.carrier.hold("a", "staging")
    async with stand.running():
        await stand.say(watched(1))
        await stand.until_said(StepStarted)
        await say(stand, "unknown", "no data")
        let_go.set()
        await stand.until_said(RunSucceeded, stage="production")
    assert not stand.said(StageBlocked)


async def test_what_is_not_known_of_an_alarm_keeps_a_blocked_stage_closed(stand: Stand) -> None:
    async with stand.running():
        await live(stand, 1)
        await say(stand, "firing")
        await stand.until_said(StageBlocked, stage="production")
        await say(stand, "unknown", "no data")
        await stand.say(watched(2))
        await stand.until_waits("blocker", revision=2)
        stand.clock.advance(600)
        await stand.say(planned(9, plan(9, stages=("elsewhere",))))
        await stand.until_said(RunSucceeded, stage="elsewhere")
    assert not stand.said(RunStarted, revision=2)


async def test_a_rollback_that_runs_is_left_alone_by_an_alarm(stand: Stand) -> None:
    async with stand.running():
        for number in (1, 2):
            await live(stand, number)
            stand.clock.advance(1)
        let_go = stand.carrier.hold("a", "staging")
        await stand.answer("rollback", "staging", reason="prices wrong")
        await stand.until_said(StepStarted, revision=1, stage="staging")
        await say(stand, "firing")
        await stand.until_said(StageBlocked, stage="staging")
        let_go.set()
        restored = await stand.until_said(RunSucceeded, kind="rollback")
    assert restored.revision == 1
    assert not stand.said(RunCancelled)


async def test_an_alarm_of_health_blocks_and_lets_the_run_go_on_that_it_may_not_be_about(
    stand: Stand,
) -> None:
    name = "health:shop/staging"
    ails = AlarmChanged(
        alarm=name, state="firing", reason="web is slow", source="windlass", at=stand.clock.now()
    )
    async with stand.running():
        let_go = stand.carrier.hold("a", "production")
        await stand.say(planned(1, plan(1, steps=(step("a"),), alarm=name)))
        await stand.until_said(StepStarted, stage="production")
        await stand.say(ails)
        await stand.until_said(StageBlocked, stage="production")
        let_go.set()
        await stand.until_said(RunSucceeded, stage="production")
    assert not stand.said(RunCancelled)
