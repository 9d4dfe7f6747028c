"""The model's transitions: what each process may do next, and how it may fail at any moment.

Every guard can be taken away, to see which promise it holds.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from services.deployer.run_state import HOLDS_LOCK, WORKS, IllegalTransition
from tests.model.exploration import Step
from tests.model.moves import Moves
from tests.model.promises import broken_by, one_run_holds_a_stage
from tests.model.system import Claimed, Hearing, Order, System
from tests.model.world import STAGES, Own, Stage, World

BOTH = (0, 1)
CRASH = "crashes"  # in the label of each fault: all else is progress


@dataclass(frozen=True)
class Guards:
    """What keeps the promises."""

    inbox: bool = True  # what was heard is not heard again
    mark: bool = True  # the high-water mark
    fence: bool = True  # a result under an old fence is refused
    lapse: bool = True  # a lease lapses: what a dead worker had in hand is claimed again
    patience: bool = True  # a message is acknowledged after the commit and not before
    lock: bool = True  # nobody else decides about the pipeline between reading and writing
    compare: bool = True  # a run's row is written only where its state is as it was read
    index: bool = True  # the database allows one holder of a stage, and one that waits


@dataclass(frozen=True)
class Hostile:
    """The system under these guards."""

    guards: Guards = Guards()

    def steps(self, system: System, _left: int) -> Iterator[Step[System]]:
        """Yield all that can happen next."""
        for place in BOTH:
            yield from self._replica(system, place)
            yield from self._worker(system, place)

    def _replica(self, system: System, place: int) -> Iterator[Step[System]]:
        """Until it commits, a replica under both these guards does nothing that a crash would not undo."""
        hearing = system.replicas[place]
        if hearing is None:
            at_once = self.guards.lock and self.guards.patience
            for message in sorted(system.unacknowledged, key=str):
                taken = Hearing(message)
                yield self._commits(system, place, taken) if at_once else self._takes(system, place, taken)
            return
        yield Step(f"a replica {CRASH} with {hearing.message}", system.with_replica(place, None), [])
        if hearing.committed:
            left = system.unacknowledged - {hearing.message}
            acknowledged = system.with_replica(place, None)._replace(unacknowledged=left)
            yield Step(f"a replica acknowledges {hearing.message}", acknowledged, [])
        elif self.guards.lock or hearing.read:
            yield self._commits(system, place, hearing)
        else:
            read = system.with_replica(place, hearing._replace(read=system.world))
            yield Step(f"a replica reads for {hearing.message}", read, [])

    def _takes(self, system: System, place: int, hearing: Hearing) -> Step[System]:
        taken = system.with_replica(place, hearing)
        if not self.guards.patience:
            taken = taken._replace(unacknowledged=system.unacknowledged - {hearing.message})
        return Step(f"a replica takes {hearing.message}", taken, [])

    def _commits(self, system: System, place: int, hearing: Hearing) -> Step[System]:
        label = f"a replica commits {hearing.message}"
        over = system.with_replica(place, Hearing(hearing.message, committed=True))
        if self.guards.inbox and hearing.message in system.inbox:
            return Step(label, over, [])
        read = hearing.read or system.world
        moves = self._moves(read)
        try:
            hearing.message.to(moves)
        except (IllegalTransition, AssertionError) as error:
            return Step(label, over, [f"S2: {error}"])
        world = self._written(read, moves.world, system.world)
        if world is None:
            return Step(f"{label}: refused", system.with_replica(place, Hearing(hearing.message)), [])
        broken = broken_by(system.world, moves.told, world)
        changed = moves.world != read
        if changed and hearing.message in system.acted:
            broken.append(f"S3: {hearing.message} acts twice")
        after = over._replace(
            world=world,
            inbox=system.inbox | {hearing.message},
            acted=system.acted | {hearing.message} if changed else system.acted,
        )
        return Step(label, _ordered(after), broken)

    def _written(self, read: World, decided: World, now: World) -> World | None:
        """Return what is committed of what was decided; None: the database refuses it."""
        if read == now:
            return decided
        stages = [self._merged(*each) for each in zip(read.stages, decided.stages, now.stages, strict=True)]
        if None in stages:
            return None
        world = World((stages[0], stages[1]))  # type: ignore[arg-type]  # neither is None
        if self.guards.index and list(one_run_holds_a_stage(now, (), world)):
            return None
        return world

    def _merged(self, read: Stage, decided: Stage, now: Stage) -> Stage | None:
        """Write what the decision changed over what is there by now, row by row."""
        own: list[Own | None] = []
        for was, chosen, there in zip(read.own, decided.own, now.own, strict=True):
            stale = chosen != was and (was and was.state) != (there and there.state)
            if stale and self.guards.compare:
                return None
            own.append(there if chosen == was else chosen)
        changed = {name: getattr(decided, name) for name in decided._fields[1:]}
        kept = {name: value for name, value in changed.items() if value != getattr(read, name)}
        return now._replace(own=tuple(own), **kept)

    def _worker(self, system: System, place: int) -> Iterator[Step[System]]:
        claimed = system.workers[place]
        if claimed is None:
            for s in STAGES:
                order = system.orders[s]
                if order and (self.guards.lapse or not order.claimed):
                    yield _claims(system, place, s, order)
            return
        yield Step(f"a worker {CRASH} in stage {claimed.stage}", system.with_worker(place, None), [])
        done = system.with_worker(place, None)
        if self.guards.fence and not claimed.current:
            yield Step(f"a late worker is refused in stage {claimed.stage}", done, [])
            return
        for how in ("passes", "fails"):
            yield self._writes(system, done, claimed, how)

    def _writes(self, system: System, done: System, claimed: Claimed, how: str) -> Step[System]:
        """A result is written in the same transaction as what follows from it."""
        label = f"a worker writes that {claimed.order.revision} {how} in stage {claimed.stage}"
        holder = system.world.stages[claimed.stage].holder
        if holder is None or (holder.kind, holder.revision) != claimed.order[:2]:
            return Step(label, done, ["S2: a run that is over gets another result"])
        moves = self._moves(system.world)
        moves.finish(claimed.stage, how if holder.state in WORKS else "stops")
        after = done._replace(world=moves.world, orders=_without(system.orders, claimed.stage))
        return Step(label, _ordered(after), broken_by(system.world, moves.told, moves.world))

    def _moves(self, world: World) -> Moves:
        return Moves(list(world.stages), mark=self.guards.mark)


def _claims(system: System, place: int, s: int, order: Order) -> Step[System]:
    """Claim an order nobody has; or one whose lease lapsed, which it may also under a worker that is slow."""
    workers = tuple(
        each and each._replace(current=each.current and each.stage != s) for each in system.workers
    )
    orders = tuple(
        each and each._replace(claimed=each.claimed or at == s) for at, each in enumerate(system.orders)
    )
    claimed = system._replace(workers=(workers[0], workers[1]), orders=(orders[0], orders[1]))
    return Step(f"a worker claims stage {s}", claimed.with_worker(place, Claimed(s, order)), [])


def _without(orders: tuple[Order | None, Order | None], s: int) -> tuple[Order | None, Order | None]:
    return (None if s == 0 else orders[0], None if s == 1 else orders[1])


def _ordered(system: System) -> System:
    """Order the work of whoever holds a lock by now: in the transaction that gave it."""
    orders = [_order(system, s) for s in STAGES]
    return system._replace(orders=(orders[0], orders[1]))


def _order(system: System, s: int) -> Order | None:
    holder, order = system.world.stages[s].holder, system.orders[s]
    if holder is None or holder.state not in HOLDS_LOCK:
        return None
    same = order is not None and (order.kind, order.revision) == (holder.kind, holder.revision)
    return order if same else Order(holder.kind, holder.revision)
