"""The real deployer against the model, state by state: what happens leads both to the same place.

Complete for two revisions and one thing that people ask for, to the end of every story: every state that can
be reached is gone to, and all that can happen there is done to the real handlers on a real database. Beyond
that, long stories taken by lot, whose promises test_enumeration.py has proved on the model.
"""

from collections.abc import Callable, Iterator, Sequence
from random import Random

import pytest

from tests.model.deployed import Deployed
from tests.model.exploration import Step, explore
from tests.model.happenings import Happening, happenings
from tests.model.moves import Moves
from tests.model.promises import broken_by
from tests.model.world import NEWEST, Modes, World, fresh

LINE: Modes = ("fifo", "fifo")
STORIES, LENGTH = 8, 20  # by lot: how many, of how many happenings at most


def expected(world: World, happening: Happening) -> tuple[World, list[str]]:
    """Return where the model goes, and what that breaks."""
    moves = Moves(list(world.stages))
    happening.to(moves)
    return moves.world, broken_by(world, moves.told, moves.world)


def differences(deployed: Deployed, world: World, happening: Happening) -> list[str]:
    """Have it happen to the real one; return how that differs from what the model makes of it."""
    goes_to, broken = expected(world, happening)
    deployed.happen(happening)
    if deployed.world == goes_to:
        return broken
    return [f"model:    {goes_to}", f"deployer: {deployed.world}", *broken]


class Beside:
    """The real deployer and the model side by side, in every state."""

    def __init__(self, plans: Sequence[Modes]) -> None:
        self.start = fresh(len(plans))
        self._plans = plans
        self._deployed = Deployed(len(plans))
        self._pictures = {self.start: self._deployed.database.picture}

    def steps(self, world: World, left: int) -> Iterator[Step[World]]:
        """Do to the real one all that can happen there."""
        for each in happenings(world, left, self._plans):
            self._deployed.database.restore(self._pictures[world])
            different = differences(self._deployed, world, each)
            goes_to = self._deployed.world
            if goes_to not in self._pictures:
                self._pictures[goes_to] = self._deployed.database.picture
            yield Step(str(each), goes_to, different, each.cost)


@pytest.mark.timeout(180)
@pytest.mark.parametrize(
    ("plans", "asked"),
    [
        pytest.param([NEWEST], 1, id="one revision"),
        pytest.param([NEWEST] * 2, 1, id="two revisions"),
        pytest.param([LINE] * 2, 1, id="two revisions in line"),
    ],
)
def test_every_story_leads_the_deployer_where_it_leads_the_model(
    plans: list[Modes], asked: int, record_property: Callable[[str, object], None]
) -> None:
    beside = Beside(plans)
    found = explore(beside.start, beside.steps, asked)
    assert not found.story, found.story
    told = f"{found.states} states, {found.steps} steps, none different"
    modes = f"{len(plans)} revisions, {plans[0][0]}, {asked} asked"
    record_property("explored", f"the real deployer: {modes}: {told}")


@pytest.mark.parametrize("lot", range(STORIES))
def test_a_long_story_by_lot_leads_the_deployer_where_it_leads_the_model(lot: int) -> None:
    chance, deployed, world = Random(lot), Deployed(4), fresh(4)
    plans: list[Modes] = [chance.choice([NEWEST, LINE, ("newest", "fifo")]) for _ in range(4)]
    plans = plans if lot % 2 else [LINE] * 4
    told: list[str] = []
    for _ in range(LENGTH):
        possible = list(happenings(world, 1, plans))
        accepted = [each for each in possible if expected(world, each)[0] != world]
        if not accepted:
            break
        happening = chance.choice(accepted)
        told.append(str(happening))
        different = differences(deployed, world, happening)
        assert not different, "\n".join([*told, *different])
        world = deployed.world
