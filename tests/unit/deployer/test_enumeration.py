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
from tests.model.world import World, fresh

STORIES = [  # revisions, things people ask for; each to the end of every story
    pytest.param(4, 1),
    pytest.param(2, 3),
    pytest.param(3, 2, marks=pytest.mark.long),
    pytest.param(2, 4, marks=pytest.mark.long),
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


@pytest.mark.parametrize(
    ("guard", "promise"),
    [
        pytest.param("mark", "superseding", id="the high-water mark"),
        pytest.param("gate", "stops", id="the admission gate"),
    ],
)
def test_without_a_guard_a_promise_is_broken(guard: str, promise: str) -> None:
    def unguarded(world: World, left: int) -> Iterator[Step[World]]:
        return steps(world, left, mark=guard != "mark", gate=guard != "gate")

    found = explore(fresh(3), unguarded, 1)
    broken = {each.partition(":")[0] for _, step in found.broken for each in step.broken}
    assert broken == {promise}, found.story
