"""What people can ask of a stage: each operation does what it says, or says why not and what would be."""

from datetime import timedelta

import pytest

from shared.events import (
    HoldReleased,
    OperationAccepted,
    OperationRefused,
    RunCancelled,
    RunFailed,
    RunQueued,
    RunStarted,
    RunSucceeded,
    RunSuperseded,
    RunWaiting,
    StageHeld,
    StageStopped,
    StepKept,
    StepStarted,
)
from shared.window import Opening, Window
from tests.integration.deployer.stand import EPOCH, Stand, plan, planned, step

SCRIPTS = (step("a"), step("b", "SCRIPT:EXECUTE", "a"))
ONE_STAGE = ("staging",)


def scripts(revision: int) -> object:
    return planned(revision, plan(revision, steps=SCRIPTS, stages=ONE_STAGE))


async def test_a_stopped_stage_begins_nothing_until_it_is_resumed_and_says_who_stopped_it(
    stand: Stand,
) -> None:
    async with stand.running():
        await stand.say(planned(1))
        await stand.until_said(RunSucceeded, stage="production")
        assert isinstance(await stand.answer("stop", "staging", reason="freeze"), OperationAccepted)
        await stand.say(planned(2))
        waiting = await stand.until_said(RunWaiting, revision=2, stage="staging")
        assert (waiting.wait.reason, waiting.wait.blocked_by) == ("stopped", "ada stopped the stage: freeze")
        assert not stand.said(RunStarted, revision=2)
        await stand.say(planned(3))
        superseded = await stand.until_said(RunSuperseded, revision=2, stage="staging")
        assert superseded.by_revision == 3
        await stand.answer("resume", "staging")
        await stand.until_said(RunSucceeded, revision=3, stage="production")


async def test_a_stop_of_the_whole_pipeline_holds_every_stage(stand: Stand) -> None:
    async with stand.running():
        await stand.say(planned(1))
        await stand.until_said(RunSucceeded, stage="production")
        await stand.answer("stop", "*", reason="audit")
        await stand.say(planned(2))
        waiting = await stand.until_said(RunWaiting, revision=2, stage="staging")
        assert waiting.wait.released_by == "somebody who resumes the pipeline"
        refused = await stand.answer("resume", "staging")
        assert isinstance(refused, OperationRefused)
        await stand.answer("resume", "*")
        await stand.until_said(RunSucceeded, revision=2, stage="production")


async def test_what_runs_goes_on_though_its_stage_is_stopped(stand: Stand) -> None:
    let_go = stand.carrier.hold("migrate", "staging")
    async with stand.running():
        await stand.say(planned(1))
        await stand.until_said(StepStarted)
        await stand.answer("stop", "staging")
        let_go.set()
        await stand.until_said(RunSucceeded, stage="production")
    assert len(stand.said(StageStopped)) == 1


async def test_a_retry_begins_from_the_failed_step_and_goes_on_to_the_next_stage(stand: Stand) -> None:
    stand.carrier.failing = {"b"}
    fixed = plan(1, steps=SCRIPTS)
    async with stand.running():
        await stand.say(planned(1, fixed))
        failed = await stand.until_said(RunFailed)
        stand.carrier.failing = set()
        accepted = await stand.answer("retry", "staging", from_failed_step=True)
        assert isinstance(accepted, OperationAccepted)
        await stand.until_said(RunSucceeded, stage="production")
    queued = stand.said(RunQueued, kind="retry")[0]
    assert (queued.run, queued.retries, queued.actor) == (accepted.started, failed.run, "ada")
    assert [kept.step for kept in stand.said(StepKept)] == ["a"]
    started = [(event.stage, event.step) for event in stand.said(StepStarted)]
    assert started == [
        ("staging", "a"), ("staging", "b"), ("staging", "b"), ("production", "a"), ("production", "b"),
    ]  # fmt: skip


async def test_a_whole_retry_does_every_step_again(stand: Stand) -> None:
    stand.carrier.failing = {"b"}
    async with stand.running():
        await stand.say(planned(1, plan(1, steps=SCRIPTS, stages=ONE_STAGE)))
        await stand.until_said(RunFailed)
        stand.carrier.failing = set()
        await stand.answer("retry", "staging")
        await stand.until_said(RunSucceeded)
    assert [event.step for event in stand.said(StepStarted)] == ["a", "b", "a", "b"]


async def test_a_retry_behind_something_newer_is_refused(stand: Stand) -> None:
    stand.carrier.failing = {"b"}
    async with stand.running():
        await stand.say(planned(1, plan(1, steps=SCRIPTS, stages=ONE_STAGE)))
        failed = await stand.until_said(RunFailed)
        stand.carrier.failing = set()
        await stand.say(planned(2, plan(2, steps=SCRIPTS, stages=ONE_STAGE)))
        await stand.until_said(RunSucceeded, revision=2)
        refused = await stand.answer("retry", "staging", run=failed.run)
    assert isinstance(refused, OperationRefused)
    assert refused.message == (
        "revision 2, which is newer, succeeded in staging: to bring 1 back, ask for a rollback"
    )


async def test_a_rollback_restores_what_was_good_before_and_holds_what_it_goes_back_from(
    stand: Stand,
) -> None:
    async with stand.running():
        for number in (1, 2):
            await stand.say(planned(number))
            await stand.until_said(RunSucceeded, revision=number, stage="production")
        preview = await stand.answer("rollback", "production", dry_run=True)
        assert isinstance(preview, OperationAccepted)
        assert preview.message.startswith("revision 1 (00000000) is restored from its pinned artifacts")
        assert "revision 2 is put on hold" in preview.message
        assert not stand.said(RunQueued, kind="rollback")
        accepted = await stand.answer("rollback", "production", reason="prices wrong")
        assert isinstance(accepted, OperationAccepted)
        restored = await stand.until_said(RunSucceeded, kind="rollback")
        assert (restored.run, restored.revision, restored.state) == (accepted.started, 1, "Rolled Back")
        held = await stand.until_said(StageHeld)
        assert (held.stage, held.revision, held.reason) == (
            "production",
            2,
            "ada rolled it back: prices wrong",
        )
        await stand.say(planned(3))
        await stand.until_said(RunSucceeded, revision=3, stage="production")


async def test_a_rollback_that_fails_says_who_asked_for_it_and_one_that_came_by_itself_that_nobody_did(
    stand: Stand,
) -> None:
    async with stand.running():
        for revision in (1, 2):
            await stand.say(planned(revision))
            await stand.until_said(RunSucceeded, stage="production", revision=revision)
        stand.bad_releases = {1}
        await stand.answer("rollback", "production", revision=1)
        by_hand = await stand.until_said(RunFailed, stage="production", kind="rollback")
        assert by_hand.asked_by == "ada"
        stand.bad_releases = {1, 2, 3}
        await stand.say(planned(3))
        by_itself = await stand.until_said(RunFailed, stage="staging", kind="rollback")
        assert by_itself.asked_by == ""


async def test_a_rollback_cancels_what_runs_and_comes_before_what_waits(stand: Stand) -> None:
    async with stand.running():
        await stand.say(planned(1))
        await stand.until_said(RunSucceeded, stage="production")
        let_go = stand.carrier.hold("migrate", "staging")
        await stand.say(planned(2))
        await stand.until_said(StepStarted, revision=2)
        await stand.say(planned(3))
        await stand.until_said(RunWaiting, revision=3)
        await stand.answer("rollback", "staging")
        let_go.set()
        await stand.until_said(RunSucceeded, revision=3, stage="production")
    assert stand.said(RunCancelled)[0].revision == 2
    ended = [
        event.revision
        for event in stand.story
        if isinstance(event, RunSucceeded) and event.stage == "staging"
    ]
    assert ended == [1, 1, 3]


async def test_a_rollback_without_anything_to_go_back_to_is_refused(stand: Stand) -> None:
    async with stand.running():
        await stand.say(planned(1))
        await stand.until_said(RunSucceeded, stage="production")
        nothing = await stand.answer("rollback", "staging")
        never = await stand.answer("rollback", "staging", revision=9)
    assert [each.message for each in (nothing, never)] == [
        "no other revision has ever succeeded in staging: push a fix",
        "revision 9 has never succeeded in staging",
    ]


async def test_a_released_hold_lets_the_revision_be_retried(stand: Stand) -> None:
    async with stand.running():
        for number in (1, 2):
            await stand.say(planned(number))
            await stand.until_said(RunSucceeded, revision=number, stage="production")
        await stand.answer("rollback", "production")
        await stand.until_said(RunSucceeded, kind="rollback")
        refused = await stand.answer("release_hold", "production", revision=1)
        assert isinstance(refused, OperationRefused)
        await stand.answer("release_hold", "production")
    assert stand.said(HoldReleased)[0].revision == 2


async def test_a_roll_forward_goes_past_a_closed_window(stand: Stand) -> None:
    never = Window(name="later", openings=(Opening(day="sun", opens="10:00", closes="11:00"),))
    async with stand.running():
        await stand.say(planned(1, plan(1, window=never)))
        waiting = await stand.until_said(RunWaiting, stage="staging")
        assert waiting.wait.reason == "window"
        accepted = await stand.answer("roll_forward", "staging")
        assert isinstance(accepted, OperationAccepted)
        ended = await stand.until_said(RunSucceeded, stage="staging")
        assert (ended.run, ended.state) == (accepted.started, "Rolled Forward")


async def test_a_window_lets_the_run_begin_when_it_opens(stand: Stand) -> None:
    opens = Window(name="later", openings=(Opening(day="thu", opens="10:00", closes="11:00"),))
    async with stand.running():
        await stand.say(planned(1, plan(1, stages=ONE_STAGE, window=opens)))
        waiting = await stand.until_said(RunWaiting)
        assert waiting.wait.deadline == EPOCH + timedelta(hours=10)
        assert not stand.said(RunStarted)
        stand.clock.advance(10 * 3600)
        await stand.until_said(RunSucceeded)


async def test_an_overridden_window_lets_the_run_begin_at_once(stand: Stand) -> None:
    opens = Window(name="later", openings=(Opening(day="sun", opens="10:00", closes="11:00"),))
    async with stand.running():
        await stand.say(planned(1, plan(1, stages=ONE_STAGE, window=opens)))
        await stand.until_said(RunWaiting)
        unsaid = await stand.answer("override_window", "staging", until=EPOCH + timedelta(hours=1))
        assert isinstance(unsaid, OperationRefused)
        until = EPOCH + timedelta(hours=1)
        await stand.answer("override_window", "staging", until=until, reason="hotfix")
        await stand.until_said(RunSucceeded)


@pytest.mark.parametrize("kind", ["retry", "rollback", "roll_forward", "stop", "release_hold"])
async def test_an_operation_on_a_stage_that_is_not_there_names_those_that_are(
    stand: Stand, kind: str
) -> None:
    async with stand.running():
        await stand.say(planned(1))
        await stand.until_said(RunSucceeded, stage="production")
        refused = await stand.answer(kind, "prod")
    assert isinstance(refused, OperationRefused)
    assert refused.message == "pipeline shop has no stage prod; it has staging, production"


async def test_a_run_that_was_ended_before_its_revision_came_so_far_is_not_retried(stand: Stand) -> None:
    stand.carrier.failing = {"migrate"}
    async with stand.running():
        await stand.say(planned(1))
        await stand.until_said(RunFailed, stage="staging")
        never_begun = stand.said(RunQueued, stage="production")[0].run
        await stand.answer("cancel", "production", run=never_begun)
        refused = await stand.answer("retry", "production", run=never_begun)
        assert isinstance(refused, OperationRefused)
        assert refused.message == (
            "revision 1 has not come through staging, where it failed: retry it there, or push a fix"
        )
        stand.carrier.failing = set()
        await stand.answer("retry", "staging")
        await stand.until_said(RunSucceeded, stage="staging")
        accepted = await stand.answer("retry", "production")
        assert isinstance(accepted, OperationAccepted)
        await stand.until_said(RunSucceeded, stage="production")
