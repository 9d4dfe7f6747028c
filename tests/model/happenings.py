"""All that can happen to the two stages in one state, each with what it breaks of the promises."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from services.deployer.run_state import WORKS, IllegalTransition
from tests.model.exploration import Step
from tests.model.moves import Moves
from tests.model.promises import broken_by
from tests.model.world import STAGES, World

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

    def __str__(self) -> str:
        return f"{self.what} {self.subject}"

    def to(self, moves: Moves) -> bool:
        """Have it happen; False when it is refused."""
        match self.what:
            case "plan":
                moves.plan(self.subject)
            case "resume":
                return moves.stop(self.subject, stopped=False)
            case what if what in OPERATIONS:
                return OPERATIONS[what](moves, self.subject)
            case how:
                moves.finish(self.subject, how)
        return True


def happenings(world: World, left: int) -> Iterator[Happening]:
    """Yield what can happen; what a person asks for costs one, letting go of it again nothing."""
    for revision, run in enumerate(world.stages[0].own, start=1):
        if run is None:
            yield Happening("plan", revision)
    for s in STAGES:
        held = world.stages[s].holder
        if held:
            for how in ENDS if held.state in WORKS else ("stops",):
                yield Happening(how, s)
        if world.stages[s].stopped:
            yield Happening("resume", s)
        for operation in OPERATIONS if left and world.planned else ():
            yield Happening(operation, s, cost=1)


def steps(world: World, left: int, *, mark: bool = True, gate: bool = True) -> Iterator[Step[World]]:
    """Yield every step from here that costs no more than is left."""
    for each in happenings(world, left):
        moves = Moves(list(world.stages), mark, gate)
        try:
            accepted = each.to(moves)
        except (IllegalTransition, AssertionError) as error:
            yield Step(str(each), world, [f"S2: {error}"], each.cost)
            continue
        if accepted:
            after = moves.world
            yield Step(str(each), after, broken_by(world, moves.told, after), each.cost)
