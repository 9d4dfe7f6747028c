"""Goes to every state that can be reached, the cheapest first, and remembers the way to each."""

from collections import deque
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, TypeVar

S = TypeVar("S", bound=Hashable)


class Step(NamedTuple, Generic[S]):
    """One thing that can happen in a state."""

    label: str
    leads_to: S
    broken: list[str]  # promises
    cost: int = 0  # of what there is only so much of: a fault, something a person asks for


@dataclass
class Explored(Generic[S]):
    """What was found."""

    ways: dict[S, tuple[S, str] | None]  # how each state was come to: from where, by what
    steps: int = 0
    broken: list[tuple[S, Step[S]]] = field(default_factory=list)

    @property
    def states(self) -> int:
        """Return how many."""
        return len(self.ways)

    def way_to(self, state: S) -> list[str]:
        """Return a way from the start that costs least."""
        labels: list[str] = []
        while (came := self.ways[state]) is not None:
            state, label = came
            labels.append(label)
        return labels[::-1]

    @property
    def story(self) -> str:
        """Return a way to what broke first, one step a line; empty: nothing did."""
        if not self.broken:
            return ""
        state, step = self.broken[0]
        return "\n".join([*self.way_to(state), step.label, *(f"  -> {each}" for each in step.broken)])


def explore(start: S, steps_of: Callable[[S, int], Iterable[Step[S]]], budget: int = 0) -> Explored[S]:
    """Visit every state within the budget; done at once when a step breaks something.

    `steps_of` is asked for the steps of a state that cost no more than is left.
    """
    found = Explored[S]({start: None})
    at_cost: list[deque[S]] = [deque([start]), *(deque[S]() for _ in range(budget))]
    spent = {start: 0}
    for cost, todo in enumerate(at_cost):
        while todo:
            state = todo.popleft()
            if spent[state] < cost:
                continue  # there was a cheaper way
            for step in steps_of(state, budget - cost):
                together = cost + step.cost
                found.steps += 1
                if step.broken:
                    found.broken.append((state, step))
                    return found
                if together < spent.get(step.leads_to, budget + 1):
                    spent[step.leads_to] = together
                    found.ways[step.leads_to] = (state, step.label)
                    at_cost[together].append(step.leads_to)
    return found
