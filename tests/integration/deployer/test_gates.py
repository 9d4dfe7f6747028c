"""Gates: who may answer, what counts, what time brings, and that a run's own time stands still there."""

from datetime import timedelta
from typing import Any

from shared.events import (
    GateAnswered,
    OperationAccepted,
    OperationRefused,
    RunCancelled,
    RunFailed,
    RunQueued,
    RunSucceeded,
    RunTimedOut,
    StepStarted,
    StepTimedOut,
    StepWaiting,
)
from shared.plan import Plan, StepPlan
from tests.integration.deployer.stand import EPOCH, SERVICE, Stand, plan, planned, step

MANUAL: dict[str, Any] = {
    "message": "Has support been told?",
    "approvers": [],
    "approvals": 1,
    "self_approval": True,
    "expires_after_hours": 48,
}


def gate(**params: Any) -> StepPlan:
    made = step("live", "APPROVAL:MANUAL", "a")
    return made.model_copy(update={"params": {**MANUAL, **params}, "name": "Go live", "on_rollback": "skip"})


def bake(minutes: int) -> StepPlan:
    made = step("soak", "APPROVAL:BAKE", "a")
    return made.model_copy(update={"params": {"duration_minutes": minutes}, "on_rollback": "skip"})


def gated(*gates: StepPlan, revision: int = 1) -> Plan:
    after = step("b", "SCRIPT:EXECUTE", *(each.id for each in gates))
    return plan(revision, steps=(step("a"), *gates, after), stages=("staging",))


async def test_a_run_waits_at_a_gate_says_for_whom_and_goes_on_when_it_is_approved(stand: Stand) -> None:
    async with stand.running():
        await stand.say(planned(1, gated(gate())))
        opened = await stand.until_said(StepWaiting)
        wait = await stand.until_waits("approval")
        assert wait.blocked_by == "step 'Go live' has 0 of 1 approvals: Has support been told?"
        assert wait.deadline == EPOCH + timedelta(hours=48)
        accepted = await stand.answer("approve", "staging", reason="told", shown=opened.shown)
        assert isinstance(accepted, OperationAccepted)
        await stand.until_said(RunSucceeded)
    answered = stand.said(GateAnswered)[0]
    assert (answered.actor, answered.verdict, answered.comment) == ("ada", "approved", "told")
    assert [event.step for event in stand.said(StepStarted)] == ["a", "b"]


async def test_a_rejected_gate_fails_the_run_with_who_and_why(stand: Stand) -> None:
    async with stand.running():
        await stand.say(planned(1, gated(gate())))
        await stand.until_said(StepWaiting)
        await stand.answer("reject", "staging", reason="not today")
        failed = await stand.until_said(RunFailed)
    assert failed.evidence.message == "ada rejected step 'Go live': not today"
    assert failed.evidence.stated == "rejected"
    assert [event.step for event in stand.said(StepStarted)] == ["a"]


async def test_a_quorum_needs_different_people_and_only_those_who_may(stand: Stand) -> None:
    async with stand.running():
        await stand.say(planned(1, gated(gate(approvals=2, approvers=["ada", "bob"], self_approval=False))))
        await stand.until_said(StepWaiting)
        own = await stand.answer("approve", "staging")
        stranger = await stand.answer("approve", "staging", actor="eve")
        assert [each.message for each in (own, stranger)] == [
            "step 'Go live' is not approved by whose push it is (ada)",
            "only ada or bob may answer for step 'Go live'",
        ]
        one = await stand.answer("approve", "staging", actor="bob")
        assert isinstance(one, OperationAccepted)
        assert one.message == "step 'Go live' has 1 of 2 approvals"
        again = await stand.answer("approve", "staging", actor="bob")
        assert isinstance(again, OperationRefused)
        assert not stand.said(RunSucceeded)


async def test_an_approval_of_something_else_than_is_deployed_is_refused(stand: Stand) -> None:
    async with stand.running():
        await stand.say(planned(1, gated(gate())))
        await stand.until_said(StepWaiting)
        refused = await stand.answer("approve", "staging", shown="f" * 16)
        assert isinstance(refused, OperationRefused)
        assert "not what was shown" in refused.message


async def test_an_unanswered_gate_expires_and_the_runs_own_time_stands_still_until_then(stand: Stand) -> None:
    async with stand.running():
        await stand.say(planned(1, gated(gate())))
        await stand.until_said(StepWaiting)
        stand.clock.advance(47 * 3600)
        refused = await stand.answer("approve", "staging", shown="0" * 16)
        assert isinstance(refused, OperationRefused)
        assert not stand.said(RunTimedOut)
        stand.clock.advance(2 * 3600)
        timed_out = await stand.until_said(RunTimedOut)
    assert timed_out.evidence.message == "nobody approved step 'Go live' by 2026-01-03 00:00 UTC"
    assert timed_out.evidence.stated == "unanswered"
    assert len(stand.said(StepTimedOut)) == 1


async def test_after_a_gate_the_stages_time_runs_on_from_where_it_stood(stand: Stand) -> None:
    stand.carrier.hold("b")
    async with stand.running():
        await stand.say(planned(1, gated(gate())))
        await stand.until_said(StepWaiting)
        stand.clock.advance(24 * 3600)
        await stand.answer("approve", "staging")
        await stand.until_said(StepStarted, step="b")
        stand.clock.advance(50)
        assert not stand.said(RunTimedOut)
        stand.clock.advance(15)
        timed_out = await stand.until_said(RunTimedOut)
    assert timed_out.step == "b"  # its own 60 seconds


async def test_a_bake_ends_by_itself(stand: Stand) -> None:
    async with stand.running():
        await stand.say(planned(1, gated(bake(30))))
        wait = await stand.until_waits("bake")
        assert wait.deadline == EPOCH + timedelta(minutes=30)
        stand.clock.advance(1799)
        assert not stand.said(RunSucceeded)
        stand.clock.advance(2)
        await stand.until_said(RunSucceeded)


async def test_a_bake_is_ended_early_or_rejected_by_a_person(stand: Stand) -> None:
    async with stand.running():
        await stand.say(planned(1, gated(bake(30))))
        await stand.until_said(StepWaiting)
        await stand.answer("approve", "staging")
        await stand.until_said(RunSucceeded)
        await stand.say(planned(2, gated(bake(30), revision=2)))
        await stand.until_said(StepWaiting, revision=2)
        await stand.answer("reject", "staging", reason="errors")
        await stand.until_said(RunFailed, revision=2)


async def test_a_run_at_a_gate_can_be_cancelled(stand: Stand) -> None:
    async with stand.running():
        await stand.say(planned(1, gated(gate())))
        await stand.until_said(StepWaiting)
        await stand.cancel("staging")
        await stand.until_said(RunCancelled)


async def test_two_gates_at_once_are_told_apart_by_name(stand: Stand) -> None:
    async with stand.running():
        await stand.say(planned(1, gated(gate(), bake(30))))
        await stand.until_said(StepWaiting, step="soak")
        refused = await stand.answer("approve", "staging")
        assert isinstance(refused, OperationRefused)
        assert refused.message.endswith("waiting are Go live, soak: say which step")
        await stand.answer("approve", "staging", step="Go live")
        await stand.answer("approve", "staging", step="soak")
        await stand.until_said(RunSucceeded)


async def test_a_gate_survives_a_restart_and_is_answered_after_it(stand: Stand) -> None:
    async with stand.running():
        await stand.say(planned(1, gated(gate())))
        await stand.until_said(StepWaiting)
    async with stand.running():
        await stand.answer("approve", "staging")
        await stand.until_said(RunSucceeded)
    assert len(stand.said(StepWaiting)) == 1


async def test_a_gate_heard_twice_is_opened_and_answered_once(stand: Stand) -> None:
    stand.heard_twice = True
    async with stand.running():
        await stand.say(planned(1, gated(gate())))
        await stand.until_said(StepWaiting)
        await stand.answer("approve", "staging")
        await stand.until_said(RunSucceeded)
    assert (len(stand.said(StepWaiting)), len(stand.said(GateAnswered))) == (1, 1)


async def test_a_rollback_does_not_ask_anybody(stand: Stand) -> None:
    def with_service(revision: int) -> Plan:
        steps = (step("a"), gate(), step("web", SERVICE, "live"))
        return plan(revision, steps=steps, stages=("staging",))

    async with stand.running():
        for number in (1, 2):
            await stand.say(planned(number, with_service(number)))
            await stand.until_said(StepWaiting, revision=number)
            await stand.answer("approve", "staging")
            await stand.until_said(RunSucceeded, revision=number)
        await stand.answer("rollback", "staging")
        await stand.until_said(RunSucceeded, kind="rollback")
    assert len(stand.said(RunQueued, kind="rollback")) == 1
    assert len(stand.said(StepWaiting)) == 2
