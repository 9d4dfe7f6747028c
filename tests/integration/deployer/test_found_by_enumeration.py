"""What the enumeration of all stories found, each as the shortest story that showed it."""

from typing import Any

import pytest

from services.deployer import tables
from shared.events import (
    OperationAccepted,
    OperationRefused,
    RevisionPlanned,
    RunCancelled,
    RunFailed,
    RunSucceeded,
    RunSuperseded,
    RunWaiting,
    StageHeld,
)
from shared.plan import Plan
from shared.window import Opening, Window
from tests.integration.deployer.stand import Stand, plan, planned, step

NEVER = Window(name="later", openings=(Opening(day="sun", opens="10:00", closes="11:00"),))
ONE_STAGE = ("staging",)


def scripts(revision: int, **changes: Any) -> RevisionPlanned:
    """A revision that builds nothing and has one step in each stage."""
    made: Plan = plan(revision, steps=(step("a"),), **changes)
    return planned(revision, made.model_copy(update={"artifacts": ()}))


async def test_what_is_rolled_forward_in_one_stage_goes_on_to_the_next(stand: Stand) -> None:
    async with stand.running():
        await stand.say(scripts(1, window=NEVER))
        await stand.until_said(RunWaiting, stage="staging")
        assert isinstance(await stand.answer("roll_forward", "staging"), OperationAccepted)
        await stand.until_said(RunSucceeded, stage="staging", state="Rolled Forward")
        assert [each.stage for each in stand.said(RunSuperseded)] == ["staging"]
        await stand.until_said(RunWaiting, stage="production")
        await stand.until(lambda: stand.said(RunWaiting, stage="production")[-1].wait.reason == "window")


async def test_a_revision_that_is_tried_again_after_a_newer_one_failed_goes_on_to_the_next_stage(
    stand: Stand,
) -> None:
    stand.carrier.failing = {"a"}
    async with stand.running():
        await stand.say(scripts(1))
        first = await stand.until_said(RunFailed, revision=1)
        await stand.say(scripts(2))
        await stand.until_said(RunFailed, revision=2)
        assert stand.said(RunSuperseded, revision=1, stage="production")
        stand.carrier.failing = set()
        stand.clock.advance(1)
        await stand.answer("retry", "staging", run=first.run)
        await stand.until_said(RunSucceeded, revision=1, stage="production")


async def test_a_revision_that_is_being_rolled_forward_is_not_taken_for_stuck(stand: Stand) -> None:
    stand.carrier.failing = {"a"}
    async with stand.running():
        await stand.say(scripts(1))
        await stand.until_said(RunFailed, revision=1)
        stand.carrier.failing = set()
        let_go = stand.carrier.hold("a", "staging")
        stand.clock.advance(1)
        await stand.answer("roll_forward", "staging", revision=1)
        await stand.say(scripts(2))
        await stand.until_said(RunWaiting, revision=2, stage="staging")
        let_go.set()
        await stand.until_said(RunSucceeded, revision=1, stage="production")


async def test_a_superseded_revision_that_is_rolled_forward_goes_on_to_the_next_stage(stand: Stand) -> None:
    let_go = stand.carrier.hold("a", "staging")
    async with stand.running():
        for number in (1, 2, 3):
            await stand.say(scripts(number))
        await stand.until_said(RunSuperseded, revision=2, stage="production")
        stand.carrier.failing = {"a"}
        let_go.set()
        await stand.until_said(RunFailed, revision=3, stage="staging")
        stand.carrier.failing = set()
        stand.clock.advance(1)
        await stand.answer("roll_forward", "staging", revision=2)
        await stand.until_said(RunSucceeded, revision=2, stage="production")


async def test_a_retry_that_waits_is_called_off_by_the_rollback_of_its_revision(stand: Stand) -> None:
    async with stand.running():
        await stand.say(scripts(1, stages=ONE_STAGE))
        await stand.until_said(RunSucceeded)
        stand.carrier.failing = {"a"}
        stand.clock.advance(1)
        await stand.say(scripts(2, stages=ONE_STAGE))
        await stand.until_said(RunFailed)
        stand.carrier.failing = set()
        stand.clock.advance(1)
        await stand.answer("stop", "staging")
        again = await stand.answer("retry", "staging")
        await stand.answer("rollback", "staging")
        await stand.until_said(RunSucceeded, kind="rollback", revision=1)
        await stand.answer("resume", "staging")
        await stand.say(scripts(3, stages=ONE_STAGE))
        await stand.until_said(RunSucceeded, revision=3)
    assert isinstance(again, OperationAccepted)
    assert [each.run for each in stand.said(RunCancelled)] == [again.started]


async def test_a_revision_on_hold_is_not_rolled_forward(stand: Stand) -> None:
    async with stand.running():
        for number in (1, 2):
            await stand.say(scripts(number, stages=ONE_STAGE))
            await stand.until_said(RunSucceeded, revision=number)
            stand.clock.advance(1)
        await stand.answer("rollback", "staging")
        await stand.until_said(RunSucceeded, kind="rollback")
        nothing = await stand.answer("roll_forward", "staging")
        named = await stand.answer("roll_forward", "staging", revision=2)
    assert isinstance(nothing, OperationRefused)
    assert isinstance(named, OperationRefused)
    assert named.message == "revision 2 is on hold in staging: release the hold first"


async def test_a_rollback_goes_back_from_what_acted_and_not_from_what_was_cancelled_unbegun(
    stand: Stand,
) -> None:
    async with stand.running():
        for number in (1, 2):
            await stand.say(scripts(number, stages=ONE_STAGE))
            await stand.until_said(RunSucceeded, revision=number)
            stand.clock.advance(1)
        await stand.answer("stop", "staging")
        await stand.say(scripts(3, stages=ONE_STAGE))
        await stand.until_said(RunWaiting, revision=3)
        await stand.answer("cancel", "staging")
        await stand.until_said(RunCancelled, revision=3)
        await stand.answer("rollback", "staging")
        restored = await stand.until_said(RunSucceeded, kind="rollback")
    assert restored.revision == 1
    assert [held.revision for held in stand.said(StageHeld)] == [2]


@pytest.mark.parametrize("named", [1, None], ids=["named", "the obvious one"])
async def test_a_rollback_that_failed_can_be_asked_for_again(stand: Stand, named: int | None) -> None:
    async with stand.running():
        for number in (1, 2):
            await stand.say(scripts(number, stages=ONE_STAGE))
            await stand.until_said(RunSucceeded, revision=number)
            stand.clock.advance(1)
        stand.carrier.failing = {"a"}
        await stand.answer("rollback", "staging")
        await stand.until_said(RunFailed, kind="rollback")
        stand.carrier.failing = set()
        stand.clock.advance(1)
        again = await stand.answer("rollback", "staging", revision=named)
        assert isinstance(again, OperationAccepted), again.message
        await stand.until_said(RunSucceeded, kind="rollback", revision=1)
    assert {row["revision"] for row in stand.rows(tables.holds)} == {2}


async def test_a_revision_on_hold_is_not_retried(stand: Stand) -> None:
    async with stand.running():
        await stand.say(scripts(1, stages=ONE_STAGE))
        await stand.until_said(RunSucceeded)
        stand.carrier.failing = {"a"}
        stand.clock.advance(1)
        await stand.say(scripts(2, stages=ONE_STAGE))
        failed = await stand.until_said(RunFailed)
        stand.carrier.failing = set()
        stand.clock.advance(1)
        await stand.answer("rollback", "staging")
        await stand.until_said(RunSucceeded, kind="rollback")
        refused = await stand.answer("retry", "staging", run=failed.run)
        assert isinstance(refused, OperationRefused)
        assert refused.message == "revision 2 is on hold in staging: release the hold first"
        await stand.answer("release_hold", "staging")
        assert isinstance(await stand.answer("retry", "staging", run=failed.run), OperationAccepted)
