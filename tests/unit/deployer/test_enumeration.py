"""Every story of up to four revisions through two stages, against the promises.

Revisions arrive in any order, runs pass, fail, prove unfit or are stopped at any time, and people ask for
anything: cancel, retry, rollback, roll-forward, stop and resume. The decisions are the product's own
(`stage_queue`, `admission`, `rollback`, `run_state`), the states all that can be reached.
"""

from collections.abc import Callable, Iterator

import pytest

from tests.model.exploration import Step, explore
from tests.model.happenings import steps
from tests.model.promises import PROMISES
from tests.model.world import NEWEST, Modes, World, fresh

STORIES = [  # revisions, things people ask for; each to the end of every story
    pytest.param(4, 1),
    pytest.param(2, 3),
    pytest.param(3, 2, marks=pytest.mark.long),
    pytest.param(2, 4, marks=pytest.mark.long),
]
LINE: Modes = ("fifo", "fifo")
LINES = [  # the modes of the stages in each revision's plan, things people ask for
    pytest.param([LINE] * 3, 1, id="every commit is deployed"),
    pytest.param([LINE] * 2, 2, id="every commit is deployed, two asked"),
    pytest.param([("fifo", "newest")] * 3, 1, id="a line, and then the newest"),
    pytest.param([("newest", "fifo")] * 3, 1, id="the newest, and then a line"),
    pytest.param([LINE, NEWEST, LINE], 1, id="the mode changes, from a line"),
    pytest.param([NEWEST, LINE, NEWEST], 1, id="the mode changes, to a line"),
    pytest.param([LINE, LINE, LINE, NEWEST], 0, id="the mode changes while several wait"),
    pytest.param([LINE] * 4, 1, marks=pytest.mark.long, id="every commit of four is deployed"),
    pytest.param([LINE] * 3, 2, marks=pytest.mark.long, id="three commits, two asked"),
]


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("revisions", "asked"), STORIES)
def test_every_story_keeps_the_promises(
    revisions: int, asked: int, record_property: Callable[[str, object], None]
) -> None:
    found = explore(fresh(revisions), steps, asked)
    assert not found.story, found.story
    assert any(world.planned == list(range(1, revisions + 1)) for world in found.ways)
    told = f"{found.states} states, {found.steps} steps, {', '.join(PROMISES)} hold"
    record_property("explored", f"two stages: {revisions} revisions, {asked} asked: {told}")


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("plans", "asked"), LINES)
def test_every_story_keeps_the_promises_where_every_commit_is_deployed(
    plans: list[Modes], asked: int, record_property: Callable[[str, object], None]
) -> None:
    found = explore(fresh(len(plans)), lambda world, left: steps(world, left, plans), asked)
    assert not found.story, found.story
    assert any(world.planned == list(range(1, len(plans) + 1)) for world in found.ways)
    modes = ", then ".join(dict.fromkeys("/".join(plan) for plan in plans))
    told = f"{len(plans)} revisions, {asked} asked: {found.states} states, {found.steps} steps"
    record_property("explored", f"two stages, {modes}: {told}, {', '.join(PROMISES)} hold")


def test_a_line_of_commits_is_deployed_one_after_the_other() -> None:
    found = explore(fresh(3), lambda world, left: steps(world, left, [LINE] * 3))
    lines = [world for world in found.ways if world.stages[1].waiting == [2, 3]]
    assert lines, "two may wait"
    ends = [
        world for world in found.ways if not any(s.holder for s in world.stages) and len(world.planned) == 3
    ]
    assert any(world.stages[1].good == (3, 2, 1) for world in ends)


@pytest.mark.parametrize(
    ("guard", "promise"),
    [
        pytest.param("mark", "S5", id="the high-water mark"),
        pytest.param("gate", "stops", id="the admission gate"),
    ],
)
def test_without_a_guard_a_promise_is_broken(guard: str, promise: str) -> None:
    def unguarded(world: World, left: int) -> Iterator[Step[World]]:
        return steps(world, left, mark=guard != "mark", gate=guard != "gate")

    found = explore(fresh(3), unguarded, 1)
    broken = {each.partition(":")[0] for _, step in found.broken for each in step.broken}
    assert broken == {promise}, found.story
