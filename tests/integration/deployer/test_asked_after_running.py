"""Steps that run and then ask: a test that failed, changes that somebody must see before they are made."""

from datetime import timedelta
from typing import Any

import pytest

from services.deployer import tables
from shared.events import (
    AttemptFailed,
    FailedTest,
    LogAppended,
    LogLine,
    OperationAccepted,
    OperationRefused,
    ProposedChanges,
    RunCancelled,
    RunFailed,
    RunSucceeded,
    RunTimedOut,
    StepApplying,
    StepBackingOff,
    StepFailed,
    StepStarted,
    StepSucceeded,
    StepTested,
    StepTimedOut,
    StepWaiting,
    TestResults,
)
from shared.plan import Attempts, Plan, StepPlan
from tests.integration.deployer.stand import EPOCH, Stand, plan, planned, step

RESULTS = TestResults(
    exit_code=1, passed=39, failed=1, skipped=2, failures=(FailedTest(name="cart.adds", message="3 != 2"),)
)
CHANGES = ProposedChanges(
    summary="1 to add, 0 to change, 0 to destroy", destructive=False, changes=("create bucket",), digest="d1"
)
DESTRUCTIVE = CHANGES.model_copy(update={"destructive": True, "changes": ("replace database",)})
NONE = ProposedChanges(summary="nothing to do", destructive=False, digest="d0")


def smoke(**changes: Any) -> StepPlan:
    params = {"testCommand": "npm run smoke", "timeout": 1}
    made = step("smoke", "APPROVAL:TEST", "a", timeout_seconds=60.0, on_rollback="skip", **changes)
    return made.model_copy(update={"params": params})


def infra(mode: str = "ALWAYS") -> StepPlan:
    made = step("infra", "TERRAFORM:SYNTHESIZE", "a", timeout_seconds=60.0, on_rollback="skip")
    return made.model_copy(update={"params": {"source": "/infra", "requires_approval": mode}})


def with_step(asking: StepPlan) -> Plan:
    return plan(1, steps=(step("a"), asking, step("b", "SCRIPT:EXECUTE", asking.id)), stages=("staging",))


async def failed_test(stand: Stand, asking: StepPlan | None = None) -> Any:
    """Bring a run to the gate of its failed test; returns what is said there."""
    stand.carrier.failing, stand.carrier.results = {"smoke"}, {"smoke": RESULTS}
    await stand.say(planned(1, with_step(asking or smoke())))
    return await stand.until_said(StepWaiting)


async def test_a_test_that_passes_lets_the_run_go_on_and_tells_its_results(stand: Stand) -> None:
    passed = TestResults(exit_code=0, passed=40, failed=0, skipped=2)
    stand.carrier.results = {"smoke": passed}
    async with stand.running():
        await stand.say(planned(1, with_step(smoke())))
        await stand.until_said(RunSucceeded)
    assert [event.tests for event in stand.said(StepTested)] == [passed]
    assert stand.said(StepSucceeded, step="smoke")[0].outputs == {"exit_code": "0"}
    assert not stand.said(StepWaiting)


async def test_a_test_that_fails_waits_for_a_person_and_shows_what_failed(stand: Stand) -> None:
    async with stand.running():
        asked = await failed_test(stand)
        wait = await stand.until_waits("approval")
        assert wait.blocked_by == "step 'smoke' failed: smoke exited 1"
        assert wait.deadline == EPOCH + timedelta(days=7)
        assert (asked.tests, asked.needed) == (RESULTS, 1)
        accepted = await stand.answer("approve", "staging", reason="known", shown=asked.shown)
        assert isinstance(accepted, OperationAccepted)
        await stand.until_said(RunSucceeded)
    assert stand.said(StepSucceeded, step="smoke")[0].outputs == {"exit_code": "1"}
    assert [event.step for event in stand.said(StepStarted)] == ["a", "smoke", "b"]
    assert not stand.said(StepFailed)


async def test_a_failed_test_that_is_rejected_fails_the_run_with_what_was_observed(stand: Stand) -> None:
    async with stand.running():
        await failed_test(stand)
        await stand.answer("reject", "staging", reason="a real bug")
        failed = await stand.until_said(RunFailed)
    assert failed.step == "smoke"
    assert failed.evidence.message == "smoke exited 1; ada rejected it: a real bug"
    assert (failed.evidence.kind, failed.evidence.exit_code) == ("process", 1)


async def test_a_failed_test_that_nobody_answers_times_out(stand: Stand) -> None:
    async with stand.running():
        await failed_test(stand)
        stand.clock.advance(6 * 24 * 3600)
        refused = await stand.answer("approve", "staging", shown="f" * 16)
        assert isinstance(refused, OperationRefused)
        stand.clock.advance(2 * 24 * 3600)
        timed_out = await stand.until_said(RunTimedOut)
    assert timed_out.evidence.message.startswith("smoke exited 1; nobody approved step 'smoke' by")
    assert len(stand.said(StepTimedOut)) == 1


async def test_a_test_that_runs_out_of_time_is_put_to_a_person_as_well(stand: Stand) -> None:
    stand.carrier.hold("smoke")
    async with stand.running():
        await stand.say(planned(1, with_step(smoke())))
        await stand.until_said(StepStarted, step="smoke")
        stand.clock.advance(61)
        await stand.until_said(StepWaiting)
        wait = await stand.until_waits("approval")
        assert "did not finish within 60 s" in wait.blocked_by
        await stand.answer("approve", "staging")
        await stand.until_said(RunSucceeded)
    assert not stand.said(StepTimedOut)


async def test_only_the_last_attempt_of_a_test_is_put_to_a_person(stand: Stand) -> None:
    stand.transient = True
    tries = Attempts(max=2, backoff_seconds=10, backoff_seconds_max=10)
    stand.carrier.failing, stand.carrier.results = {"smoke"}, {"smoke": RESULTS}
    async with stand.running():
        await stand.say(planned(1, with_step(smoke(attempts=tries))))
        await stand.until_said(StepBackingOff)
        stand.clock.advance(11)
        asked = await stand.until_said(StepWaiting)
    assert (asked.attempt, asked.tests) == (2, RESULTS)
    assert len(stand.said(StepTested)) == 2


@pytest.mark.parametrize("silent", [True, False])
async def test_a_failure_of_a_test_that_will_not_pass_by_itself_is_put_to_a_person(
    stand: Stand, silent: bool
) -> None:
    stand.silent_classifier = silent
    tries = Attempts(max=2, backoff_seconds=10, backoff_seconds_max=10)
    stand.carrier.failing, stand.carrier.results = {"smoke"}, {"smoke": RESULTS}
    async with stand.running():
        await stand.say(planned(1, with_step(smoke(attempts=tries))))
        await stand.until_said(AttemptFailed)
        if silent:
            stand.clock.advance(61)
        asked = await stand.until_said(StepWaiting)
        assert (asked.attempt, asked.tests) == (1, RESULTS)
        await stand.answer("approve", "staging")
        await stand.until_said(RunSucceeded)
    assert stand.said(StepSucceeded, step="smoke")[0].outputs == {"exit_code": "1"}


async def test_a_cancelled_run_asks_nobody_about_its_test(stand: Stand) -> None:
    stand.carrier.hold("smoke")
    async with stand.running():
        await stand.say(planned(1, with_step(smoke())))
        await stand.until_said(StepStarted, step="smoke")
        await stand.cancel("staging")
        await stand.until_said(RunCancelled)
    assert not stand.said(StepWaiting)


async def test_a_run_that_waits_for_a_word_about_its_test_can_be_cancelled(stand: Stand) -> None:
    async with stand.running():
        await failed_test(stand)
        await stand.cancel("staging")
        await stand.until_said(RunCancelled)
    assert not stand.said(RunFailed)


async def test_the_stages_time_stands_still_while_a_failed_test_waits(stand: Stand) -> None:
    stand.carrier.hold("b")
    async with stand.running():
        await failed_test(stand)
        stand.clock.advance(3 * 24 * 3600)
        await stand.answer("approve", "staging")
        await stand.until_said(StepStarted, step="b")
        stand.carrier.hold("b").set()
        await stand.until_said(RunSucceeded)


async def test_an_approval_of_other_results_than_were_shown_is_refused(stand: Stand) -> None:
    async with stand.running():
        asked = await failed_test(stand)
        await stand.answer("reject", "staging")
        await stand.until_said(RunFailed)
        stand.carrier.results = {"smoke": RESULTS.model_copy(update={"failed": 30, "passed": 10})}
        await stand.answer("retry", "staging")
        await stand.until(lambda: len(stand.said(StepWaiting)) == 2)
        refused = await stand.answer("approve", "staging", shown=asked.shown)
        assert isinstance(refused, OperationRefused)
        again = stand.said(StepWaiting)[1]
        accepted = await stand.answer("approve", "staging", shown=again.shown)
        assert isinstance(accepted, OperationAccepted)


@pytest.mark.parametrize(
    ("mode", "changes", "asks"),
    [
        ("ALWAYS", CHANGES, True),
        ("ALWAYS", DESTRUCTIVE, True),
        ("ALWAYS", NONE, False),
        ("DESTRUCTIVE_CHANGES_ONLY", CHANGES, False),
        ("DESTRUCTIVE_CHANGES_ONLY", DESTRUCTIVE, True),
        ("NEVER", DESTRUCTIVE, False),
    ],
)
async def test_changes_are_put_to_a_person_as_the_mode_says(
    stand: Stand, mode: str, changes: ProposedChanges, asks: bool
) -> None:
    stand.carrier.proposals = {"infra": changes}
    async with stand.running():
        await stand.say(planned(1, with_step(infra(mode))))
        if asks:
            asked = await stand.until_said(StepWaiting)
            assert asked.changes == changes
            assert not stand.said(StepApplying)
            await stand.answer("approve", "staging", shown=asked.shown)
        await stand.until_said(RunSucceeded)
    assert bool(stand.said(StepWaiting)) == asks
    assert [event.changes for event in stand.said(StepApplying)] == [changes]
    assert [action for action, _, of in stand.carrier.effects if of == "infra"] == ["run", "apply"]
    assert stand.said(StepSucceeded, step="infra")[0].outputs == {"made": changes.summary}


async def proposed(stand: Stand) -> Any:
    stand.carrier.proposals = {"infra": CHANGES}
    await stand.say(planned(1, with_step(infra())))
    return await stand.until_said(StepWaiting)


async def test_rejected_changes_are_never_made(stand: Stand) -> None:
    async with stand.running():
        await proposed(stand)
        await stand.answer("reject", "staging", reason="not on a Friday")
        failed = await stand.until_said(RunFailed)
    assert failed.evidence.message == "ada rejected step 'infra': not on a Friday"
    assert ("apply", "infra") not in {(action, of) for action, _, of in stand.carrier.effects}


async def test_changes_that_cannot_be_made_fail_the_run_and_are_not_tried_again(stand: Stand) -> None:
    stand.transient, stand.carrier.spoilt = True, {"infra"}
    stand.carrier.proposals = {"infra": CHANGES}
    tries = Attempts(max=3, backoff_seconds=1, backoff_seconds_max=1)
    asking = infra("NEVER").model_copy(update={"attempts": tries})
    async with stand.running():
        await stand.say(planned(1, with_step(asking)))
        await stand.until_said(RunFailed)
    assert not stand.said(AttemptFailed)


async def test_changes_that_are_being_made_can_be_cancelled_and_have_a_limit(stand: Stand) -> None:
    stand.carrier.hold("infra apply")
    async with stand.running():
        asked = await proposed(stand)
        stand.clock.advance(24 * 3600)  # the limit counts from when they begin to be made
        await stand.answer("approve", "staging", shown=asked.shown)
        await stand.until_said(StepApplying)
        stand.clock.advance(59)
        assert not stand.said(StepTimedOut)
        stand.clock.advance(2)
        timed_out = await stand.until_said(RunTimedOut)
    assert timed_out.step == "infra"


async def test_what_is_said_while_changes_are_made_follows_what_was_said_before(stand: Stand) -> None:
    async with stand.running():
        asked = await proposed(stand)
        log = f"{asked.run}/infra/1"
        stand.carrier.lines[log] = [LogLine(at=EPOCH, text="1 to add"), LogLine(at=EPOCH, text="added")]
        await stand.answer("approve", "staging", shown=asked.shown)
        await stand.until_said(RunSucceeded)
        await stand.until_said(LogAppended, log=log, last=True)
    said = [line.text for event in stand.said(LogAppended, log=log) for line in event.lines]
    assert said == ["1 to add", "added"]


async def test_a_crash_while_changes_are_made_takes_them_up_and_makes_them_once(stand: Stand) -> None:
    held = stand.carrier.hold("infra apply")
    async with stand.running():
        asked = await proposed(stand)
        await stand.answer("approve", "staging", shown=asked.shown)
        await stand.until(lambda: "apply" in {action for action, _, _ in stand.carrier.effects})
    held.set()
    async with stand.running():
        stand.clock.advance(60)  # the lease of the life that ended
        await stand.until_said(RunSucceeded)
    applied = [log for action, log, _ in stand.carrier.effects if action == "apply"]
    assert len(applied) == len(set(applied)) == 1


async def test_a_crash_while_a_person_is_asked_leaves_the_question_as_it_was(stand: Stand) -> None:
    async with stand.running():
        asked = await failed_test(stand)
    before = stand.rows(tables.steps)
    async with stand.running():
        accepted = await stand.answer("approve", "staging", shown=asked.shown)
        assert isinstance(accepted, OperationAccepted)
        await stand.until_said(RunSucceeded)
    assert len(before) == 3
    assert len(stand.said(StepWaiting)) == 1
