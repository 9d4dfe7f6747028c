"""A deployment's own time limit: over all stages, gates included; what never began ends with it."""

from shared.events import RunFailed, RunSucceeded, RunTimedOut, StepStarted, StepWaiting
from shared.plan import Plan, StepPlan
from tests.integration.deployer.stand import Stand, plan, planned, step


def limited(seconds: float, *, gate: bool = False) -> Plan:
    steps: tuple[StepPlan, ...] = (step("a"),)
    if gate:
        manual = step("live", "APPROVAL:MANUAL", "a")
        params = {"approvers": [], "approvals": 1, "self_approval": True, "expires_after_hours": 48}
        steps = (*steps, manual.model_copy(update={"params": params}))
    return plan(1, steps=steps).model_copy(update={"timeout_seconds": seconds})


async def test_what_runs_and_what_has_not_begun_ends_when_the_deployments_time_is_over(stand: Stand) -> None:
    stand.carrier.hold("a", "staging")
    async with stand.running():
        await stand.say(planned(1, limited(30)))
        await stand.until_said(StepStarted)
        stand.clock.advance(31)
        await stand.until(lambda: len(stand.said(RunTimedOut)) == 2)
    ended = {event.stage: event.evidence.message for event in stand.said(RunTimedOut)}
    assert "the deployment did not finish by 2026-01-01 00:00:30 UTC" in ended["staging"]
    assert "the deployment did not come here by 2026-01-01 00:00:30 UTC" in ended["production"]


async def test_a_deployments_time_goes_on_at_a_gate(stand: Stand) -> None:
    async with stand.running():
        await stand.say(planned(1, limited(3600, gate=True)))
        await stand.until_said(StepWaiting)
        stand.clock.advance(3601)
        await stand.until_said(RunTimedOut, stage="staging")


async def test_a_deployment_that_is_through_in_time_is_left_alone(stand: Stand) -> None:
    async with stand.running():
        await stand.say(planned(1, limited(30)))
        await stand.until_said(RunSucceeded, stage="production")
        stand.clock.advance(60)
        await stand.say(planned(2, plan(2, steps=(step("a"),))))
        await stand.until_said(RunSucceeded, revision=2, stage="production")
    assert not stand.said(RunTimedOut)


async def test_what_is_stuck_behind_a_failed_stage_ends_with_its_deployments_time(stand: Stand) -> None:
    stand.carrier.failing = {"a"}
    async with stand.running():
        await stand.say(planned(1, limited(3600)))
        await stand.until_said(RunFailed, stage="staging")
    async with stand.running():  # after a restart nobody remembers the limit but the rows
        stand.clock.advance(3601)
        ended = await stand.until_said(RunTimedOut, stage="production")
    assert "did not come here by" in ended.evidence.message
    assert ended.evidence.stated == "not_begun"
