"""The model, whole: two replicas, two workers, any of which may crash or fall behind at any moment.

Every state is visited. Each guard, taken away, breaks a promise: so the model can tell, and the guard is
needed. What each is in the code, and which tests of the product hold it there, stands in docs/proofs.md.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator

import pytest

from tests.model.exploration import Explored, Step, explore
from tests.model.happenings import Happening
from tests.model.hostile import CRASH, Guards, Hostile
from tests.model.promises import PROMISES
from tests.model.system import System, begun

CANCEL = Happening("cancel", 0)
SYSTEMS = [
    pytest.param(begun(2), id="two revisions"),
    pytest.param(begun(1, CANCEL), id="one revision, and it is cancelled"),
    pytest.param(begun(2, CANCEL), id="two revisions, and one is cancelled"),
    pytest.param(begun(2, modes=("fifo", "fifo")), id="two revisions in line"),
]


class Progress:
    """Remembers which state leads to which without a fault: what must be enough to come to rest."""

    def __init__(self, guards: Guards) -> None:
        self._steps = Hostile(guards).steps
        self._before: dict[System, list[System]] = defaultdict(list)

    def steps(self, system: System, left: int) -> Iterator[Step[System]]:
        for step in self._steps(system, left):
            if CRASH not in step.label:
                self._before[step.leads_to].append(system)
            yield step

    def never_at_rest(self, found: Explored[System]) -> list[System]:
        """Return the states from which no way leads to rest, were there no further fault."""
        todo = [state for state in found.ways if is_over(state)]
        comes_to_rest = set(todo)
        while todo:
            new = set(self._before[todo.pop()]) - comes_to_rest
            comes_to_rest |= new
            todo.extend(new)
        return [state for state in found.ways if state not in comes_to_rest]


def is_over(system: System) -> bool:
    """Tell whether it is at rest with all that was said heard: nothing is lost (L1)."""
    planned = len(system.world.planned) == len(system.world.stages[0].own)
    return system.is_at_rest and planned and not any(stage.waiting for stage in system.world.stages)


@pytest.mark.timeout(240)
@pytest.mark.parametrize("start", SYSTEMS)
def test_whatever_crashes_repeats_or_falls_behind_the_promises_hold(
    start: System, record_property: Callable[[str, object], None]
) -> None:
    progress = Progress(Guards())
    found = explore(start, progress.steps)
    assert not found.story, found.story
    stuck = progress.never_at_rest(found)
    assert not stuck, "\n".join(found.way_to(stuck[0]))
    asked = f"{len(start.world.stages[0].own)} revisions, {len(start.unacknowledged)} messages"
    told = f"{found.states} states, {found.steps} steps; {', '.join(PROMISES)} hold, each comes to rest"
    record_property("explored", f"replicas, workers and crashes: {asked}: {told}")


@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    ("without", "promise"),
    [
        pytest.param(Guards(mark=False), "S5", id="the high-water mark"),
        pytest.param(Guards(fence=False), "S2", id="the fence"),
        pytest.param(Guards(inbox=False), "S2", id="the inbox"),
        pytest.param(Guards(lock=False), "L1, waiting", id="the pipeline's lock"),
        pytest.param(Guards(lock=False, compare=False), "S2", id="the lock and compare-and-set"),
        pytest.param(Guards(lock=False, index=False), "S1", id="the lock and the index"),
    ],
)
def test_without_a_guard_a_promise_is_broken(without: Guards, promise: str) -> None:
    found = explore(begun(2, CANCEL), Hostile(without).steps)
    assert promise in {each.partition(":")[0] for _, step in found.broken for each in step.broken}, (
        found.story
    )


@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    "without",
    [
        pytest.param(Guards(lapse=False), id="leases that lapse"),
        pytest.param(Guards(patience=False), id="acknowledging after the commit"),
    ],
)
def test_without_it_a_crash_leaves_something_undone_for_ever(without: Guards) -> None:
    progress = Progress(without)
    found = explore(begun(2), progress.steps)
    assert not found.story, found.story
    assert progress.never_at_rest(found)
