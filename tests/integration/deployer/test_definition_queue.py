"""Revisions whose pipeline file needs approval, in their order: in line, late, judged anew, after a crash."""

import sqlalchemy as sa

from services.deployer import tables
from shared.events import (
    AlarmChanged,
    DefinitionAnswered,
    DefinitionHeld,
    RunStarted,
    RunSucceeded,
    RunSuperseded,
    RunWaiting,
    StageBlocked,
)
from tests.integration.deployer import promises
from tests.integration.deployer.stand import EPOCH, Stand
from tests.integration.deployer.test_definition_approval import (
    FROZEN_ONCE,
    accepted,
    deployed,
    held,
    push,
    refused,
    unwatched,
    watched,
)


def order(stand: Stand, stage: str = "staging") -> list[int]:
    return [event.revision for event in stand.said(RunStarted, stage=stage)]


async def test_where_every_commit_is_deployed_later_ones_stand_in_line_behind_the_one_that_is_held(
    stand: Stand,
) -> None:
    async with stand.running():
        await deployed(stand, watched(1, fifo=True))
        first = await held(stand, unwatched(2, fifo=True))
        await push(stand, watched(3, fifo=True))
        await push(stand, unwatched(4, fifo=True))
        wait = await stand.until_waits("approval", revision=3, stage="staging")
        assert wait.blocked_by == "revision 2 comes first, and changes of its pipeline file need approval"
        assert wait.released_by == "somebody who approves, rejects or cancels revision 2"
        await stand.until_waits("approval", revision=4, stage="staging")
        third = stand.said(RunWaiting, revision=3, stage="staging")[0]
        message = await refused(stand, "approve", "staging", run=third.run)
        assert message == "revision 3 is looked at when its turn comes, after revision 2"
        await accepted(stand, "approve", "staging", run=first.run)
        await stand.until_said(RunSucceeded, revision=3, stage="production")
        fourth = await stand.until_said(DefinitionHeld, revision=4)
        await accepted(stand, "approve", "staging", shown=fourth.shown)
        await stand.until_said(RunSucceeded, revision=4, stage="production")
        await promises.rest(stand)
    promises.kept(stand)
    assert [event.run for event in stand.said(DefinitionHeld)] == [first.run, fourth.run]
    assert not stand.said(RunSuperseded)
    assert order(stand) == order(stand, "production") == [1, 2, 3, 4]


async def test_what_stands_in_line_is_judged_by_what_was_let_through_before_it(stand: Stand) -> None:
    async with stand.running():
        await deployed(stand, watched(1, fifo=True))
        second = await held(stand, unwatched(2, fifo=True))
        await push(stand, unwatched(3, fifo=True))
        await stand.until_waits("approval", revision=3, stage="staging")
        await accepted(stand, "approve", "staging", run=second.run)
        await stand.until_said(RunSucceeded, revision=3, stage="production")
        fourth = await held(stand, unwatched(4, fifo=True, stages=("staging",)))
        await push(stand, unwatched(5, fifo=True))
        await accepted(stand, "reject", "staging", shown=fourth.shown)
        await stand.until_said(RunSucceeded, revision=5, stage="production")
        await promises.rest(stand)
    promises.kept(stand)
    assert order(stand) == [1, 2, 3, 5]
    assert [event.revision for event in stand.said(DefinitionHeld)] == [2, 4]


async def test_how_revisions_queue_is_for_the_approved_file_to_say(stand: Stand) -> None:
    async with stand.running():
        await deployed(stand, watched(1))
        await held(stand, unwatched(2, fifo=True))
        await deployed(stand, watched(3))
        await promises.rest(stand)
    assert order(stand) == [1, 3]
    assert [event.by_revision for event in stand.said(RunSuperseded, stage="staging")] == [3]


async def test_what_was_said_of_changes_is_void_once_another_revision_was_let_through_first(
    stand: Stand,
) -> None:
    async with stand.running():
        await deployed(stand, watched(1))
        before = await held(stand, unwatched(3))
        await push(stand, watched(2, window=FROZEN_ONCE))  # late, and nothing keeps it
        await stand.until(lambda: len(stand.said(DefinitionHeld)) == 2)
        now = stand.said(DefinitionHeld)[1]
        assert (now.run, len(before.changes), len(now.changes)) == (before.run, 2, 4)
        assert "not what was shown" in await refused(stand, "approve", "staging", shown=before.shown)
        await accepted(stand, "approve", "staging", shown=now.shown)
        await stand.until_said(RunSucceeded, revision=3, stage="production")
        await promises.rest(stand)
    promises.kept(stand)
    assert order(stand)[-1] == 3


async def test_a_late_revision_that_would_need_approval_gives_way_to_what_is_newer(stand: Stand) -> None:
    async with stand.running():
        await deployed(stand, watched(1))
        await deployed(stand, watched(3))
        await push(stand, unwatched(2, stages=("canary",)))
        superseded = await stand.until_said(RunSuperseded, revision=2, stage="canary")
        assert superseded.by_revision == 3
        await held(stand, unwatched(5))
        await push(stand, unwatched(4))
        superseded = await stand.until_said(RunSuperseded, revision=4, stage="staging")
        assert superseded.by_revision == 5
        await promises.rest(stand)
    promises.kept(stand)
    assert order(stand) == [1, 3]
    assert [event.revision for event in stand.said(DefinitionHeld)] == [5]


async def test_a_late_revision_takes_nothing_back_that_a_newer_file_says(stand: Stand) -> None:
    firing = AlarmChanged(alarm="shop-5xx", state="firing", reason="5 % fail", source="monitor", at=EPOCH)
    async with stand.running():
        await deployed(stand, watched(1, alarm="old", mode="NEVER"))
        await deployed(stand, watched(3, mode="NEVER"))
        await push(stand, watched(2, alarm="old", mode="NEVER"))
        await stand.until_said(RunSuperseded, revision=2, stage="production")
        await stand.say(firing.model_copy(update={"alarm": "old"}))
        await stand.say(firing)
        await stand.until_said(StageBlocked, stage="production")
    assert {event.blocker for event in stand.said(StageBlocked)} == {"alarm shop-5xx"}


async def test_a_held_revision_outlives_a_crash_and_is_held_once_however_often_it_is_heard(
    stand: Stand,
) -> None:
    stand.heard_twice = True
    async with stand.running():
        await deployed(stand, watched(1))
        said = await held(stand, unwatched(2))
    async with stand.running():
        await promises.rest(stand)
        assert stand.said(DefinitionHeld) == [said]
        assert len(stand.said(RunWaiting, run=said.run)) == 1
        await accepted(stand, "approve", "staging", shown=said.shown)
        await stand.until_said(RunSucceeded, revision=2, stage="production")
        await promises.rest(stand)
    promises.kept(stand)
    assert len(stand.said(DefinitionAnswered)) == 1


async def test_a_revision_that_was_let_through_and_has_not_begun_is_found_by_its_row(stand: Stand) -> None:
    async with stand.running():
        await deployed(stand, watched(1))
        await held(stand, unwatched(2))
        await promises.rest(stand)
    let_through = sa.update(tables.revisions).where(tables.revisions.c.revision == 2)
    stand.store.write(let_through.values(let_through_at=EPOCH))
    async with stand.running():
        await stand.until_said(RunSucceeded, revision=2, stage="production")
