"""What is answered and told names what it is about, what became of it, and a way out that is one."""

from typing import Any

import pytest

from services.deployer import tables
from shared.events import (
    DefinitionHeld,
    HoldReleased,
    OperationAccepted,
    OperationRefused,
    RunCancelled,
    RunFailed,
    RunSucceeded,
    RunWaiting,
    StageHeld,
    StepStarted,
    StepWaiting,
)
from tests.integration.deployer.arrangements import ALARM, GATE, A, B, alarm_says, one_stage
from tests.integration.deployer.stand import ROOT, SERVICE, Stand, plan, planned, step


async def said(stand: Stand, kind: str, stage: str = "staging", **fields: Any) -> str:
    answer = await stand.answer(kind, stage, **fields)
    assert isinstance(answer, OperationAccepted), answer.message
    return answer.message


async def refused(stand: Stand, kind: str, stage: str = "staging", **fields: Any) -> str:
    answer = await stand.answer(kind, stage, **fields)
    assert isinstance(answer, OperationRefused), answer.message
    return answer.message


async def good(stand: Stand, *revisions: int) -> None:
    for number in revisions:
        await stand.say(one_stage(number, A))
        await stand.until_said(RunSucceeded, revision=number)
        stand.clock.advance(1)


async def rolled_back(stand: Stand, **fields: Any) -> None:
    before = len(stand.said(RunSucceeded, kind="rollback"))
    await said(stand, "rollback", **fields)
    await stand.until(lambda: len(stand.said(RunSucceeded, kind="rollback")) > before)
    stand.clock.advance(1)


def holds(stand: Stand) -> set[int]:
    return {row["revision"] for row in stand.rows(tables.holds)}


async def test_each_cancel_says_which_revision_it_hits(stand: Stand) -> None:
    stand.silent_verifier = True
    stand.carrier.hold_discard("web")
    async with stand.running():
        await stand.say(one_stage(1, A, step("web", SERVICE, "a")))
        await stand.until_said(StepStarted, step="web")
        await stand.say(one_stage(2, A))
        await stand.until_waits("lock", revision=2)
        (waiting,) = {event.run for event in stand.said(RunWaiting, revision=2)}
        told = [
            await said(stand, "cancel"),
            await said(stand, "cancel"),
            await said(stand, "cancel", run=waiting),
        ]
        over = await refused(stand, "cancel", run=waiting)
        stand.carrier.held_discards["web"].set()
        await stand.until_said(RunCancelled, revision=1)
    assert told == [
        "revision 1, which was In Progress, is stopped",
        "revision 1 is Cancelling already: wait for its end",
        "revision 2, which waited, is cancelled and does not begin",
    ]
    assert over == "that run of revision 2 is Cancelled in staging: there is nothing to cancel"


@pytest.mark.parametrize("kind", ["cancel", "retry", "approve"])
async def test_a_run_that_is_named_and_is_none_of_the_stage_is_said_to_be_none(
    stand: Stand, kind: str
) -> None:
    async with stand.running():
        await stand.say(planned(1, plan(1, steps=(A, GATE))))
        waiting = await stand.until_said(StepWaiting)
        unknown = await refused(stand, kind, run=ROOT)
        elsewhere = await refused(stand, kind, "production", run=waiting.run)
    assert unknown == f"there is no run {ROOT}: `windlass runs shop staging` lists those of shop/staging"
    assert elsewhere == f"run {waiting.run} is one of shop/staging, not of shop/production: name that stage"


async def test_an_answer_to_another_run_is_told_which_one_waits(stand: Stand) -> None:
    async with stand.running():
        await good(stand, 1)
        await stand.say(one_stage(2, A, GATE))
        waiting = await stand.until_said(StepWaiting)
        first = stand.said(RunSucceeded, revision=1)[0].run
        message = await refused(stand, "approve", run=first)
    assert message == (
        "that run of revision 1 is Succeeded in staging and waits for no answer: "
        f"revision 2 does, at live, in run {waiting.run}"
    )


async def test_a_step_that_waits_for_nothing_is_told_which_does(stand: Stand) -> None:
    async with stand.running():
        await stand.say(one_stage(1, A, GATE))
        await stand.until_said(StepWaiting)
        messages = [await refused(stand, kind, step="nope") for kind in ("approve", "reject")]
    assert (
        messages
        == ["revision 1 is In Progress in staging: no step 'nope' waits for an answer: live does"] * 2
    )


async def test_a_rejected_file_leaves_nothing_behind_that_waits_for_ever(stand: Stand) -> None:
    def in_both(revision: int, *more: object) -> object:
        fixed = plan(revision, steps=(A, *more))  # type: ignore[arg-type]
        return planned(revision, fixed.model_copy(update={"definition_approval": "ALWAYS"}))

    async with stand.running():
        await stand.say(in_both(1))  # type: ignore[arg-type]
        await stand.until_said(RunSucceeded, stage="production")
        await stand.say(in_both(2, B))  # type: ignore[arg-type]
        await stand.until_waits("approval", revision=2)
        (held,) = stand.said(DefinitionHeld)
        await said(stand, "reject", reason="no", shown=held.shown)
        await stand.until_said(RunCancelled, revision=2)
        ended = await stand.until_said(RunCancelled, revision=2, stage="production")
    assert ended.reason == "the changes of the pipeline file were rejected: no"


async def test_a_revision_on_hold_in_the_stage_before_waits_for_the_holds_release(stand: Stand) -> None:
    def in_both(revision: int) -> object:
        return planned(revision, plan(revision, steps=(A, step("web", SERVICE, "a"))))

    async with stand.running():
        await stand.say(in_both(1))  # type: ignore[arg-type]
        await stand.until_said(RunSucceeded, stage="production")
        stand.clock.advance(1)
        stand.bad_releases = {2}
        await stand.say(in_both(2))  # type: ignore[arg-type]
        await stand.until_said(RunSucceeded, kind="rollback", stage="staging")
        await stand.until_waits("previous_stage", revision=2, stage="production")
        stand.clock.advance(1)
        waits = [event.wait for event in stand.said(RunWaiting, revision=2, stage="production")]
        stand.bad_releases = set()
        forward = await said(stand, "release_hold")
        again = await said(stand, "roll_forward", revision=2)
        await stand.until_said(RunSucceeded, revision=2, stage="production")
    assert waits[-1].released_by == (
        "a newer revision, which takes its place, "
        "or somebody who releases its hold in staging and rolls staging forward to it"
    )
    assert forward == (
        "revision 2 may be deployed to staging again: "
        "`windlass roll-forward shop staging --to 2` brings it there"
    )
    assert again.startswith("revision 2 goes out in staging now")


async def test_newer_revisions_are_named_where_nothing_older_is_left_to_go_back_to(stand: Stand) -> None:
    async with stand.running():
        await good(stand, 1, 2, 3)
        await rolled_back(stand)
        await rolled_back(stand)
        preview = await refused(stand, "rollback", dry_run=True)
    assert preview == (
        "no revision older than 1, which staging runs, ever succeeded there: push a fix, "
        "or roll forward to 3 or 2, and release its hold before if it is on hold"
    )


async def test_what_is_restored_by_its_name_is_on_hold_no_more(stand: Stand) -> None:
    async with stand.running():
        await good(stand, 1, 2)
        await rolled_back(stand)
        await good(stand, 3)
        assert holds(stand) == {2}
        preview = await said(stand, "rollback", revision=2, dry_run=True)
        assert "revision 2 is on hold no more" in preview
        assert holds(stand) == {2}
        await rolled_back(stand, revision=2, reason="it was not its fault")
        released = stand.said(HoldReleased)
        assert holds(stand) == {3}
    assert [(event.revision, event.actor, event.reason) for event in released] == [
        (2, "ada", "it was not its fault")
    ]


async def test_a_released_hold_names_the_command_that_brings_the_revision_back(stand: Stand) -> None:
    async with stand.running():
        await good(stand, 1, 2)
        await rolled_back(stand)
        await good(stand, 3)
        message = await said(stand, "release_hold")
        assert message == (
            "revision 2 may be deployed to staging again: `windlass rollback shop staging --to 2` "
            "brings it there"
        )
        await rolled_back(stand, revision=2)


async def test_an_alarm_is_named_as_why_a_revision_was_rolled_back(stand: Stand) -> None:
    async with stand.running():
        await stand.say(one_stage(1, A, alarm=ALARM))
        await stand.until_said(RunSucceeded)
        stand.clock.advance(1)
        stand.carrier.hold("a")
        await stand.say(one_stage(2, A, alarm=ALARM))
        await stand.until_said(StepStarted, revision=2)
        await alarm_says(stand, "firing")
        held = await stand.until_said(StageHeld, revision=2)
        stand.carrier.held["a"].set()
        await stand.until_said(RunSucceeded, kind="rollback")
    assert held.reason == f"its run ended Cancelled and was rolled back: alarm {ALARM}: 5xx"


async def test_a_rollback_says_where_else_its_revision_goes_out_just_now(stand: Stand) -> None:
    def in_both(revision: int) -> object:
        return planned(revision, plan(revision, steps=(A,)))

    async with stand.running():
        await stand.say(in_both(1))  # type: ignore[arg-type]
        await stand.until_said(RunSucceeded, stage="production")
        stand.clock.advance(1)
        let_go = stand.carrier.hold("a", "production")
        await stand.say(in_both(2))  # type: ignore[arg-type]
        await stand.until_said(StepStarted, revision=2, stage="production")
        stand.clock.advance(1)
        both = [await said(stand, "rollback", dry_run=True), await said(stand, "rollback")]
        let_go.set()
        await stand.until_said(RunSucceeded, revision=2, stage="production")
        await stand.until_said(RunSucceeded, kind="rollback")
    there = "production is not touched, where revision 2 is In Progress: cancel it or roll back there too"
    assert all(there in told for told in both)


async def test_a_retry_of_a_stage_where_nothing_ran_says_so(stand: Stand) -> None:
    stand.carrier.failing = {"a"}
    async with stand.running():
        await stand.say(planned(1, plan(1, steps=(A,))))
        await stand.until_said(RunFailed)
        message = await refused(stand, "retry", "production")
    assert message == "nothing has run in shop/production that could be tried again: push"
