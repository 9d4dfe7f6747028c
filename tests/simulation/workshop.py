"""The builder's bench and store, in the world: builds go on when whoever ordered them is gone."""

import asyncio
from dataclasses import dataclass, field
from hashlib import sha256

from services.builder.build_run import BuildAnswer, BuildFailed, BuildOrder, BuildStopped, Built, impossible
from services.builder.build_worker import PublishedLog
from shared.artifacts import Missing, Stored
from shared.events import Evidence, LogLine
from shared.ids import Digest
from tests.simulation.virtual_loop import pause
from tests.simulation.world import TRANSIENT, World


@dataclass
class Workshop:
    """Bench and artifact store."""

    world: World
    ends: dict[str, float] = field(default_factory=dict)  # by the attempt's name
    stopped: set[str] = field(default_factory=set)
    kept: set[Digest] = field(default_factory=set)

    async def build(self, order: BuildOrder, log: PublishedLog) -> BuildAnswer:
        """Build, or take up the build that goes on."""
        await log.next_line()
        chance = self.world.drawn("build", order.name)
        luck = chance.random()
        if order.name not in self.ends:
            mean = 2 * self.world.nature.seconds
            seconds = min(chance.expovariate(1 / mean), 10 * mean)
            endless = luck < self.world.nature.build_endless
            limit = order.recipe.timeout_seconds
            self.ends[order.name] = self.world.now + (limit if endless else min(seconds, limit))
        while self.world.now < self.ends[order.name] and order.name not in self.stopped:
            await pause(min(self.ends[order.name] - self.world.now, 5.0))
        if order.name in self.stopped:
            return BuildStopped()
        if luck < self.world.nature.build_endless:
            return BuildFailed(impossible(order, "its time limit passed"))
        if luck > 1 - self.world.nature.build_broke:
            return BuildFailed(self._broken(order, passing=luck > 1 - self.world.nature.build_broke / 2))
        digest = Digest(f"sha256:{sha256(order.recipe.build_key.encode()).hexdigest()}")
        self.kept.add(digest)
        return Built(digest, 1, 1.0)

    def _broken(self, order: BuildOrder, *, passing: bool) -> Evidence:
        """Return how a build broke: as the network does, or as a program."""
        if not passing:
            return impossible(order, "make exited 2")
        said = LogLine(at=self.world.clock.now(), text=TRANSIENT)
        return Evidence(phase="build", kind="process", message="make exited 6", exit_code=6, log_tail=(said,))

    async def stop(self, order: BuildOrder) -> None:
        """End it; one that was not begun ends as soon as it is."""
        self.stopped.add(order.name)

    async def clear(self, order: BuildOrder) -> None:
        """Nothing: there is no workspace."""

    async def find(self, artifact: Stored) -> Stored | Missing:
        """Tell whether it is there."""
        await asyncio.sleep(0)
        return artifact if artifact.digest in self.kept else Missing("it was never built")
