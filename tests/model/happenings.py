"""All that can happen to the two stages in one state, each with what it breaks of the promises."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from services.deployer.run_state import WORKS, IllegalTransition
from tests.model.exploration import Step
from tests.model.moves import Moves
from tests.model.promises import broken_by
from tests.model.world import NEWEST, STAGES, Modes, World

Asked = Callable[[Moves, int], bool]
OPERATIONS: dict[str, Asked] = {
    "cancel": Moves.cancel,
    "retry": Moves.retry,
    "rollback": Moves.roll_back,
    "roll_forward": Moves.roll_forward,
    "stop": lambda moves, s: moves.stop(s, stopped=True),
}
ENDS = ("passes", "fails", "is unfit")


@dataclass(frozen=True)
class Happening:
    """Something that can happen, whatever carries it out."""

    what: str
    subject: int  # a revision, or a stage
    cost: int = 0
    modes: Modes = NEWEST  # of a plan

    def __str__(self) -> str:
        return " ".join([self.what, str(self.subject), *(self.modes if self.modes != NEWEST else ())])

    def to(self, moves: Moves) -> bool:
        """Have it happen; False when it is refused."""
        match self.what:
            case "plan":
                moves.plan(self.subject, self.modes)
            case "resume":
                return moves.stop(self.subject, stopped=False)
            case what if what in OPERATIONS:
                return OPERATIONS[what](moves, self.subject)
            case how:
                moves.finish(self.subject, how)
        return True


def happenings(world: World, left: int, plans: Sequence[Modes] = ()) -> Iterator[Happening]:
    """Yield what can happen; what a person asks for costs one, letting go of it again nothing.

    `plans`: the modes of the stages in the plan of each revision, newest unless said.
    """
    for revision, run in enumerate(world.stages[0].own, start=1):
        if run is None:
            yield Happening("plan", revision, modes=plans[revision - 1] if plans else NEWEST)
    for s in STAGES:
        held = world.stages[s].holder
        if held:
            for how in ENDS if held.state in WORKS else ("stops",):
                yield Happening(how, s)
        if world.stages[s].stopped:
            yield Happening("resume", s)
        for operation in OPERATIONS if left and world.planned else ():
            yield Happening(operation, s, cost=1)


def steps(
    world: World, left: int, plans: Sequence[Modes] = (), *, mark: bool = True, gate: bool = True
) -> Iterator[Step[World]]:
    """Yield every step from here that costs no more than is left."""
    for each in happenings(world, left, plans):
        moves = Moves(list(world.stages), mark, gate)
        try:
            accepted = each.to(moves)
        except (IllegalTransition, AssertionError) as error:
            yield Step(str(each), world, [f"S2: {error}"], each.cost)
            continue
        if accepted:
            after = moves.world
            yield Step(str(each), after, broken_by(world, moves.told, after), each.cost)
