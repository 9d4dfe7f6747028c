"""Changes of the pipeline file that need approval: nothing is done by them before somebody has said so."""

from typing import Any

import pytest

from shared.events import (
    AlarmChanged,
    BuildRequested,
    DefinitionAnswered,
    DefinitionHeld,
    OperationAccepted,
    OperationRefused,
    RunCancelled,
    RunQueued,
    RunStarted,
    RunSucceeded,
    RunSuperseded,
    StageBlocked,
    StageDeclared,
    StepWaiting,
)
from shared.plan import Plan
from shared.window import Freeze, Window
from tests.integration.deployer import promises
from tests.integration.deployer.stand import EPOCH, Stand, plan, planned, step
from tests.integration.replicas import STORES

ALARM = "shop-5xx"
STAGES = ("staging", "production")
FROZEN_ONCE = Window(zone="UTC", freezes=(Freeze(begins="2025-12-24T00:00", ends="2025-12-27T00:00"),))


def watched(revision: int, *, alarm: str = ALARM, fifo: bool = False, **said: Any) -> Plan:
    """Return a plan that asks for approval before its alarm is taken away."""
    mode, limit = said.pop("mode", "DESTRUCTIVE_CHANGES_ONLY"), said.pop("limit", None)
    made = plan(revision, alarm=alarm, **said)
    queue = "fifo" if fifo else "newest"
    stages = tuple(stage.model_copy(update={"queue": queue}) for stage in made.stages)
    whole = {"stages": stages, "definition_approval": mode, "timeout_seconds": limit}
    return made.model_copy(update=whole)


def unwatched(revision: int, **said: Any) -> Plan:
    return watched(revision, alarm="", **said)


async def push(stand: Stand, of: Plan) -> None:
    await stand.say(planned(int(of.commit, 16), of))


async def deployed(stand: Stand, of: Plan) -> None:
    """Push it, and wait until it is everywhere."""
    await push(stand, of)
    await stand.until_said(RunSucceeded, revision=int(of.commit, 16), stage=of.stages[-1].name)


async def held(stand: Stand, of: Plan) -> DefinitionHeld:
    """Push it, and return what is said of it."""
    await push(stand, of)
    said: DefinitionHeld = await stand.until_said(DefinitionHeld, revision=int(of.commit, 16))
    return said


async def refused(stand: Stand, kind: str, stage: str, **fields: Any) -> str:
    answer = await stand.answer(kind, stage, **fields)
    assert isinstance(answer, OperationRefused), answer
    return answer.message


async def accepted(stand: Stand, kind: str, stage: str, **fields: Any) -> str:
    answer = await stand.answer(kind, stage, **fields)
    assert isinstance(answer, OperationAccepted), answer
    return answer.message


def begun(stand: Stand) -> list[tuple[str, int]]:
    return [(event.stage, event.revision) for event in stand.said(RunStarted)]


@pytest.mark.parametrize("stand", STORES, indirect=True)
async def test_a_revision_whose_changes_need_approval_begins_nothing_and_says_what_it_waits_for(
    stand: Stand,
) -> None:
    async with stand.running():
        await deployed(stand, watched(1))
        said = await held(stand, unwatched(2))
        assert said.stage == "staging"
        assert (said.mode, said.further) == ("DESTRUCTIVE_CHANGES_ONLY", 0)
        assert said.changes == tuple(
            f'stage "{stage}" · auto_rollback_alarm_name: {ALARM} -> none '
            "(the alarm that rolls a stage back is taken away or is another)"
            for stage in STAGES
        )
        wait = await stand.until_waits("approval", revision=2)
        await promises.rest(stand)
        assert wait.blocked_by == (
            '2 changes of the pipeline file need approval: stage "staging" · auto_rollback_alarm_name '
            'removed, stage "production" · auto_rollback_alarm_name removed'
        )
        assert (wait.released_by, wait.deadline) == ("somebody who approves or rejects them", None)
        assert not stand.said(BuildRequested, revision=2)
        await accepted(stand, "approve", "staging", shown=said.shown, run=said.run, reason="as agreed")
        await stand.until_said(RunSucceeded, revision=2, stage="production")
        await promises.rest(stand)
    (answered,) = stand.said(DefinitionAnswered)
    assert (answered.run, answered.actor) == (said.run, "ada")
    assert (answered.verdict, answered.comment) == ("approved", "as agreed")
    assert len(stand.said(DefinitionHeld)) == 1
    promises.kept(stand)


async def test_what_changes_nothing_that_needs_approval_goes_out_at_once(stand: Stand) -> None:
    async with stand.running():
        await deployed(stand, unwatched(1))
        await deployed(stand, watched(2))
        await deployed(stand, watched(3, window=FROZEN_ONCE))
    assert not stand.said(DefinitionHeld)


async def test_an_approval_of_something_else_than_is_shown_now_is_refused(stand: Stand) -> None:
    async with stand.running():
        await deployed(stand, watched(1))
        said = await held(stand, unwatched(2))
        for kind in ("approve", "reject"):
            message = await refused(stand, kind, "staging", shown="0" * 16)
            assert message == "what is to be approved is not what was shown: look at it again"
        assert "nothing in shop/staging waits" in await refused(stand, "approve", "staging", step="live")
        assert "nothing in shop/production waits" in await refused(stand, "approve", "production")
        await promises.rest(stand)
        assert not stand.said(DefinitionAnswered)
        await accepted(stand, "approve", "staging", shown=said.shown)
        await stand.until_said(RunSucceeded, revision=2, stage="production")
        assert "nothing in shop/staging waits" in await refused(stand, "approve", "staging")


async def test_a_rejected_revision_is_cancelled_and_nothing_of_it_ever_runs(stand: Stand) -> None:
    async with stand.running():
        await deployed(stand, watched(1))
        said = await held(stand, unwatched(2))
        message = await accepted(stand, "reject", "staging", run=said.run, reason="who watches then?")
        assert (
            message == "the changes of the pipeline file in revision 2 are rejected; nothing is done by them"
        )
        cancelled = await stand.until_said(RunCancelled, revision=2, stage="staging")
        assert cancelled.reason == "the changes of the pipeline file were rejected: who watches then?"
        later = await stand.until_said(RunCancelled, revision=2, stage="production")
        assert (later.actor, later.reason) == (cancelled.actor, cancelled.reason)
        push_a_fix = (
            "the changes of the pipeline file in revision 2 were not approved: "
            "push a fix, which is looked at anew"
        )
        assert await refused(stand, "retry", "staging", run=said.run) == push_a_fix
        assert await refused(stand, "roll_forward", "staging", revision=2) == push_a_fix
        await held(stand, unwatched(3))
        await deployed(stand, watched(4))
        await promises.rest(stand)
    assert not [stage for stage, revision in begun(stand) if revision in {2, 3}]
    assert [event.verdict for event in stand.said(DefinitionAnswered)] == ["rejected"]
    promises.kept(stand)


async def test_a_later_stage_is_no_way_around_an_approval(stand: Stand) -> None:
    async with stand.running():
        await deployed(stand, watched(1))
        said = await held(stand, unwatched(2).model_copy(update={"artifacts": ()}))
        (later,) = stand.said(RunQueued, revision=2, stage="production")
        await accepted(stand, "cancel", "production", run=later.run)
        asked_first = (
            "the changes of the pipeline file in revision 2 are not approved: approve them in staging first"
        )
        assert await refused(stand, "retry", "production", run=later.run) == asked_first
        assert await refused(stand, "roll_forward", "production", revision=2) == asked_first
        none = f"nothing newer than revision 1 can go out in production: {asked_first}"
        assert await refused(stand, "roll_forward", "production") == none
        assert "no stage" in await refused(stand, "approve", "nowhere", run=said.run)
        await promises.rest(stand)
    assert {revision for _, revision in begun(stand)} == {1}


async def test_a_held_revision_is_cancelled_as_any_that_waits_and_does_not_come_back(stand: Stand) -> None:
    async with stand.running():
        await deployed(stand, watched(1))
        said = await held(stand, unwatched(2))
        await accepted(stand, "cancel", "staging", reason="not now")
        cancelled = await stand.until_said(RunCancelled, revision=2, stage="staging")
        assert (cancelled.run, cancelled.reason) == (said.run, "not now")
        assert "were not approved: push a fix" in await refused(stand, "retry", "staging", run=said.run)
        assert "waits for no answer" in await refused(stand, "approve", "staging", run=said.run)
        await promises.rest(stand)
    assert {revision for _, revision in begun(stand)} == {1}


async def test_a_second_push_does_not_rest_on_what_the_first_was_not_allowed(stand: Stand) -> None:
    async with stand.running():
        await deployed(stand, watched(1))
        first = await held(stand, unwatched(2))
        second = await held(stand, unwatched(3))
        superseded = await stand.until_said(RunSuperseded, revision=2, stage="staging")
        assert (superseded.by_run, superseded.by_revision) == (second.run, 3)
        assert second.changes == first.changes
        assert second.shown != first.shown
        assert "not what was shown" in await refused(stand, "approve", "staging", shown=first.shown)
        await promises.rest(stand)
        assert {revision for _, revision in begun(stand)} == {1}
        await accepted(stand, "approve", "staging", shown=second.shown)
        await stand.until_said(RunSucceeded, revision=3, stage="production")
        await promises.rest(stand)
    promises.kept(stand)


async def test_a_change_that_is_taken_back_goes_out_and_takes_the_place_of_the_one_that_waits(
    stand: Stand,
) -> None:
    async with stand.running():
        await deployed(stand, watched(1))
        said = await held(stand, unwatched(2))
        await deployed(stand, watched(3))
        (superseded,) = stand.said(RunSuperseded, revision=2, stage="staging")
        assert (superseded.run, superseded.by_revision) == (said.run, 3)
        await promises.rest(stand)
    promises.kept(stand)
    assert {revision for _, revision in begun(stand)} == {1, 3}


async def test_nothing_of_a_file_counts_before_it_is_approved(stand: Stand) -> None:
    firing = AlarmChanged(alarm=ALARM, state="firing", reason="5 % fail", source="monitor", at=EPOCH)
    async with stand.running():
        await deployed(stand, watched(1))
        await held(stand, watched(2, stages=("canary", *STAGES), alarm="else"))
        await stand.say(firing.model_copy(update={"alarm": "else"}))
        await stand.say(firing)
        await stand.until_said(StageBlocked, stage="production")
        await promises.rest(stand)
    blocked = {(event.stage, event.blocker) for event in stand.said(StageBlocked)}
    assert blocked == {(stage, f"alarm {ALARM}") for stage in STAGES}
    assert [(event.stage, event.place) for event in stand.said(StageDeclared)] == [
        ("staging", 0), ("production", 1),
    ]  # fmt: skip


async def test_the_alarm_of_an_approved_file_counts_from_its_approval_on(stand: Stand) -> None:
    firing = AlarmChanged(alarm="else", state="firing", reason="5 % fail", source="monitor", at=EPOCH)
    async with stand.running():
        await deployed(stand, watched(1))
        said = await held(stand, watched(2, alarm="else"))
        await accepted(stand, "approve", "staging", run=said.run)
        await stand.until_said(RunSucceeded, revision=2, stage="production")
        await stand.say(firing.model_copy(update={"alarm": ALARM}))
        await stand.say(firing)
        await stand.until_said(StageBlocked, stage="production")
    assert {event.blocker for event in stand.said(StageBlocked)} == {"alarm else"}


async def test_a_revision_that_begins_in_a_new_stage_is_approved_there(stand: Stand) -> None:
    async with stand.running():
        await deployed(stand, watched(1))
        said = await held(stand, watched(2, stages=("canary", "production")))
        assert said.stage == "canary"
        assert [text.partition(":")[0] for text in said.changes] == ['stage "staging"']
        assert "nothing in shop/staging waits" in await refused(stand, "approve", "staging")
        await accepted(stand, "approve", "canary", run=said.run)
        await stand.until_said(RunSucceeded, revision=2, stage="production")


async def test_the_time_limit_of_a_deployment_does_not_run_while_it_waits_for_approval(stand: Stand) -> None:
    async with stand.running():
        await deployed(stand, watched(1))
        said = await held(stand, unwatched(2, limit=30.0))
        stand.clock.advance(1000)
        await accepted(stand, "approve", "staging", run=said.run)
        await stand.until_said(RunSucceeded, revision=2, stage="production")
        stand.clock.advance(1000)
        await promises.rest(stand)
    promises.kept(stand)


async def test_an_answer_is_for_the_gate_whose_step_or_run_it_names_and_for_the_file_that_it_names(
    stand: Stand,
) -> None:
    params = {"approvers": [], "approvals": 1, "self_approval": True, "expires_after_hours": 48}
    gate = step("live", "APPROVAL:MANUAL").model_copy(update={"params": params})
    steps = (gate, step("a", "SCRIPT:EXECUTE", "live"))
    async with stand.running():
        await push(stand, watched(1, steps=steps))
        opened = await stand.until_said(StepWaiting, stage="staging")
        said = await held(stand, unwatched(2, steps=steps))
        answer = await accepted(stand, "approve", "staging", run=opened.run)
        assert answer == "step 'live' is approved; the run goes on"
        await stand.until_said(StepWaiting, stage="production")
        assert not stand.said(DefinitionAnswered)
        message = await refused(stand, "approve", "staging", run=said.run, step="live")
        assert message == (
            "the changes of the pipeline file in revision 2 wait for an answer, and no step of it does: "
            "leave the step out"
        )
        message = await refused(stand, "approve", "staging", run=opened.run)
        assert message.startswith("that run of revision 1 is Succeeded in staging and waits for no answer")
        answer = await accepted(stand, "approve", "staging", shown=said.shown)
        assert answer == "the changes of the pipeline file in revision 2 are approved; it goes on"
        await stand.until_said(StepWaiting, stage="staging", revision=2)


@pytest.mark.parametrize("named", ["run", "shown"])
async def test_an_answer_that_names_the_file_is_for_it_though_a_gate_waits_too(
    stand: Stand, named: str
) -> None:
    params = {"approvers": [], "approvals": 1, "self_approval": True, "expires_after_hours": 48}
    gate = step("live", "APPROVAL:MANUAL").model_copy(update={"params": params})
    async with stand.running():
        await push(stand, watched(1, steps=(gate,)))
        await stand.until_said(StepWaiting, stage="staging")
        said = await held(stand, unwatched(2, steps=(gate,)))
        answer = await accepted(stand, "reject", "staging", **{named: getattr(said, named)})
        assert (
            answer == "the changes of the pipeline file in revision 2 are rejected; nothing is done by them"
        )


async def test_very_many_changes_are_told_in_bounds(stand: Stand) -> None:
    many = tuple(step(f"s{n}") for n in range(900))
    async with stand.running():
        await deployed(stand, watched(1, steps=(step("a"),), mode="ALWAYS"))
        said = await held(stand, watched(2, steps=(step("a"), *many)))
        wait = await stand.until_waits("approval", revision=2)
    assert (len(said.changes), said.further) == (100, 1701)
    assert wait.blocked_by.startswith("1801 changes of the pipeline file need approval: ")
    assert wait.blocked_by.endswith(", and 1799 more")
    assert len(wait.blocked_by) < 500
