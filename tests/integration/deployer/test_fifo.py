"""A stage where every commit is deployed: all wait in line, and the oldest goes first."""

from typing import Any

import pytest

from services.deployer import tables
from services.deployer.waits import AHEAD_TOLD_MAX
from shared.events import (
    OperationAccepted,
    OperationRefused,
    RevisionPlanned,
    RunCancelled,
    RunFailed,
    RunQueued,
    RunStarted,
    RunSucceeded,
    RunSuperseded,
    RunTimedOut,
    RunWaiting,
    StageHeld,
    Wait,
)
from shared.plan import Plan
from shared.window import Opening, Window
from tests.integration.deployer import promises
from tests.integration.deployer.stand import SERVICE, Stand, plan, planned, step
from tests.integration.replicas import STORES

NEVER = Window(name="later", openings=(Opening(day="sun", opens="10:00", closes="11:00"),))
ONE_STAGE = ("staging",)
LINE, NEWEST = "fifo", "newest"


def scripts(number: int, *modes: str, window: Window | None = None) -> RevisionPlanned:
    """A revision that builds nothing; with a mode for each of its stages."""
    of = modes or (LINE,)
    names = ("staging", "production")[: len(of)]
    made: Plan = plan(number, steps=(step("a"),), stages=names, window=window)
    stages = [stage.model_copy(update={"queue": mode}) for stage, mode in zip(made.stages, of, strict=True)]
    return planned(number, made.model_copy(update={"artifacts": (), "stages": tuple(stages)}))


async def until_in_line(stand: Stand, *revisions: int, stage: str = "staging") -> None:
    """Wait until exactly these wait for the stage."""
    await stand.until(lambda: line(stand, stage) == [*revisions])


def line(stand: Stand, stage: str) -> list[int]:
    rows = [row for row in stand.rows(tables.runs) if row["stage"] == stage and row["state"] == "Not Started"]
    return sorted(row["revision"] for row in rows if row["ready"])


def last_wait(stand: Stand, revision: int, stage: str = "staging") -> Wait:
    wait: Wait = stand.said(RunWaiting, revision=revision, stage=stage)[-1].wait
    return wait


def started(stand: Stand, stage: str = "staging") -> list[int]:
    return [event.revision for event in stand.said(RunStarted, stage=stage)]


@pytest.mark.parametrize("stand", STORES, indirect=True)
@pytest.mark.parametrize("twice", [False, True], ids=["heard once", "heard twice"])
async def test_every_commit_is_deployed_in_order_in_every_stage(stand: Stand, twice: bool) -> None:
    stand.heard_twice = twice
    let_go = stand.carrier.hold("a", "staging")
    async with stand.running():
        for number in (1, 2, 3, 4):
            await stand.say(scripts(number, LINE, LINE))
        await until_in_line(stand, 2, 3, 4)
        let_go.set()
        await stand.until_said(RunSucceeded, revision=4, stage="production")
        await promises.rest(stand)
    promises.kept(stand)
    assert started(stand) == started(stand, "production") == [1, 2, 3, 4]
    assert not stand.said(RunSuperseded)


async def test_whoever_waits_says_who_is_before_it(stand: Stand) -> None:
    stand.carrier.hold("a", "staging")
    async with stand.running():
        for number in (1, 2, 3, 4):
            await stand.say(scripts(number))
        await until_in_line(stand, 2, 3, 4)
        await stand.until_said(RunWaiting, revision=4)
    first, second, third = (last_wait(stand, number) for number in (2, 3, 4))
    assert {wait.reason for wait in (first, second, third)} == {"lock"}
    assert first.blocked_by == "revision 1 is In Progress here"
    assert second.blocked_by == "revision 1 is In Progress here, and revision 2 is before it"
    assert third.blocked_by == "revision 1 is In Progress here, and revisions 2 and 3 are before it"
    assert third.released_by == "the end of revision 1's run; then the end of the runs of 2 and 3"
    assert first.deadline is not None
    assert second.deadline is third.deadline is None, "nobody knows how long the ones before it take"


async def test_a_long_line_says_little_when_one_goes_on(stand: Stand) -> None:
    count = 12
    let_go = stand.carrier.hold("a", "staging")
    async with stand.running():
        for number in range(1, count + 1):
            await stand.say(scripts(number))
        await until_in_line(stand, *range(2, count + 1))
        await stand.until_said(RunWaiting, revision=count)
        wait = last_wait(stand, count)
        let_go.set()
        await stand.until_said(RunSucceeded, revision=count)
        await promises.rest(stand)
    assert wait.blocked_by == f"revision {count - 1} is before it in line, and others before that one"
    assert started(stand) == [*range(1, count + 1)]
    assert len(stand.said(RunWaiting, revision=count)) <= AHEAD_TOLD_MAX + 4


async def test_while_the_first_is_kept_all_wait_and_say_why(stand: Stand) -> None:
    async with stand.running():
        await stand.say(scripts(1, window=NEVER), scripts(2))
        await until_in_line(stand, 1, 2)
        await stand.until_said(RunWaiting, revision=2)
        assert last_wait(stand, 2).reason == "window"
        assert last_wait(stand, 2).blocked_by.endswith(", and revision 1 is before it")
        await stand.answer("roll_forward", "staging", revision=1)
        await stand.until_said(RunSucceeded, revision=2)
        await promises.rest(stand)
    assert not stand.said(RunSuperseded, revision=2)


async def test_a_stopped_stage_lets_its_line_go_on_in_order(stand: Stand) -> None:
    async with stand.running():
        await stand.say(scripts(1))
        await stand.until_said(RunSucceeded, revision=1)
        await stand.answer("stop", "staging")
        await stand.say(scripts(2), scripts(3))
        await until_in_line(stand, 2, 3)
        await stand.answer("cancel", "staging")
        await stand.until_said(RunCancelled, revision=2)
        await stand.say(scripts(4))
        await until_in_line(stand, 3, 4)
        await stand.answer("resume", "staging")
        await stand.until_said(RunSucceeded, revision=4)
    assert started(stand) == [1, 3, 4]


async def test_what_fails_keeps_nobody_waiting(stand: Stand) -> None:
    stand.carrier.failing = {"a"}
    async with stand.running():
        await stand.say(scripts(1, LINE, LINE))
        await stand.until_said(RunFailed, revision=1)
        stand.carrier.failing = set()
        await stand.say(scripts(2, LINE, LINE), scripts(3, LINE, LINE))
        await stand.until_said(RunSucceeded, revision=3, stage="production")
        await promises.rest(stand)
    assert started(stand, "production") == [2, 3]
    (passed_by,) = stand.said(RunSuperseded)
    assert (passed_by.revision, passed_by.stage, passed_by.by_revision) == (1, "production", 2)


@pytest.mark.parametrize("behind", [LINE, NEWEST])
async def test_a_stage_behind_a_line_keeps_its_own_mode(stand: Stand, behind: str) -> None:
    let_go = stand.carrier.hold("a", "production")
    async with stand.running():
        for number in (1, 2, 3, 4):
            await stand.say(scripts(number, LINE, behind))
        await stand.until_said(RunSucceeded, revision=4, stage="staging")
        await until_in_line(stand, *((2, 3, 4) if behind == LINE else (4,)), stage="production")
        let_go.set()
        await stand.until_said(RunSucceeded, revision=4, stage="production")
    assert started(stand) == [1, 2, 3, 4]
    assert started(stand, "production") == ([1, 2, 3, 4] if behind == LINE else [1, 4])


async def test_a_line_behind_the_newest_gets_what_comes_through(stand: Stand) -> None:
    let_go = stand.carrier.hold("a", "staging")
    async with stand.running():
        for number in (1, 2, 3):
            await stand.say(scripts(number, NEWEST, LINE))
        await stand.until_said(RunSuperseded, revision=2, stage="production")
        let_go.set()
        await stand.until_said(RunSucceeded, revision=3, stage="production")
    assert started(stand) == started(stand, "production") == [1, 3]


async def test_a_retry_goes_in_line_at_its_revisions_place(stand: Stand) -> None:
    stand.carrier.failing = {"a"}
    async with stand.running():
        await stand.say(scripts(1))
        await stand.until_said(RunFailed, revision=1)
        stand.carrier.failing = set()
        await stand.answer("stop", "staging")
        await stand.say(scripts(2), scripts(3))
        await until_in_line(stand, 2, 3)
        assert isinstance(await stand.answer("retry", "staging"), OperationAccepted)
        await until_in_line(stand, 1, 2, 3)
        await stand.answer("resume", "staging")
        await stand.until_said(RunSucceeded, revision=3)
    assert started(stand) == [1, 1, 2, 3]
    assert not stand.said(RunSuperseded)


async def test_a_retry_is_refused_when_a_newer_revision_has_begun(stand: Stand) -> None:
    stand.carrier.failing = {"a"}
    async with stand.running():
        await stand.say(scripts(1))
        failed = await stand.until_said(RunFailed, revision=1)
        stand.carrier.failing = set()
        stand.carrier.hold("a", "staging")
        await stand.say(scripts(2))
        await stand.until_said(RunStarted, revision=2)
        refused = await stand.answer("retry", "staging", run=failed.run)
    assert isinstance(refused, OperationRefused)
    assert refused.message == "revision 2, which is newer, is In Progress in staging"


async def test_an_older_revision_that_comes_when_a_newer_one_began_gives_way(stand: Stand) -> None:
    stand.carrier.hold("a", "staging")
    async with stand.running():
        await stand.say(scripts(2))
        await stand.until_said(RunStarted, revision=2)
        await stand.say(scripts(1), scripts(3))
        late = await stand.until_said(RunSuperseded, revision=1)
        await until_in_line(stand, 3)
    assert late.by_revision == 2


async def test_an_older_revision_that_comes_in_time_goes_first(stand: Stand) -> None:
    let_go = stand.carrier.hold("a", "staging")
    async with stand.running():
        await stand.say(scripts(1), scripts(3))
        await until_in_line(stand, 3)
        await stand.say(scripts(2))
        await until_in_line(stand, 2, 3)
        let_go.set()
        await stand.until_said(RunSucceeded, revision=3)
    assert started(stand) == [1, 2, 3]


async def test_a_roll_forward_passes_by_what_is_older_and_leaves_what_is_newer(stand: Stand) -> None:
    async with stand.running():
        await stand.say(scripts(1, window=NEVER), scripts(2), scripts(3), scripts(4))
        await until_in_line(stand, 1, 2, 3, 4)
        await stand.answer("roll_forward", "staging", revision=3)
        await stand.until_said(RunSucceeded, revision=4)
    assert sorted(event.revision for event in stand.said(RunSuperseded)) == [1, 2, 3]
    assert started(stand) == [3, 4]


async def test_a_rollback_calls_off_what_waits_of_the_revision_on_hold_alone(stand: Stand) -> None:
    async with stand.running():
        await stand.say(scripts(1))
        await stand.until_said(RunSucceeded, revision=1)
        stand.clock.advance(1)
        stand.carrier.failing = {"a"}
        await stand.say(scripts(2))
        await stand.until_said(RunFailed, revision=2)
        stand.carrier.failing = set()
        stand.clock.advance(1)
        await stand.answer("stop", "staging")
        await stand.say(scripts(3), scripts(4))
        await stand.answer("retry", "staging")
        await until_in_line(stand, 2, 3, 4)
        await stand.answer("rollback", "staging")
        await stand.until_said(RunSucceeded, kind="rollback", revision=1)
        await stand.answer("resume", "staging")
        await stand.until_said(RunSucceeded, revision=4)
    assert [event.revision for event in stand.said(RunCancelled)] == [2]
    assert [event.revision for event in stand.said(StageHeld)] == [2]
    assert started(stand) == [1, 2, 1, 3, 4]


@pytest.mark.parametrize("stand", STORES, indirect=True)
async def test_from_newest_to_fifo_whoever_waits_goes_in_line(stand: Stand) -> None:
    let_go = stand.carrier.hold("a", "staging")
    async with stand.running():
        for number, mode in ((1, NEWEST), (2, NEWEST), (3, NEWEST), (4, LINE), (5, LINE)):
            await stand.say(scripts(number, mode))
        await until_in_line(stand, 3, 4, 5)
        let_go.set()
        await stand.until_said(RunSucceeded, revision=5)
        await promises.rest(stand)
    promises.kept(stand)
    assert started(stand) == [1, 3, 4, 5]
    assert [(event.revision, event.by_revision) for event in stand.said(RunSuperseded)] == [(2, 3)]


@pytest.mark.parametrize("stand", STORES, indirect=True)
async def test_from_fifo_to_newest_the_newest_of_the_line_is_left(stand: Stand) -> None:
    let_go = {name: stand.carrier.hold("a", name) for name in ("production", "staging")}
    let_go["staging"].set()
    async with stand.running():
        for number in (1, 2, 3):
            await stand.say(scripts(number, LINE, LINE))
        await until_in_line(stand, 2, 3, stage="production")
        stand.carrier.failing = {"a"}
        await stand.say(scripts(4, LINE, NEWEST))  # which never comes there
        await stand.until_said(RunFailed, revision=4, stage="staging")
        stand.carrier.failing = set()
        await until_in_line(stand, 3, stage="production")
        let_go["production"].set()
        await stand.until_said(RunSucceeded, revision=3, stage="production")
        await promises.rest(stand)
    promises.kept(stand)
    assert started(stand, "production") == [1, 3]
    (gave_way,) = stand.said(RunSuperseded, revision=2)
    assert gave_way.by_revision == 3
    (row,) = [row for row in stand.rows(tables.runs) if row["revision"] == 3 and row["stage"] == "production"]
    assert not row["in_line"], "one alone waits, and the database sees to it"


async def test_a_crash_in_a_line_changes_nothing_about_it(stand: Stand) -> None:
    let_go = stand.carrier.hold("a", "staging")
    async with stand.running():
        await stand.say(scripts(1), scripts(2), scripts(3))
        await until_in_line(stand, 2, 3)
    async with stand.running():
        let_go.set()
        await stand.until_said(RunSucceeded, revision=3)
        await promises.rest(stand)
    promises.kept(stand)
    assert started(stand) == [1, 2, 3]


async def test_a_deployment_whose_time_is_over_leaves_the_line(stand: Stand) -> None:
    def limited(number: int) -> RevisionPlanned:
        event = scripts(number, LINE, LINE)
        return planned(number, event.plan.model_copy(update={"timeout_seconds": 50.0}))

    stand.carrier.hold("a", "production")
    async with stand.running():
        await stand.say(scripts(1, LINE, LINE), limited(2), scripts(3, LINE, LINE))
        await until_in_line(stand, 2, 3, stage="production")
        stand.clock.advance(51)
        over = await stand.until_said(RunTimedOut, revision=2, stage="production")
        await until_in_line(stand, 3, stage="production")
    assert "time limit" in over.evidence.message


async def _switched_without_a_candidate(stand: Stand) -> None:
    """Bring revision 3 to its address, and let its run fail after that with nothing to go back to."""
    async with stand.running():
        stand.carrier.failing = {"a"}
        for number in (1, 2):
            await stand.say(services(number))
            await stand.until_said(RunFailed, revision=number)
            stand.clock.advance(1)
        stand.carrier.failing = {"b"}
        await stand.say(services(3))
        await stand.until_said(RunFailed, revision=3)
        stand.clock.advance(1)
        stand.carrier.failing = set()


def services(number: int) -> RevisionPlanned:
    steps = (step("a"), step("web", SERVICE, "a"), step("b", "SCRIPT:EXECUTE", "web"))
    return planned(number, plan(number, steps=steps, stages=ONE_STAGE))


@pytest.mark.parametrize("operation", ["roll_forward", "retry"])
async def test_nothing_goes_behind_what_users_see_but_a_rollback(stand: Stand, operation: str) -> None:
    await _switched_without_a_candidate(stand)
    first = next(event for event in stand.said(RunQueued, revision=1))
    which: dict[str, Any] = {"run": first.run} if operation == "retry" else {"revision": 1}
    async with stand.running():
        refused = await stand.answer(operation, "staging", **which)
        assert isinstance(refused, OperationRefused)
        assert refused.message.startswith("staging serves revision 3, which is newer, though its run")
        insisted: dict[str, Any] = {} if operation == "retry" else {"revision": 3}
        again = await stand.answer(operation, "staging", **insisted)
        assert isinstance(again, OperationAccepted)
        await stand.until_said(RunSucceeded, revision=3)
    assert set(started(stand)) == {1, 2, 3}
