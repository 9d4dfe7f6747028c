"""Attempts: tried again only if the failure may pass, as often as the plan says, after the plan's pauses."""

from shared.events import (
    AttemptFailed,
    RunCancelled,
    RunFailed,
    RunSucceeded,
    StepBackingOff,
    StepFailed,
    StepStarted,
)
from shared.plan import Attempts, Plan
from tests.integration.deployer.stand import EPOCH, SERVICE, Stand, plan, planned, step

THREE = Attempts(max=3, backoff_seconds=10, backoff_seconds_max=15)


def tried(revision: int = 1) -> Plan:
    steps = (step("a").model_copy(update={"attempts": THREE}), step("b", "SCRIPT:EXECUTE", "a"))
    return plan(revision, steps=steps, stages=("staging",))


async def test_a_failure_that_may_pass_is_tried_again_after_growing_pauses(stand: Stand) -> None:
    stand.carrier.failing, stand.transient = {"a"}, True
    async with stand.running():
        await stand.say(planned(1, tried()))
        first = await stand.until_said(StepBackingOff, attempt=1)
        wait = await stand.until_waits("retry_backoff", revision=1)
        assert "attempt 1 of step 'a' failed" in wait.blocked_by
        assert (first.until - EPOCH).total_seconds() == 10
        stand.clock.advance(11)
        second = await stand.until_said(StepBackingOff, attempt=2)
        assert (second.until - stand.clock.now()).total_seconds() == 15  # not 20: the most there is
        stand.carrier.failing = set()
        stand.clock.advance(16)
        await stand.until_said(RunSucceeded)
    assert [(event.step, event.attempt) for event in stand.said(StepStarted)] == [
        ("a", 1), ("a", 2), ("a", 3), ("b", 1),
    ]  # fmt: skip
    logs = [event.log for event in stand.said(StepStarted)]
    assert len(set(logs)) == 4


async def test_the_last_attempt_is_the_last(stand: Stand) -> None:
    stand.carrier.failing, stand.transient = {"a"}, True
    async with stand.running():
        await stand.say(planned(1, tried()))
        for attempt in (1, 2):
            await stand.until_said(StepBackingOff, attempt=attempt)
            stand.clock.advance(20)
        await stand.until_said(RunFailed)
    assert [event.attempt for event in stand.said(AttemptFailed)] == [1, 2]
    assert [event.attempt for event in stand.said(StepFailed)] == [3]


async def test_a_failure_that_will_not_pass_is_final_at_once(stand: Stand) -> None:
    stand.carrier.failing = {"a"}
    async with stand.running():
        await stand.say(planned(1, tried()))
        failed = await stand.until_said(RunFailed)
    assert failed.evidence.message == "a exited 1"
    assert [event.attempt for event in stand.said(StepStarted)] == [1]


async def test_without_a_word_from_the_classifier_the_failure_is_final_in_bounded_time(stand: Stand) -> None:
    stand.carrier.failing, stand.silent_classifier = {"a"}, True
    async with stand.running():
        await stand.say(planned(1, tried()))
        await stand.until_said(AttemptFailed)
        assert not stand.said(RunFailed)
        stand.clock.advance(61)
        await stand.until_said(RunFailed)


async def test_a_step_between_two_attempts_can_be_cancelled(stand: Stand) -> None:
    stand.carrier.failing, stand.transient = {"a"}, True
    async with stand.running():
        await stand.say(planned(1, tried()))
        await stand.until_said(StepBackingOff)
        await stand.cancel("staging")
        await stand.until_said(RunCancelled)
    assert len(stand.said(StepStarted)) == 1


async def test_a_candidate_that_fails_verification_is_tried_again_with_a_new_candidate(stand: Stand) -> None:
    stand.bad_releases, stand.transient = {1}, True
    service = step("web", SERVICE).model_copy(update={"attempts": THREE})
    async with stand.running():
        await stand.say(planned(1, plan(1, steps=(service,), stages=("staging",))))
        await stand.until_said(StepBackingOff)
        stand.bad_releases = set()
        stand.clock.advance(11)
        await stand.until_said(RunSucceeded)
    assert [event.attempt for event in stand.said(StepStarted)] == [1, 2]


async def test_the_pause_survives_a_restart(stand: Stand) -> None:
    stand.carrier.failing, stand.transient = {"a"}, True
    async with stand.running():
        await stand.say(planned(1, tried()))
        await stand.until_said(StepBackingOff)
    stand.carrier.failing = set()
    async with stand.running():
        stand.clock.advance(11)
        await stand.until_said(RunSucceeded)
    assert [event.attempt for event in stand.said(StepStarted, step="a")] == [1, 2]
