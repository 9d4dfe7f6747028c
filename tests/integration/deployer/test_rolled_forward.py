"""A roll-forward goes past this stage's queue, window and blockers, and past nothing else."""

from typing import Any

import pytest

from services.deployer import tables
from shared.events import (
    BuildRequested,
    OperationAccepted,
    OperationRefused,
    RunFailed,
    RunQueued,
    RunRollingForward,
    RunSucceeded,
    RunSuperseded,
    StageBlocked,
    StepStarted,
    StepWaiting,
)
from shared.window import Opening, Window
from tests.integration.deployer.arrangements import ALARM, GATE, alarm_says
from tests.integration.deployer.cells import guarded
from tests.integration.deployer.stand import Stand, plan, planned, step

A = step("a")
LATER = Window(name="late", openings=(Opening(day="thu", opens="10:00", closes="11:00"),))


def both(revision: int, *more: Any, late: bool = False) -> Any:
    """Return a revision of two stages; `late`: production's window is shut."""
    fixed = plan(revision, steps=(A, *more))
    first, last = fixed.stages
    last = last.model_copy(update={"window": LATER if late else None, "steps": (A,)})
    return planned(revision, fixed.model_copy(update={"stages": (first, last)}))


def one(revision: int, **changes: Any) -> Any:
    return planned(revision, plan(revision, steps=(A,), stages=("staging",), **changes))


async def refused(stand: Stand, kind: str, stage: str, **fields: Any) -> str:
    answer = await stand.answer(kind, stage, **fields)
    assert isinstance(answer, OperationRefused), answer.message
    return answer.message


async def accepted(stand: Stand, kind: str, stage: str, **fields: Any) -> OperationAccepted:
    answer = await stand.answer(kind, stage, **fields)
    assert isinstance(answer, OperationAccepted), answer.message
    return answer


async def is_refused_both_ways(stand: Stand, revision: int, why: str) -> None:
    """Neither named nor by default does it go out in production."""
    assert await refused(stand, "roll_forward", "production", revision=revision) == why
    assert why in await refused(stand, "roll_forward", "production")
    assert not stand.said(RunQueued, kind="roll_forward")


async def test_a_revision_that_was_rejected_in_the_stage_before_goes_nowhere(stand: Stand) -> None:
    async with stand.running():
        await stand.say(both(1, GATE))
        await stand.until_said(StepWaiting)
        await accepted(stand, "reject", "staging", reason="no")
        await stand.until_said(RunFailed)
        await is_refused_both_ways(
            stand,
            1,
            "revision 1 has not come through staging, where it was rejected: retry it there, or push a fix",
        )


async def test_a_revision_that_waits_for_people_in_the_stage_before_goes_nowhere(stand: Stand) -> None:
    async with stand.running():
        await stand.say(both(1, GATE))
        await stand.until_said(StepWaiting)
        await is_refused_both_ways(
            stand,
            1,
            "revision 1 has not come through staging, where it waits (step 'live' has 0 of 1 approvals): "
            "approve or reject it there",
        )


async def test_a_revision_that_works_in_the_stage_before_goes_nowhere_yet(stand: Stand) -> None:
    let_go = stand.carrier.hold("a", "staging")
    async with stand.running():
        await stand.say(both(1, late=True))
        await stand.until_said(StepStarted)
        await is_refused_both_ways(
            stand,
            1,
            "revision 1 has not come through staging, where it is In Progress: wait for its end there",
        )
        let_go.set()
        await stand.until_said(RunSucceeded, stage="staging")
        await stand.until_waits("window", stage="production")
        await accepted(stand, "roll_forward", "production")
        ended = await stand.until_said(RunSucceeded, stage="production")
    assert (ended.kind, ended.state) == ("roll_forward", "Rolled Forward")
    assert [event.stage for event in stand.said(RunSuperseded)] == ["production"]


async def test_a_revision_that_waits_for_the_stage_before_goes_nowhere(stand: Stand) -> None:
    async with stand.running():
        await stand.say(both(1))
        await stand.until_said(RunSucceeded, stage="production")
        await accepted(stand, "stop", "staging", reason="audit")
        await stand.say(both(2))
        await stand.until_waits("stopped", revision=2)
        message = await refused(stand, "roll_forward", "production", revision=2)
    assert message == (
        "revision 2 has not come through staging, where it waits (ada stopped the stage: audit): "
        "wait for it, or roll staging forward to it first"
    )


async def test_what_gave_way_in_the_stage_before_goes_nowhere(stand: Stand) -> None:
    let_go = stand.carrier.hold("a", "staging")
    async with stand.running():
        await stand.say(both(1))
        await stand.until_said(StepStarted)
        await stand.say(both(2), both(3))
        await stand.until_said(RunSuperseded, revision=2, stage="staging")
        early = await refused(stand, "roll_forward", "production", revision=2)
        let_go.set()
        await stand.until_said(RunSucceeded, revision=3, stage="staging")
        await stand.until_said(RunSucceeded, revision=3, stage="production")
    assert early == (
        "revision 2 has not come through staging, where it was superseded: roll staging forward to it first"
    )


async def test_a_retry_is_refused_for_the_same_reason_and_names_no_way_past_it(stand: Stand) -> None:
    stand.carrier.failing = {"a"}
    async with stand.running():
        await stand.say(both(1))
        await stand.until_said(RunFailed, stage="staging")
        never_begun = stand.said(RunQueued, stage="production")[0].run
        await accepted(stand, "cancel", "production", run=never_begun)
        message = await refused(stand, "retry", "production", run=never_begun)
    assert message == (
        "revision 1 has not come through staging, where it failed: retry it there, or push a fix"
    )


async def test_the_run_of_a_roll_forward_knows_what_it_came_after_and_so_does_its_retry(
    stand: Stand,
) -> None:
    async with stand.running():
        await stand.say(both(1, late=True))
        await stand.until_waits("window", stage="production")
        stand.carrier.failing = {"a"}
        await accepted(stand, "roll_forward", "production")
        await stand.until_said(RunFailed, stage="production")
        stand.carrier.failing = set()
        await accepted(stand, "retry", "production")
        await stand.until_waits("window", kind="retry")
    after = {
        row["kind"]: row["comes_after"] for row in stand.rows(tables.runs) if row["stage"] == "production"
    }
    assert after == dict.fromkeys(("deploy", "roll_forward", "retry"), "shop/staging")


async def test_in_its_first_stage_a_revision_is_built_by_the_run_that_goes_forward(stand: Stand) -> None:
    async with stand.running():
        await stand.say(one(1, window=LATER))
        await stand.until_waits("window")
        await accepted(stand, "roll_forward", "staging")
        ended = await stand.until_said(RunSucceeded)
    assert (ended.kind, ended.revision) == ("roll_forward", 1)
    assert stand.said(BuildRequested)


async def test_a_build_that_failed_is_asked_for_anew_by_whoever_insists(stand: Stand) -> None:
    stand.failing_builds = {1}
    async with stand.running():
        await stand.say(one(1))
        await stand.until_said(RunFailed)
        stand.failing_builds = set()
        assert await refused(stand, "roll_forward", "staging") == (
            "nothing can go out in staging: "
            "revision 1 failed here: name it to insist, retry it, or push a fix"
        )
        await accepted(stand, "roll_forward", "staging", revision=1)
        await stand.until_said(RunSucceeded, kind="roll_forward")


async def test_the_newest_that_waits_behind_a_blocker_goes_forward_and_not_an_older_one_that_failed(
    stand: Stand,
) -> None:
    async with stand.running():
        stand.carrier.failing = {"a"}
        await stand.say(one(1, alarm=ALARM))
        await stand.until_said(RunFailed)
        stand.carrier.failing = set()
        await alarm_says(stand, "firing")
        await stand.until_said(StageBlocked)
        await stand.say(one(2, alarm=ALARM))
        await stand.until_waits("blocker", revision=2)
        await accepted(stand, "roll_forward", "staging")
        assert (await stand.until_said(RunRollingForward)).revision == 2


@pytest.mark.parametrize("how", ["cancelled", "failed"])
async def test_what_ended_badly_here_goes_forward_only_by_its_name(stand: Stand, how: str) -> None:
    async with stand.running():
        if how == "failed":
            stand.carrier.failing = {"a"}
            await stand.say(one(1))
            await stand.until_said(RunFailed)
        else:
            await stand.say(one(1, window=LATER))
            await stand.until_waits("window")
            await accepted(stand, "cancel", "staging")
        stand.carrier.failing = set()
        said = "failed" if how == "failed" else "was cancelled"
        assert f"revision 1 {said} here" in await refused(stand, "roll_forward", "staging")
        await accepted(stand, "roll_forward", "staging", revision=1)
        await stand.until_said(RunSucceeded)


async def test_a_retry_that_waits_is_no_bad_end_any_more(stand: Stand) -> None:
    async with stand.running():
        stand.carrier.failing = {"a"}
        await stand.say(
            one(1, window=Window(name="x", openings=(Opening(day="thu", opens="00:00", closes="01:00"),)))
        )
        await stand.until_said(RunFailed)
        stand.carrier.failing = set()
        stand.clock.advance(2 * 3600)
        await accepted(stand, "retry", "staging")
        await stand.until_waits("window", kind="retry")
        await accepted(stand, "roll_forward", "staging")
        await stand.until_said(RunSucceeded, kind="roll_forward")


async def test_what_is_in_the_way_is_said_of_each_newer_revision(stand: Stand) -> None:
    async with stand.running():
        await stand.say(one(1))
        await stand.until_said(RunSucceeded)
        nothing = await refused(stand, "roll_forward", "staging")
        stand.carrier.failing = {"a"}
        await stand.say(one(2))
        await stand.until_said(RunFailed)
        failed = await refused(stand, "roll_forward", "staging")
        none = await refused(stand, "roll_forward", "staging", revision=77)
        older = await refused(stand, "roll_forward", "staging", revision=1)
    assert [nothing, failed, none, older] == [
        "nothing newer than revision 1, which staging runs, is there: push it",
        (
            "nothing newer than revision 1 can go out in staging: "
            "revision 2 failed here: name it to insist, retry it, or push a fix"
        ),
        "there is no revision 77 of shop: the newest is 2",
        "revision 1 is not newer than 1, which staging runs: ask for a rollback",
    ]


async def test_a_file_that_waits_for_its_approval_is_named_as_what_is_in_the_way(stand: Stand) -> None:
    async with stand.running():
        await stand.say(guarded(1))
        await stand.until_said(RunSucceeded)
        await stand.say(guarded(2, step("b")))
        await stand.until_waits("approval", revision=2)
        message = await refused(stand, "roll_forward", "staging")
    assert message == (
        "nothing newer than revision 1 can go out in staging: the changes of the pipeline file in revision 2 "
        "are not approved: approve them in staging first"
    )


async def test_a_revision_on_hold_is_named_as_what_is_in_the_way(stand: Stand) -> None:
    async with stand.running():
        for number in (1, 2):
            await stand.say(one(number))
            await stand.until_said(RunSucceeded, revision=number)
            stand.clock.advance(1)
        await accepted(stand, "rollback", "staging")
        await stand.until_said(RunSucceeded, kind="rollback")
        message = await refused(stand, "roll_forward", "staging")
    assert message == (
        "nothing newer than revision 1 can go out in staging: "
        "revision 2 is on hold in staging: release the hold first"
    )
