"""The model's state: the stages, and the processes and messages around them, of which any may fail.

Two replicas of the deployer hear messages that a bus delivers until they are acknowledged, to one replica,
to the other, or to both. Two workers claim orders under leases and show their fence with a result. What is
in the database survives a crash; what a process remembers does not.
"""

from typing import NamedTuple

from shared.events.runs import RunKind
from tests.model.happenings import Happening
from tests.model.world import NEWEST, Modes, World, fresh


class Hearing(NamedTuple):
    """A replica with a message in hand."""

    message: Happening
    committed: bool = False  # its transaction; what is left is to acknowledge
    read: World | None = None  # what it decides on; None: it reads when it writes, under the lock


class Order(NamedTuple):
    """The work of a run that holds its stage's lock."""

    kind: RunKind
    revision: int
    claimed: bool = False


class Claimed(NamedTuple):
    """A worker with an order in hand."""

    stage: int
    order: Order
    current: bool = True  # its fence is the order's; a later claim raised the order's above it


class System(NamedTuple):
    """All there is."""

    world: World
    unacknowledged: frozenset[Happening]
    inbox: frozenset[Happening] = frozenset()
    acted: frozenset[Happening] = frozenset()  # messages that changed something: no guard, but what is judged
    orders: tuple[Order | None, Order | None] = (None, None)  # by stage
    replicas: tuple[Hearing | None, Hearing | None] = (None, None)
    workers: tuple[Claimed | None, Claimed | None] = (None, None)

    @property
    def is_at_rest(self) -> bool:
        """Tell whether nothing can happen any more but new messages."""
        busy = [*self.replicas, *self.workers, *self.orders]
        return not self.unacknowledged and all(each is None for each in busy)

    def with_replica(self, place: int, replica: Hearing | None) -> "System":
        """Put a replica into this state; which of the two it is makes no difference."""
        first, second = sorted([replica, self.replicas[1 - place]], key=repr)
        return self._replace(replicas=(first, second))

    def with_worker(self, place: int, worker: Claimed | None) -> "System":
        """Put a worker into this state, likewise."""
        first, second = sorted([worker, self.workers[1 - place]], key=repr)
        return self._replace(workers=(first, second))


def begun(revisions: int, *operations: Happening, modes: Modes = NEWEST) -> System:
    """Return a system to which everything has been said and nothing has happened."""
    planned = [Happening("plan", revision, modes=modes) for revision in range(1, revisions + 1)]
    return System(fresh(revisions), frozenset([*planned, *operations]))
