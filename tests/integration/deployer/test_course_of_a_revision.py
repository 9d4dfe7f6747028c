"""The stage engine on real SQLite, bus and work; only builder, verifier and target are played."""

import asyncio

from services.deployer.adapters.fakes import FakeCarrier
from services.deployer.step_order import StepAnswer, StepOrder
from shared.events import (
    BuildRequested,
    OperationAccepted,
    OperationRefused,
    RunCancelled,
    RunFailed,
    RunQueued,
    RunRollingBack,
    RunStarted,
    RunSucceeded,
    RunSuperseded,
    RunTimedOut,
    RunWaiting,
    StageHeld,
    StepCancelled,
    StepSkipped,
    StepStarted,
    StepSucceeded,
    StepTimedOut,
)
from tests.integration.deployer.stand import SERVICE, Stand, plan, planned, step


async def test_a_revision_goes_through_both_stages(stand: Stand) -> None:
    async with stand.running():
        await stand.say(planned(1))
        done = await stand.until_said(RunSucceeded, stage="production")
    assert done.urls == {"web": "http://stable/production/web"}
    assert [event.stage for event in stand.said(RunSucceeded)] == ["staging", "production"]
    assert len(stand.said(BuildRequested)) == 1
    assert len(stand.carrier.effects) == 4
    assert not stand.carrier.candidates


async def test_a_step_is_told_the_tag_that_is_deployed(stand: Stand) -> None:
    told: list[tuple[str, str]] = []

    class Listener(FakeCarrier):
        async def run(self, order: StepOrder, called_off: asyncio.Event) -> StepAnswer:
            told.append((order.branch, order.tag))
            return await super().run(order, called_off)

    stand.carrier = Listener()
    of_a_tag = plan(1, steps=(step("migrate"),), stages=("staging",)).model_copy(
        update={"branch": "", "tag": "v1"}
    )
    async with stand.running():
        await stand.say(planned(1, of_a_tag))
        await stand.until_said(RunSucceeded)
    assert told == [("", "v1")]


async def test_of_a_burst_the_running_one_finishes_and_the_newest_follows(stand: Stand) -> None:
    let_go = stand.carrier.hold("migrate")
    async with stand.running():
        await stand.say(planned(1))
        await stand.until_said(StepStarted, revision=1)
        await stand.say(*(planned(number) for number in range(2, 7)))
        await stand.until_said(RunQueued, revision=6, stage="production")
        let_go.set()
        await stand.until_said(RunSucceeded, stage="production", revision=6)
    started = [event.revision for event in stand.said(RunStarted, stage="staging")]
    assert started == [1, 6]
    superseded = stand.said(RunSuperseded, stage="staging")
    assert [(event.revision, event.by_revision) for event in superseded] == [(2, 3), (3, 4), (4, 5), (5, 6)]
    assert {event.revision for event in stand.said(BuildRequested)} == {1, 6}
    assert {event.revision for event in stand.said(RunSuperseded, stage="production")} == {2, 3, 4, 5}


async def test_a_waiting_run_says_on_what_and_until_when(stand: Stand) -> None:
    stand.carrier.hold("migrate")
    async with stand.running():
        await stand.say(planned(1))
        await stand.until_said(StepStarted, revision=1)
        await stand.say(planned(2))
        waiting = await stand.until_said(RunWaiting, revision=2, stage="staging")
    assert waiting.wait.reason == "lock"
    assert waiting.wait.blocked_by == "revision 1 is In Progress here"
    assert waiting.wait.deadline is not None


async def test_an_older_revision_that_arrives_late_never_runs(stand: Stand) -> None:
    async with stand.running():
        await stand.say(planned(2))
        await stand.until_said(RunSucceeded, stage="production")
        await stand.say(planned(1))
        superseded = await stand.until_said(RunSuperseded, stage="staging", revision=1)
    assert superseded.by_revision == 2
    assert not stand.said(RunStarted, revision=1)


async def test_a_bad_release_is_rolled_back_and_held_and_production_is_not_touched(stand: Stand) -> None:
    stand.bad_releases = {2}
    async with stand.running():
        await stand.say(planned(1))
        await stand.until_said(RunSucceeded, stage="production", revision=1)
        live = dict(stand.carrier.live)
        await stand.say(planned(2))
        restored = await stand.until_said(RunSucceeded, state="Rolled Back")
    assert (restored.stage, restored.revision, restored.kind) == ("staging", 1, "rollback")
    failed = stand.said(RunFailed)[0]
    assert (failed.revision, failed.failed_in, failed.rollback) == (2, "verification", "started")
    assert [event.revision for event in stand.said(StageHeld)] == [2]
    assert stand.said(RunRollingBack)[0].run == restored.run
    assert {event.revision for event in stand.said(BuildRequested)} == {1, 2}
    assert not stand.said(RunStarted, stage="production", revision=2)
    assert stand.carrier.live["web"] == str(restored.run) != live["web"]
    assert not stand.carrier.candidates


async def test_a_fix_goes_out_by_itself_after_a_rollback(stand: Stand) -> None:
    stand.bad_releases = {2}
    async with stand.running():
        await stand.say(planned(1))
        await stand.until_said(RunSucceeded, stage="production", revision=1)
        await stand.say(planned(2))
        await stand.until_said(RunSucceeded, state="Rolled Back")
        await stand.say(planned(3))
        await stand.until_said(RunSucceeded, stage="production", revision=3)
    assert stand.said(RunSuperseded, stage="production", revision=2)[0].by_revision == 3


async def test_a_first_release_that_is_bad_has_nothing_to_go_back_to(stand: Stand) -> None:
    stand.bad_releases = {1}
    async with stand.running():
        await stand.say(planned(1))
        failed = await stand.until_said(RunFailed)
    assert failed.rollback == "no_candidate"
    assert not stand.said(RunRollingBack)


async def test_a_stage_that_fails_on_its_stable_address_is_rolled_back(stand: Stand) -> None:
    stand.bad_stages = {2}
    async with stand.running():
        await stand.say(planned(1))
        await stand.until_said(RunSucceeded, stage="production", revision=1)
        await stand.say(planned(2))
        await stand.until_said(RunSucceeded, state="Rolled Back")
    assert stand.said(StepSucceeded, revision=2, step="web")


async def test_a_rollback_that_fails_is_not_rolled_back(stand: Stand) -> None:
    async with stand.running():
        await stand.say(planned(1))
        await stand.until_said(RunSucceeded, stage="production", revision=1)
        stand.bad_releases = {1, 2}
        await stand.say(planned(2))
        await stand.until_said(RunFailed, failed_in="rollback")
    assert len(stand.said(RunRollingBack)) == 1


async def test_a_failed_script_stops_the_run_and_rolls_nothing_back(stand: Stand) -> None:
    stand.carrier.failing = {"migrate"}
    async with stand.running():
        await stand.say(planned(1))
        failed = await stand.until_said(RunFailed)
        await stand.until(lambda: len(stand.said(RunWaiting, stage="production")) == 2)
        waiting = stand.said(RunWaiting, stage="production")[1]
    assert (failed.step, failed.failed_in, failed.rollback) == ("migrate", "step", "")
    assert [event.step for event in stand.said(StepSkipped)] == ["web"]
    assert waiting.wait.blocked_by == "revision 1 failed in staging"


async def test_a_failed_build_fails_the_run_before_any_step(stand: Stand) -> None:
    stand.failing_builds = {1}
    async with stand.running():
        await stand.say(planned(1))
        failed = await stand.until_said(RunFailed)
    assert (failed.failed_in, failed.step) == ("build", "web")
    assert not stand.carrier.effects


async def test_cancelling_stops_the_work_and_names_who_asked(stand: Stand) -> None:
    stand.carrier.hold("migrate")
    async with stand.running():
        await stand.say(planned(1))
        await stand.until_said(StepStarted)
        await stand.cancel("staging")
        cancelled = await stand.until_said(RunCancelled)
    assert (cancelled.actor, cancelled.reason) == ("ada", "wrong branch")
    assert [event.step for event in stand.said(StepCancelled)] == ["migrate"]
    assert len(stand.said(OperationAccepted)) == 1
    assert not stand.said(RunStarted, stage="production")


async def test_cancelling_a_run_that_waits_for_its_build_ends_it_at_once(stand: Stand) -> None:
    stand.silent_builder = True
    async with stand.running():
        await stand.say(planned(1))
        await stand.until_said(BuildRequested)
        await stand.cancel("staging")
        await stand.until_said(RunCancelled)


async def test_cancelling_where_nothing_runs_is_refused_with_the_reason(stand: Stand) -> None:
    async with stand.running():
        await stand.say(planned(1))
        await stand.until_said(RunSucceeded, stage="production")
        await stand.cancel("staging")
        refused = await stand.until_said(OperationRefused)
    assert "nothing to cancel" in refused.message


async def test_a_step_past_its_limit_is_stopped_and_times_the_run_out(stand: Stand) -> None:
    stand.carrier.hold("migrate")
    async with stand.running():
        await stand.say(planned(1))
        await stand.until_said(StepStarted)
        stand.clock.advance(61)
        timed_out = await stand.until_said(RunTimedOut)
    assert timed_out.step == "migrate"
    told = stand.said(StepTimedOut)[0].evidence.message
    assert told == "step 'migrate' did not finish within 60 s, its time limit: migrate was still held"


async def test_a_run_that_never_gets_its_artifact_times_out(stand: Stand) -> None:
    stand.silent_builder = True
    async with stand.running():
        await stand.say(planned(1))
        await stand.until_said(BuildRequested)
        stand.clock.advance(3601)
        timed_out = await stand.until_said(RunTimedOut)
    assert timed_out.step == ""


async def test_independent_steps_run_side_by_side_and_a_failure_cancels_its_sibling(stand: Stand) -> None:
    steps = (step("a"), step("b"), step("c", "SCRIPT:EXECUTE", "a", "b"))
    stand.carrier.hold("a")
    stand.carrier.failing = {"b"}
    async with stand.running():
        await stand.say(planned(1, plan(1, steps=steps)))
        await stand.until_said(RunFailed)
    assert [event.step for event in stand.said(StepCancelled)] == ["a"]
    assert [event.step for event in stand.said(StepSkipped)] == ["c"]


async def test_a_sibling_that_may_finish_is_let_finish(stand: Stand) -> None:
    steps = (step("a", on_sibling_failure="finish"), step("b"))
    let_go = stand.carrier.hold("a")
    stand.carrier.failing = {"b"}
    async with stand.running():
        await stand.say(planned(1, plan(1, steps=steps)))
        await stand.until(lambda: len(stand.carrier.effects) == 2)
        let_go.set()
        await stand.until_said(RunFailed)
    assert [event.step for event in stand.said(StepSucceeded)] == ["a"]


async def test_a_restart_in_the_middle_repeats_no_effect(stand: Stand) -> None:
    stand.carrier.hold("migrate")
    async with stand.running():
        await stand.say(planned(1))
        await stand.until(lambda: len(stand.carrier.effects) == 1)
    stand.carrier.held.clear()
    async with stand.running():
        await stand.until_said(RunSucceeded, stage="production")
    assert len(stand.carrier.effects) == len(set(stand.carrier.effects)) == 4


async def test_a_skipped_step_counts_as_done_for_those_after_it(stand: Stand) -> None:
    steps = (step("seed", skip=True), step("web", SERVICE, "seed"))
    async with stand.running():
        await stand.say(planned(1, plan(1, steps=steps)))
        await stand.until_said(RunSucceeded, stage="production")
    assert {event.step for event in stand.said(StepSkipped)} == {"seed"}


SMOKED = (step("web", SERVICE), step("smoke", "SCRIPT:EXECUTE", "web"))


async def test_a_script_that_fails_after_the_switch_takes_the_release_back(stand: Stand) -> None:
    async with stand.running():
        await stand.say(planned(1, plan(1, steps=SMOKED)))
        await stand.until_said(RunSucceeded, stage="production", revision=1)
        stand.carrier.failing = {"smoke"}
        await stand.say(planned(2, plan(2, steps=SMOKED)))
        failed = await stand.until_said(RunFailed, revision=2)
        stand.carrier.failing = set()
        rolling = await stand.until_said(RunRollingBack)
        await stand.until_said(RunSucceeded, state="Rolled Back")
    assert (failed.step, failed.rollback, rolling.revision) == ("smoke", "started", 1)
    assert stand.carrier.live["web"] != str(failed.run)


async def test_a_run_that_is_cancelled_after_the_switch_leaves_nothing_of_it_live(stand: Stand) -> None:
    async with stand.running():
        await stand.say(planned(1, plan(1, steps=SMOKED)))
        await stand.until_said(RunSucceeded, stage="production", revision=1)
        let_go = stand.carrier.hold("smoke")
        await stand.say(planned(2, plan(2, steps=SMOKED)))
        await stand.until_said(StepStarted, revision=2, step="smoke")
        await stand.cancel("staging")
        cancelled = await stand.until_said(RunCancelled, revision=2)
        let_go.set()
        restored = await stand.until_said(RunSucceeded, state="Rolled Back")
    assert restored.revision == 1
    assert stand.carrier.live["web"] == str(restored.run) != str(cancelled.run)


async def test_revisions_stuck_behind_a_failure_give_way_to_the_next(stand: Stand) -> None:
    stand.carrier.failing = {"migrate"}
    async with stand.running():
        for number in (1, 2, 3):
            await stand.say(planned(number))
            await stand.until_said(RunFailed, revision=number)
        await stand.until_said(RunSuperseded, stage="production", revision=2)
    superseded = stand.said(RunSuperseded, stage="production")
    assert [(event.revision, event.by_revision) for event in superseded] == [(1, 2), (2, 3)]
