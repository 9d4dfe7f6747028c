"""Revisions that follow each other at once are taken in one transaction, and it is as if they were not."""

from typing import Literal

import pytest

from services.deployer import handlers, tables
from shared.events import RunQueued, RunStarted, RunSucceeded, RunSuperseded
from shared.ids import Stage
from shared.plan import Plan
from tests.integration.deployer import promises
from tests.integration.deployer.stand import Stand, plan, planned

Queue = Literal["newest", "fifo"]
MANY = 12
TOGETHER_MAX = 5  # in one transaction: so there are three


@pytest.fixture(autouse=True)
def few_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handlers, "REVISIONS_MAX", TOGETHER_MAX)


def queued(revision: int, queue: Queue) -> Plan:
    fixed = plan(revision)
    stages = tuple(stage.model_copy(update={"queue": queue}) for stage in fixed.stages)
    return fixed.model_copy(update={"stages": stages})


async def burst(stand: Stand, queue: Queue) -> None:
    """Have all of them planned before the deployer looks, and deployed as far as they are."""
    await stand.say(*(planned(number, queued(number, queue)) for number in range(1, MANY + 1)))
    async with stand.running():
        await stand.until_said(RunSucceeded, stage="production", revision=MANY)
    assert promises.at_rest(stand)
    promises.kept(stand)


def started(stand: Stand, stage: str) -> list[int]:
    return [event.revision for event in stand.said(RunStarted, stage=Stage(stage))]


async def test_the_newest_is_deployed_and_those_in_between_give_way(stand: Stand) -> None:
    await burst(stand, "newest")
    for stage in ("staging", "production"):
        assert started(stand, stage)[-1] == MANY
        gave_way = {event.revision for event in stand.said(RunSuperseded, stage=Stage(stage))}
        assert gave_way | set(started(stand, stage)) == set(range(1, MANY + 1))
    assert len(started(stand, "staging")) <= 1 + MANY // TOGETHER_MAX


async def test_in_a_line_each_is_deployed_in_order(stand: Stand) -> None:
    await burst(stand, "fifo")
    assert started(stand, "staging") == started(stand, "production") == list(range(1, MANY + 1))


@pytest.mark.parametrize("queue", ["newest", "fifo"])
async def test_each_revision_has_its_runs_once_and_its_own_cause(stand: Stand, queue: Queue) -> None:
    await burst(stand, queue)
    told = [(event.stage, event.revision) for event in stand.said(RunQueued)]
    assert sorted(told) == sorted(
        (stage, n) for stage in ("staging", "production") for n in range(1, MANY + 1)
    )
    assert len({event.run for event in stand.said(RunQueued)}) == 2 * MANY


async def test_heard_twice_it_is_as_if_once(stand: Stand) -> None:
    stand.heard_twice = True
    await burst(stand, "newest")
    assert len(stand.rows(tables.revisions)) == MANY
    assert len(stand.said(RunQueued)) == 2 * MANY
