"""A newer plan moves, renames or drops stages while older revisions are on their way."""

import pytest

from shared.events import (
    RunFailed,
    RunQueued,
    RunSucceeded,
    RunSuperseded,
    RunWaiting,
    StageDeclared,
    StepStarted,
)
from shared.ids import Stage
from tests.integration.deployer import promises
from tests.integration.deployer.stand import Stand, plan, planned
from tests.integration.replicas import STORES

pytestmark = pytest.mark.parametrize("stand", STORES, indirect=True)


async def test_a_revision_goes_through_the_stages_of_its_own_plan(stand: Stand) -> None:
    let_go = stand.carrier.hold("migrate", "staging")
    async with stand.running():
        await stand.say(planned(1, plan(1, stages=("test", "staging", "production"))))
        await stand.until_said(StepStarted, stage="staging")
        await stand.say(planned(2, plan(2, stages=("staging", "test", "production"))))
        await stand.until_said(RunQueued, revision=2, stage="production")
        let_go.set()
        await stand.until_said(RunSucceeded, revision=2, stage="production")
        await promises.rest(stand)
    promises.kept(stand)
    way = [event.stage for event in stand.said(RunSucceeded, revision=1)]
    assert way == ["test", "staging", "production"]


async def test_a_stage_that_a_newer_plan_put_first_overtakes_the_older_revision(stand: Stand) -> None:
    let_go = stand.carrier.hold("migrate", "test")
    async with stand.running():
        await stand.say(planned(1, plan(1, stages=("test", "staging", "production"))))
        await stand.until_said(StepStarted, stage="test")
        await stand.say(planned(2, plan(2, stages=("staging", "test"))))
        await stand.until_said(RunSuperseded, revision=1, stage="production")
        let_go.set()
        await stand.until_said(RunSucceeded, revision=2, stage="test")
        await promises.rest(stand)
    promises.kept(stand)
    assert [event.stage for event in stand.said(RunSucceeded, revision=1)] == ["test"]


async def test_a_renamed_stage_begins_anew_and_the_old_one_is_left_alone(stand: Stand) -> None:
    async with stand.running():
        await stand.say(planned(1))
        await stand.until_said(RunSucceeded, stage="production")
        await stand.say(planned(2, plan(2, stages=("canary", "production"))))
        await stand.until_said(RunSucceeded, stage="production", revision=2)
        await promises.rest(stand)
    promises.kept(stand)
    assert [(event.stage, event.place) for event in stand.said(StageDeclared)] == [
        (Stage("staging"), 0),
        (Stage("production"), 1),
        (Stage("canary"), 0),
    ]


async def test_a_revision_that_waits_says_so_by_its_own_plan(stand: Stand) -> None:
    stand.carrier.failing = {"migrate"}
    async with stand.running():
        await stand.say(planned(1, plan(1, stages=("test", "staging", "production"))))
        await stand.until_said(RunFailed, stage="test")
        stand.carrier.failing = set()
        await stand.say(planned(2, plan(2, stages=("production", "test"))))
        await stand.until_said(RunSucceeded, stage="test", revision=2)
        await promises.rest(stand)
    waits = stand.said(RunWaiting, stage="staging", revision=1)
    assert waits[-1].wait.blocked_by == "revision 1 failed in test"
    assert {event.by_revision for event in stand.said(RunSuperseded, revision=1)} == {2}
    promises.kept(stand)
