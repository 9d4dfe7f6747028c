"""What a strict reading found of runs: limits and retries, rollbacks, lines, stages of no file in force."""

from services.deployer import tables
from shared.events import (
    AlarmChanged,
    DefinitionHeld,
    OperationAccepted,
    RunCancelled,
    RunFailed,
    RunQueued,
    RunStarted,
    RunSucceeded,
    RunTimedOut,
    RunWaiting,
    StageBlocked,
    StageDeclared,
    StageHeld,
    StepStarted,
)
from shared.plan import Plan
from tests.integration.deployer import promises
from tests.integration.deployer.stand import EPOCH, Stand, plan, planned, step
from tests.integration.deployer.test_definition_approval import (
    accepted,
    deployed,
    held,
    push,
    refused,
    unwatched,
    watched,
)

STEPS = (step("a"),)
STAGING = ("staging",)


def limited(seconds: float, *stages: str) -> Plan:
    made = plan(1, steps=STEPS, stages=stages or ("staging", "production"))
    return made.model_copy(update={"timeout_seconds": seconds})


async def released(stand: Stand, *revisions: int, stages: tuple[str, ...] = STAGING) -> None:
    """Have revisions go out one after the other."""
    for revision in revisions:
        await stand.say(planned(revision, plan(revision, steps=STEPS, stages=stages)))
        await stand.until_said(RunSucceeded, revision=revision, stage=stages[-1])
        stand.clock.advance(1)


async def rolled_back(stand: Stand, stage: str = "staging", revision: int | None = None) -> str:
    """Have the stage go back, and wait until it did; returns the answer."""
    before = len(stand.said(RunSucceeded, state="Rolled Back"))
    message = await accepted(stand, "rollback", stage, revision=revision, reason="it is broken")
    await stand.until(lambda: len(stand.said(RunSucceeded, state="Rolled Back")) > before)
    stand.clock.advance(1)
    return message


async def test_a_retry_after_the_deployments_limit_goes_on_to_the_next_stage(stand: Stand) -> None:
    stand.carrier.failing = {"a"}
    async with stand.running():
        await stand.say(planned(1, limited(600, "staging", "qa", "production")))
        await stand.until_said(RunFailed, stage="staging")
        stand.clock.advance(601)
        await stand.until_said(RunTimedOut, stage="production")
        stand.carrier.failing = set()
        await accepted(stand, "retry", "staging", reason="the mirror is back")
        await stand.until_said(RunSucceeded, stage="production")
        await promises.rest(stand)
    promises.kept(stand)
    assert [event.stage for event in stand.said(RunSucceeded)] == ["staging", "qa", "production"]


async def test_the_limit_of_a_deployment_ends_nothing_that_a_retry_brings_on(stand: Stand) -> None:
    stand.carrier.failing = {"a"}
    async with stand.running():
        await stand.say(planned(1, limited(600, "staging", "qa", "production")))
        await stand.until_said(RunFailed, stage="staging")
        stand.carrier.failing = set()
        in_staging, in_qa = stand.carrier.hold("a", "staging"), stand.carrier.hold("a", "qa")
        stand.clock.advance(580)
        await accepted(stand, "retry", "staging", reason="the mirror is back")
        await stand.until(lambda: len(stand.said(StepStarted)) == 2)
        stand.clock.advance(25)  # the limit passes while it is tried again
        in_staging.set()
        await stand.until_said(StepStarted, stage="qa")
        stand.clock.advance(25)
        in_qa.set()
        await stand.until_said(RunSucceeded, stage="production")
        await promises.rest(stand)
    promises.kept(stand)
    assert not stand.said(RunTimedOut)


async def test_what_a_person_cancelled_in_a_later_stage_is_not_brought_back_by_a_retry(stand: Stand) -> None:
    stand.carrier.failing = {"a"}
    async with stand.running():
        await stand.say(planned(1, plan(1, steps=STEPS)))
        await stand.until_said(RunFailed, stage="staging")
        production = stand.said(RunQueued, stage="production")[0].run
        await accepted(stand, "cancel", "production", run=production)
        stand.carrier.failing = set()
        await accepted(stand, "retry", "staging", reason="the mirror is back")
        await stand.until_said(RunSucceeded, stage="staging")
        await promises.rest(stand)
    assert not stand.said(RunStarted, stage="production")


async def test_a_rollback_never_goes_forward(stand: Stand) -> None:
    async with stand.running():
        await released(stand, 1, 2)
        await rolled_back(stand)
        await accepted(stand, "stop", "staging", reason="incident")
        assert "stopped staging" in await refused(stand, "roll_forward", "staging", revision=2)
        message = await refused(stand, "rollback", "staging", revision=2)
        assert "revision 2 is newer than 1, which staging runs, and a rollback goes back" in message
        assert "roll forward to it" in message
        await promises.rest(stand)
    assert [event.revision for event in stand.said(StageHeld)] == [2]


async def test_a_rollback_that_follows_another_goes_further_back_or_nowhere(stand: Stand) -> None:
    async with stand.running():
        await released(stand, 1, 2, 3)
        let_go = stand.carrier.hold("a")
        await stand.say(planned(4, plan(4, steps=STEPS, stages=STAGING)))
        await stand.until_said(StepStarted, revision=4)
        answer = await stand.answer("rollback", "staging", revision=2, reason="it is broken")
        assert isinstance(answer, OperationAccepted)
        let_go.set()
        await stand.until_said(RunSucceeded, state="Rolled Back", revision=2)
        stand.clock.advance(1)
        preview = await accepted(stand, "rollback", "staging", dry_run=True)
        assert "revision 1 (00000000) is restored" in preview
        assert "revision 2 is put on hold" in preview
        await rolled_back(stand)
        message = await refused(stand, "rollback", "staging", dry_run=True)
        assert "revision older than 1" in message
        assert [event.revision for event in stand.said(StageHeld)] == [4, 2]


async def test_a_rollback_that_failed_may_be_tried_again_and_so_may_what_was_live_before(
    stand: Stand,
) -> None:
    async with stand.running():
        await released(stand, 1, 2)
        stand.carrier.failing = {"a"}
        await accepted(stand, "rollback", "staging", reason="it is broken")
        await stand.until_said(RunFailed, kind="rollback")
        stand.clock.advance(1)
        stand.carrier.failing = set()
        assert "revision 1 (" in await accepted(stand, "rollback", "staging", dry_run=True)
        assert "revision 2 (" in await accepted(stand, "rollback", "staging", revision=2, dry_run=True)
        await rolled_back(stand)


async def test_what_is_taken_back_in_a_stage_does_not_go_on_to_the_next(stand: Stand) -> None:
    async with stand.running():
        await released(stand, 1, stages=("staging", "qa", "production"))
        await accepted(stand, "stop", "qa", reason="a demonstration")
        await stand.say(planned(2, plan(2, steps=STEPS, stages=("staging", "qa", "production"))))
        await stand.until_waits("stopped", stage="qa", revision=2)
        stand.clock.advance(1)
        preview = await accepted(stand, "rollback", "staging", dry_run=True)
        assert not stand.said(RunCancelled)
        message = await rolled_back(stand)
        assert preview == message
        assert "revision 2 is not brought on to qa, production" in message
        ended = stand.said(RunCancelled, revision=2)
        assert {event.stage for event in ended} == {"qa", "production"}
        assert {(event.actor, event.reason) for event in ended} == {("ada", "it is broken")}
        await accepted(stand, "resume", "qa")
        await promises.rest(stand)
        assert not stand.said(RunStarted, revision=2, stage="qa")
        await accepted(stand, "release_hold", "staging")
        await accepted(stand, "roll_forward", "staging", revision=2)  # and now it goes its way after all
        await stand.until_said(RunSucceeded, revision=2, stage="production")
        await promises.rest(stand)
    promises.kept(stand)


async def test_a_rollback_names_the_later_stages_where_what_it_undoes_has_begun(stand: Stand) -> None:
    async with stand.running():
        await released(stand, 1, stages=("staging", "qa", "production"))
        let_go = stand.carrier.hold("a", "production")
        await stand.say(planned(2, plan(2, steps=STEPS, stages=("staging", "qa", "production"))))
        await stand.until_said(StepStarted, revision=2, stage="production")
        message = await rolled_back(stand)
        assert "qa is not touched, where revision 2 is Succeeded: roll back there too" in message
        assert (
            "production is not touched, where revision 2 is In Progress: cancel it or roll back there too"
            in message
        )
        let_go.set()
        await stand.until_said(RunSucceeded, revision=2, stage="production")
        await promises.rest(stand)
    promises.kept(stand)


async def test_what_was_cancelled_in_line_before_its_file_was_looked_at_is_looked_at_when_it_is_retried(
    stand: Stand,
) -> None:
    async with stand.running():
        await deployed(stand, watched(1, fifo=True))
        await held(stand, unwatched(2, fifo=True))
        await push(stand, watched(3, fifo=True))
        third = await stand.until_said(RunQueued, revision=3, stage="staging")
        await stand.until_said(RunWaiting, run=third.run)
        await accepted(stand, "cancel", "staging", run=third.run)
        await stand.until_said(RunCancelled, revision=3, stage="production")  # nothing brings it there now
        message = await refused(stand, "roll_forward", "staging", revision=3)
        assert "revision 3 was cancelled before its pipeline file was looked at: retry it" in message
        await accepted(stand, "retry", "staging", run=third.run)
        again = stand.said(RunQueued, revision=3, stage="staging", kind="retry")[0]
        await stand.until_said(RunWaiting, run=again.run)
        assert "comes first" in stand.said(RunWaiting, run=again.run)[0].wait.blocked_by
        await refused(stand, "retry", "staging", run=third.run)
        rejected = stand.said(DefinitionHeld, revision=2)[0]
        await accepted(stand, "reject", "staging", run=rejected.run, reason="no")
        await stand.until_said(RunCancelled, revision=2, stage="production")
        await stand.until_said(RunSucceeded, revision=3, stage="production")
        await promises.rest(stand)
    promises.kept(stand)
    assert not stand.said(DefinitionHeld, revision=3)


async def test_what_is_retried_before_its_file_was_looked_at_may_need_approval(stand: Stand) -> None:
    stand.heard_twice = True
    async with stand.running():
        await deployed(stand, watched(1, fifo=True))
        second = await held(stand, watched(2, fifo=True, alarm="another"))
        await push(stand, unwatched(3, fifo=True))
        third = await stand.until_said(RunQueued, revision=3, stage="staging")
        await stand.until_said(RunWaiting, run=third.run)
        await accepted(stand, "cancel", "staging", run=third.run)
        await accepted(stand, "reject", "staging", run=second.run, reason="no")
        await accepted(stand, "retry", "staging", run=third.run)
        asked = await stand.until_said(DefinitionHeld, revision=3)
    async with stand.running():
        await promises.rest(stand)
        assert not stand.said(RunStarted, revision=3)
        await accepted(stand, "approve", "staging", run=asked.run, shown=asked.shown)
        await stand.until_said(RunSucceeded, revision=3, stage="production")
        await promises.rest(stand)
    promises.kept(stand)


async def test_a_stage_of_a_file_that_nobody_approved_is_not_declared(stand: Stand) -> None:
    async with stand.running():
        await deployed(stand, watched(1))
        said = await held(stand, unwatched(2, stages=("canary", "staging", "production")))
        await stand.until_said(RunWaiting, run=said.run)
        assert not stand.said(StageDeclared, stage="canary")
        await accepted(stand, "reject", "canary", run=said.run)
        assert await refused(stand, "stop", "nowhere") == (
            "pipeline shop has no stage nowhere; it has staging, production"
        )
        said = await held(stand, unwatched(3, stages=("canary", "staging", "production")))
        await accepted(stand, "approve", "canary", run=said.run, shown=said.shown)
        await stand.until_said(RunSucceeded, revision=3, stage="production")
        await promises.rest(stand)
    assert [(event.stage, event.place) for event in stand.said(StageDeclared)] == [
        ("staging", 0),
        ("production", 1),
        ("canary", 0),
        ("staging", 1),
        ("production", 2),
    ]


async def test_an_alarm_reaches_no_stage_that_the_file_no_longer_has(stand: Stand) -> None:
    firing = AlarmChanged(alarm="shop-5xx", state="firing", reason="5 % fail", source="monitor", at=EPOCH)
    async with stand.running():
        await released(stand, 1, stages=("staging", "qa", "production"))
        await deployed(stand, watched(2))
        await stand.say(firing)
        await stand.until_said(StageBlocked, stage="production")
        await promises.rest(stand)
        assert {event.stage for event in stand.said(StageBlocked)} == {"staging", "production"}
        in_plan = {row["stage"]: row["in_plan"] for row in stand.rows(tables.stages)}
        assert in_plan == {"staging": True, "qa": False, "production": True}
