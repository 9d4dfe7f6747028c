"""Monitors, which raise and clear alarms as chance has it: at once, back and forth, or not knowing."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from uuid import uuid5

from services.ingest.store import IngestStore
from shared.db import ServiceDatabase
from shared.events import AlarmChanged
from shared.events.alarms import AlarmState
from tests.builders import ROOT
from tests.simulation.process import Process
from tests.simulation.shapes import NAMES, Shape, alarm_of
from tests.simulation.virtual_loop import pause
from tests.simulation.watch import Watch

COURSES: tuple[Sequence[AlarmState], ...] = (
    ("firing",),
    ("firing", "clear"),
    ("firing", "clear", "firing", "clear"),  # within a minute each: it flaps
    ("firing", "clear", "firing", "clear", "firing", "clear"),
    ("firing", "unknown", "clear"),
    ("unknown",),
    ("clear",),
)


@dataclass
class Monitors:
    """All of them. What they say goes the way it goes behind the HTTP API."""

    dice: Random
    process: Process
    watch: Watch
    shapes: list[Shape]
    alarms_per_hour: float
    told: int = 0
    known: set[str] = field(default_factory=set)

    async def act(self, until: float) -> None:
        """Raise and clear alarms until then."""
        loop = asyncio.get_running_loop()
        while self.alarms_per_hour:
            await pause(self.dice.expovariate(self.alarms_per_hour / 3600))
            if loop.time() >= until:
                break
            alarm = alarm_of(self.dice.choice(self.shapes).pipeline, self.dice.choice(NAMES))
            for state in self.dice.choice(COURSES):
                await self.tell(alarm, state)
                await pause(self.dice.uniform(1, 70))

    async def tell(self, alarm: str, state: AlarmState) -> None:
        """Say how an alarm stands; the same again is no news."""
        self.told += 1
        self.known.add(alarm)
        now = self.process.clock.now()
        said = AlarmChanged(alarm=alarm, state=state, reason="5xx above 1 %", source="grafana", at=now)
        store = IngestStore(ServiceDatabase(self.process, "ingest"))
        last = await store.told(alarm)
        if last is None or not last.says(said):
            self.watch.count("alarm", state)
            await store.tell(said, uuid5(ROOT, f"alarm {self.told}"), named=True)

    async def calm(self) -> None:
        """Let all be well."""
        for alarm in sorted(self.known):
            await self.tell(alarm, "clear")
